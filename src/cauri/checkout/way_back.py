"""The way back to the shop: a form POST to its return_url, and what the Content-Security-Policy must allow for it."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.domain.payment import Payment
from cauri.wire.urls import origin_of


@dataclass(frozen=True, slots=True)
class WayBack:
    """``source`` is the CSP source that names the return_url's origin."""

    url: str
    source: str
    transaction_id: str
    token: str


def way_back(payment: Payment) -> WayBack | None:
    """None where the return_url is nothing that a browser may be sent to: ``javascript:`` is never a way back."""
    url = payment.request.return_url
    source = origin_of(url)
    if source is None:
        return None
    return WayBack(url, source, payment.transaction_id, payment.token)
