"""What the page may show of a payment: its state, its last attempt, and who could pay how."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.clock import SECOND
from cauri.domain.methods import METHODS, Family, Method, methods_in
from cauri.domain.money import Bounds
from cauri.domain.moves import is_open
from cauri.domain.payment import Attempt, AttemptStatus, Payment
from cauri.domain.site import Site
from cauri.lifecycle.opening import BoundsTable, countries_of
from cauri.lifecycle.routing import Routing
from cauri.operators.base import Flow


@dataclass(frozen=True, slots=True)
class MethodOffer:
    """``unavailable``: ``not_offered`` (no connector), ``amount_low``, ``amount_high``, ``card_block``, ``out_of_service`` (its
    operator says so, or does not answer), or None."""

    method: Method
    flow: Flow | None
    unavailable: str | None


@dataclass(frozen=True, slots=True)
class CountryOffer:
    """``unavailable``: ``amount_low``, ``amount_high``, ``no_method``, ``out_of_service``, or None."""

    country: str
    bounds: Bounds | None
    unavailable: str | None
    methods: tuple[MethodOffer, ...]


@dataclass(frozen=True, slots=True)
class View:
    """``flow`` is the open attempt's; ``seconds_left``: how long the payer still has, 0 when that is over."""

    payment: Payment
    site: Site
    attempt: Attempt | None
    flow: Flow | None
    method: Method | None
    seconds_left: int
    countries: tuple[CountryOffer, ...]
    now: int


def view_of(
    payment: Payment, site: Site, attempt: Attempt | None, routing: Routing, bounds: BoundsTable, now: int
) -> View:
    flow, seconds_left = None, 0
    if attempt is not None and is_open(attempt):
        route = routing.route(attempt.connector, attempt.method)
        if route is not None:
            flow = route.flow
            ends_at = (
                payment.expires_at
                if attempt.sent_at is None
                else attempt.sent_at + route.payer_has_s * SECOND
            )
            seconds_left = max(0, (ends_at - now) // SECOND)
        if attempt.page_url is not None:
            flow = Flow.PAGE
    return View(
        payment=payment,
        site=site,
        attempt=attempt,
        flow=flow,
        method=METHODS.get(attempt.method) if attempt else None,
        seconds_left=seconds_left,
        countries=offers(payment, site, routing, bounds),
        now=now,
    )


def offers(payment: Payment, site: Site, routing: Routing, bounds: BoundsTable) -> tuple[CountryOffer, ...]:
    """Every enabled country of the payment's currency, with its methods and why one is not available."""
    return tuple(
        _country_offer(payment, country, routing, bounds) for country in countries_of(site, payment.currency)
    )


def amount_trouble(amount: int, own: Bounds | None) -> str | None:
    """``amount_low`` or ``amount_high`` where the amount is outside."""
    if own is None or own.low <= amount <= own.high:
        return None
    return "amount_low" if amount < own.low else "amount_high"


def _country_offer(payment: Payment, country: str, routing: Routing, bounds: BoundsTable) -> CountryOffer:
    own = bounds.get((country, payment.currency))
    trouble = amount_trouble(payment.amount, own)
    methods = tuple(
        _method_offer(payment, method, routing, trouble)
        for method in methods_in(country, payment.currency, payment.request.channels)
    )
    if trouble is None and all(offer.unavailable for offer in methods):
        passing = any(offer.unavailable == "out_of_service" for offer in methods)
        trouble = "out_of_service" if passing else "no_method"
    return CountryOffer(country, own, trouble, methods)


def _method_offer(payment: Payment, method: Method, routing: Routing, trouble: str | None) -> MethodOffer:
    way = routing.way(method.code, payment.amount)
    if way is None:
        return MethodOffer(method, None, "not_offered")
    if method.family is Family.CARD and payment.request.card_block is None:
        return MethodOffer(method, way.route.flow, "card_block")
    return MethodOffer(method, way.route.flow, trouble or way.trouble)


def last_open(attempts: list[Attempt]) -> Attempt | None:
    """The attempt in flight, or the newest that waits for a code."""
    sent = [attempt for attempt in attempts if attempt.status is AttemptStatus.SENT]
    asked = [attempt for attempt in attempts if attempt.status is AttemptStatus.ASKED]
    newest = sent or asked
    return newest[-1] if newest else None
