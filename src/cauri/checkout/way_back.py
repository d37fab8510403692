"""The way back to the shop: a form POST to its return_url, and what the Content-Security-Policy must allow for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cauri.domain.payment import Payment

_HOST = re.compile(r"[A-Za-z0-9_.-]+")


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
    source = csp_source(url)
    if source is None:
        return None
    return WayBack(url, source, payment.transaction_id, payment.token)


def csp_source(url: str) -> str | None:
    """``https://shop.example:8443`` of an http(s) URL, None for any other.

    CSP cannot name an IPv6 address: its whole scheme is allowed instead.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if ":" in host:
        return f"{parts.scheme}:"
    if not _HOST.fullmatch(host):
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
