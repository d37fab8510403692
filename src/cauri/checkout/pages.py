"""What each page shows, without HTML and without words: values made from a View, which templates then put into a language.

The payment's state alone decides which page a GET shows; ``Choose`` and ``Confirm`` also carry what the payer has typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cauri.checkout.offers import (
    Card,
    Country,
    Option,
    asks_number,
    card_of,
    countries_of,
    found_method,
    given_phone,
    lacks_card_block,
    options_of,
    unusable_method,
)
from cauri.checkout.typed import Typed
from cauri.checkout.way_back import WayBack, way_back
from cauri.domain.codes import Code
from cauri.domain.methods import Family
from cauri.domain.payment import Attempt, AttemptStatus, PaymentStatus
from cauri.domain.phone import Phone
from cauri.lifecycle import View

FRESH_MS = 60_000
"""An end younger than this may send the customer back by itself; later it was reopened (contract section 4).

The script also asks that its tab saw the payment under way, and that it has not gone back yet.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with what was typed: the field it belongs to ('' for the whole form) and PayerError's reason.

    ``wait_s``: seconds until it may be tried again, 0 where nobody knows.
    """

    field: str
    reason: str
    wait_s: int = 0

    @property
    def wait_minutes(self) -> int:
        return -(-self.wait_s // 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is paid for: the top of every page. ``amount`` in whole currency units."""

    token: str
    version: int
    site: str
    amount: int
    currency: str
    description: str
    invoice: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page of a payment has. ``name`` is its ``data-page``, ``heading`` the text of its title, ``status`` its HTTP status.

    ``back`` is there where a form of the page leads to the shop.
    """

    template: ClassVar[str] = ""
    name: str
    heading: str
    order: Order
    status: int = 200
    back: WayBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Page):
    """Country and number, or the card. ``given`` is the shop's number, shown masked; ``failed`` says why the last try failed.

    ``numbers`` is false where a number would lead to nothing, since only a card can pay; ``card_hidden``: it could, but the shop
    did not send what a card needs.
    """

    template: ClassVar[str] = "choose.html"
    countries: tuple[Country, ...]
    country: str
    number: str
    given: Phone | None
    locked: bool
    failed: Code | None
    problem: Problem | None
    numbers: bool = True
    card: Card | None = None
    card_hidden: bool = False

    @property
    def payable(self) -> bool:
        return any(country.unavailable is None for country in self.countries)

    @property
    def nothing(self) -> str:
        """The text for a page on which nothing can be chosen."""
        if self.out_of_service:
            return "out_of_service"
        return "card_hidden" if self.card_hidden else "nothing_offered"

    @property
    def out_of_service(self) -> bool:
        """Whether only operators that do not answer now stand in the way: that passes, other reasons do not."""
        return any(country.unavailable == "out_of_service" for country in self.countries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Page):
    """The operator and the pay button. ``number`` is as typed, empty to use ``given``; ``method`` the one preselected.

    ``unusable``: the name of the number's own operator, where that cannot be chosen, else empty.
    ``card``: where the number is locked, so that this page comes first, and its country has no card of its own.
    """

    template: ClassVar[str] = "confirm.html"
    country: str
    number: str
    given: Phone | None
    locked: bool
    method: str | None
    found: bool
    unusable: str
    options: tuple[Option, ...]
    failed: Code | None
    problem: Problem | None
    changed: bool = False
    card: Card | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Page):
    """Something is in flight. Named ``prompt``, ``redirect`` or ``checking``. ``by_card``: there is no operator but a bank."""

    template: ClassVar[str] = "wait.html"
    operator: str
    phone: Phone
    seconds_left: int
    code_given: bool = False
    operator_page: str | None = None
    by_card: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCode(Page):
    """The one-time code. ``dial`` is what to dial to get one, where the operator does not send it."""

    template: ClassVar[str] = "code.html"
    operator: str
    phone: Phone
    dial: str | None
    choose: Choose
    problem: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    reference: str
    operator: str
    operator_id: str
    phone: Phone | None
    paid_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Page):
    """Named ``paid``, ``refused`` or ``expired``. ``automatic``: the script may send the customer back by itself."""

    template: ClassVar[str] = "end.html"
    code: Code | None = None
    receipt: Receipt | None = None
    automatic: bool = False
    final: bool = True


def page_of(view: View, problem: Problem | None = None) -> Page:
    """The page that the payment's state asks for; ``problem`` is what was wrong with a code just typed."""
    payment, attempt = view.payment, view.attempt
    if payment.final:
        return _end(view)
    if attempt is not None and attempt.status is AttemptStatus.SENT:
        return _wait(view, attempt)
    if view.now >= payment.expires_at:
        return _over(view)
    if attempt is not None and attempt.status is AttemptStatus.ASKED:
        return _ask_code(view, attempt, problem)
    if payment.request.lock_phone_number and _locked_number_works(view):
        return confirm_page(view, Typed())
    return choose_page(view)


def is_fresh(view: View) -> bool:
    """The payment ended just now: its notification may still be on its way, and its customer still here."""
    return view.payment.ended_at is not None and view.now - view.payment.ended_at < FRESH_MS


def choose_page(view: View, typed: Typed | None = None, problem: Problem | None = None) -> Choose:
    payment = view.payment
    given = given_phone(payment.request)
    typed = typed or Typed()
    card, numbers = card_of(view), asks_number(view)
    return Choose(
        name="choose",
        heading="choose" if numbers or card is None else "choose_card",
        order=_order(view),
        status=_status_of(problem),
        countries=countries_of(view),
        country=typed.country or _first_country(view, given),
        number=typed.shown_number,
        given=given,
        locked=payment.request.lock_phone_number and given is not None,
        failed=_failed_code(view),
        problem=problem,
        numbers=numbers,
        card_hidden=lacks_card_block(view),
        card=card,
    )


def confirm_page(
    view: View, typed: Typed, problem: Problem | None = None, *, changed: bool = False
) -> Confirm | Choose:
    """The confirm step for what was typed; the choose page again where the number itself cannot be used."""
    given = given_phone(view.payment.request)
    locked = view.payment.request.lock_phone_number and given is not None
    country = given.country if given is not None and (locked or not typed.number) else typed.country
    found = found_method(view, typed, country)
    unusable = None if found else unusable_method(view, typed, country)
    chosen = typed.method or (found.code if found else None)
    options, card = options_of(view, country), card_of(view) if locked else None
    return Confirm(
        name="confirm",
        heading="confirm",
        order=_order(view),
        status=_status_of(problem),
        country=country,
        number="" if locked else typed.shown_number,
        given=given,
        locked=locked,
        method=chosen,
        found=found is not None,
        unusable=unusable.name if unusable else "",
        options=options,
        failed=_failed_code(view),
        problem=problem,
        changed=changed,
        card=None if card is None or any(option.code == card.method for option in options) else card,
    )


def _order(view: View) -> Order:
    payment = view.payment
    return Order(
        token=payment.token,
        version=payment.version,
        site=view.site.name,
        amount=payment.amount,
        currency=payment.currency,
        description=payment.request.description,
        invoice=payment.request.invoice_data,
    )


def _status_of(problem: Problem | None) -> int:
    if problem is None:
        return 200
    return 429 if problem.reason in ("too_soon", "too_many_prompts") else 422


def _first_country(view: View, given: Phone | None) -> str:
    """The given number's country, else the last try's, else the first that can pay."""
    able = [offer.country for offer in view.countries if offer.unavailable is None]
    wished = [phone.country for phone in (given, view.payment.phone) if phone is not None]
    return next((country for country in wished if country in able), able[0] if able else "")


def _locked_number_works(view: View) -> bool:
    given = given_phone(view.payment.request)
    return given is not None and any(
        offer.country == given.country and offer.unavailable is None for offer in view.countries
    )


def _failed_code(view: View) -> Code | None:
    failed = view.attempt is not None and view.attempt.status is AttemptStatus.FAILED
    return view.attempt.code if failed and view.attempt is not None else None


def _wait(view: View, attempt: Attempt) -> Wait:
    kind = _waiting_kind(view, attempt)
    operator = view.method.name if view.method else attempt.method
    operator_page = attempt.page_url if kind == "redirect" else None
    code_given = kind == "prompt" and view.flow == "code"
    return Wait(
        name=kind,
        heading="code_sent" if code_given else kind,
        order=_order(view),
        back=way_back(view.payment),
        operator=operator,
        phone=attempt.phone,
        seconds_left=view.seconds_left,
        code_given=code_given,
        operator_page=operator_page
        if operator_page and operator_page.startswith(("https://", "http://"))
        else None,
        by_card=view.method is not None and view.method.family is Family.CARD,
    )


def _waiting_kind(view: View, attempt: Attempt) -> str:
    if view.seconds_left <= 0:
        return "checking"
    at_operator = view.flow == "page" or attempt.code is Code.WAITING_AT_OPERATOR
    return "redirect" if at_operator else "prompt"


def _ask_code(view: View, attempt: Attempt, problem: Problem | None) -> AskCode:
    return AskCode(
        name="code",
        heading="code",
        order=_order(view),
        status=_status_of(problem),
        operator=view.method.name if view.method else attempt.method,
        phone=attempt.phone,
        dial=_DIALLED_CODES.get(attempt.method, "").format(amount=view.payment.amount) or None,
        choose=choose_page(view),
        problem=problem,
    )


# Orange Burkina sends no code: the payer makes one by dialling, bound to the amount (operators.md, 2d).
_DIALLED_CODES = {"OMBF": "*144*4*6*{amount}#"}


def _over(view: View) -> End:
    """The session is over, and the loop that ends such payments has not come by yet."""
    return End(
        name="expired",
        heading="expired",
        order=_order(view),
        back=way_back(view.payment),
        code=view.payment.failed_code,
        final=False,
    )


def _end(view: View) -> End:
    payment = view.payment
    paid = payment.status is PaymentStatus.PAID
    expired = not paid and payment.ended_at is not None and payment.ended_at >= payment.expires_at
    cancelled = payment.code is Code.CANCELLED
    return End(
        name="paid" if paid else "expired" if expired else "refused",
        heading="paid" if paid else "expired" if expired else "cancelled" if cancelled else "refused",
        order=_order(view),
        back=way_back(payment),
        code=None if paid or (expired and payment.failed_code is None) else payment.code,
        receipt=_receipt(view) if paid else None,
        automatic=is_fresh(view),
    )


def _receipt(view: View) -> Receipt:
    payment = view.payment
    return Receipt(
        reference=payment.transaction_id,
        operator=view.method.name if view.method else payment.method or "",
        operator_id=payment.operator_id or "",
        phone=payment.phone,
        paid_at=payment.paid_at or payment.created_at,
    )
