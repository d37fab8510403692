"""Opening a payment: the site's own rules (contract section 5, rows 7–12), in their order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from cauri.clock import MINUTE, Clock, payment_token
from cauri.domain.errors import (
    AmountTooHigh,
    AmountTooLow,
    CurrencyNotEnabled,
    Fault,
    FaultyFields,
    IdempotencyMismatch,
    LockedPhoneElsewhere,
    LockedPhoneInvalid,
    SiteClosed,
    TransactionIdUsed,
)
from cauri.domain.methods import methods_in
from cauri.domain.money import COUNTRIES_OF_CURRENCY, Bounds, step_of, widest_bounds
from cauri.domain.payment import NewPayment, Payment, slot_of
from cauri.domain.phone import BadPhone, read_phone
from cauri.domain.site import Site, SiteStatus
from cauri.operators.registry import Operators

BoundsTable = Mapping[tuple[str, str], Bounds]


def countries_of(site: Site, currency: str) -> tuple[str, ...]:
    """The site's countries that use this currency."""
    return _countries(site.countries, currency)


@lru_cache(maxsize=1024)
def _countries(enabled: tuple[str, ...], currency: str) -> tuple[str, ...]:
    return tuple(country for country in COUNTRIES_OF_CURRENCY[currency] if country in enabled)


def checked(site: Site, asked: NewPayment, bounds: BoundsTable, operators: Operators) -> NewPayment:
    """The request with its phone number read; raises the first RequestError of rows 7–11 that holds."""
    if site.status is not SiteStatus.OPEN:
        raise SiteClosed
    if asked.currency not in site.currencies:
        raise CurrencyNotEnabled(asked.currency, site.currencies)
    _check_amount_and_methods(site, asked, operators)
    _check_bounds(site, asked, bounds)
    return replace(
        asked, request=replace(asked.request, customer_phone=_customer_phone(site, asked, bounds, operators))
    )


def new_payment(site: Site, asked: NewPayment, clock: Clock) -> Payment:
    """The row to write."""
    slot = slot_of(site.site_id, asked.transaction_id)
    now = clock.now()
    settings = site.settings
    request = replace(
        asked.request, attempts_max=settings.attempts_max, settlement_days=settings.settlement_days
    )
    return Payment(
        slot=slot,
        site_id=site.site_id,
        transaction_id=asked.transaction_id,
        token=payment_token(slot),
        amount=asked.amount,
        currency=asked.currency,
        created_at=now,
        expires_at=now + settings.session_minutes * MINUTE,
        request=request,
        idempotency_key=asked.idempotency_key,
        body_hash=asked.body_hash,
    )


def opened_or_refused(wanted: Payment, held: Payment) -> Payment:
    """Row 12: what the database holds is ours, or the same request's first payment, or somebody's older one."""
    if held.token == wanted.token:
        return held
    if wanted.idempotency_key is None or wanted.idempotency_key != held.idempotency_key:
        raise TransactionIdUsed
    if wanted.body_hash != held.body_hash:
        raise IdempotencyMismatch
    return held


def _check_amount_and_methods(site: Site, asked: NewPayment, operators: Operators) -> None:
    faults: list[Fault] = []
    step = step_of(asked.currency)
    if asked.amount % step:
        nearest = asked.amount // step * step
        nearest_two = (("step", str(step)), ("lower", str(nearest)), ("higher", str(nearest + step)))
        faults.append(Fault("amount", "multiple_of", nearest_two))
    if not _some_method(site, asked, operators):
        names = (("channels", ",".join(asked.request.channels)), ("currency", asked.currency))
        faults.append(Fault("channels", "no_method", names))
    if faults:
        raise FaultyFields(*faults)


def _some_method(site: Site, asked: NewPayment, operators: Operators) -> bool:
    return any(
        operators.serving(method.code) is not None
        for country in countries_of(site, asked.currency)
        for method in methods_in(country, asked.currency, asked.request.channels)
    )


def _check_bounds(site: Site, asked: NewPayment, bounds: BoundsTable) -> None:
    widest = widest_bounds(bounds, countries_of(site, asked.currency), asked.currency)
    if widest is None:
        return
    if asked.amount < widest.low:
        raise AmountTooLow(widest.low, asked.currency)
    if asked.amount > widest.high:
        raise AmountTooHigh(widest.high, asked.currency)


def _customer_phone(site: Site, asked: NewPayment, bounds: BoundsTable, operators: Operators) -> str | None:
    """The merchant's number for its customer, international without +. A bad one is only refused where it is locked."""
    locked = asked.request.lock_phone_number
    if asked.customer_phone_number is None and not locked:
        return None
    try:
        phone = read_phone(asked.customer_phone_number or "")
    except BadPhone:
        if locked:
            raise LockedPhoneInvalid from None
        return None
    if phone.country not in countries_of(site, asked.currency) or (
        locked and not _can_pay(phone.country, asked, bounds, operators)
    ):
        if locked:
            raise LockedPhoneElsewhere(phone.country, asked.amount, asked.currency)
        return None
    return phone.digits


def _can_pay(country: str, asked: NewPayment, bounds: BoundsTable, operators: Operators) -> bool:
    """A locked number leaves no other choice, so its country must have a method and the amount be inside its bounds."""
    own = bounds.get((country, asked.currency))
    return (own is None or own.low <= asked.amount <= own.high) and any(
        operators.serving(method.code) is not None
        for method in methods_in(country, asked.currency, asked.request.channels)
    )
