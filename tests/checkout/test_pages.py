"""Which page a payment's state shows: pure, from hand-made views."""

from typing import Any

import pytest
from msgspec.structs import replace

from cauri.checkout.pages import AskCode, Choose, Confirm, End, Wait, choose_page, confirm_page, page_of
from cauri.checkout.typed import Typed
from cauri.domain.codes import FAILURES, Code
from cauri.domain.methods import METHODS, methods_in
from cauri.domain.money import COUNTRIES_OF_CURRENCY, DEFAULT_BOUNDS
from cauri.domain.payment import Attempt, AttemptStatus, Payment, PaymentRequest, PaymentStatus
from cauri.domain.phone import Phone
from cauri.domain.site import Site
from cauri.lifecycle import CountryOffer, MethodOffer, View
from cauri.operators.base import Flow

NOW = 1_795_000_000_000
REQUEST = PaymentRequest(description="Commande 1042", return_url="https://shop.example/return")
PAYMENT = Payment(
    slot=1,
    site_id="445160",
    transaction_id="CMD-1042",
    token="01" + "ab" * 16,
    amount=1500,
    currency="XOF",
    created_at=NOW - 60_000,
    expires_at=NOW + 60_000,
    request=REQUEST,
)
ATTEMPT = Attempt(
    slot=1,
    token=PAYMENT.token,
    number=1,
    reference="r",
    connector="pawapay",
    method="OM",
    phone=Phone("CI", "225", "0700000073"),
    amount=1500,
    currency="XOF",
    status=AttemptStatus.SENT,
    code=Code.WAITING_TO_VALIDATE,
    started_at=NOW,
)
COUNTRIES = tuple(
    CountryOffer(
        country=country,
        bounds=DEFAULT_BOUNDS[country, "XOF"],
        unavailable="amount_low" if country == "TG" else None,
        methods=tuple(
            MethodOffer(
                method=method,
                flow=Flow.PROMPT,
                unavailable="card_block" if method.code == "VISAM" else None,
            )
            for method in methods_in(country, "XOF")
        ),
    )
    for country in COUNTRIES_OF_CURRENCY["XOF"]
)


def view(
    payment: Payment = PAYMENT, attempt: Attempt | None = None, flow: Flow | None = None, left: int = 270
) -> View:
    return View(
        payment=payment,
        site=Site(site_id="445160", name="Boutique"),
        attempt=attempt,
        flow=flow,
        method=METHODS[attempt.method] if attempt else None,
        seconds_left=left,
        countries=COUNTRIES,
        now=NOW,
    )


def attempt(status: AttemptStatus, code: Code, **fields: Any) -> Attempt:
    return replace(ATTEMPT, status=status, code=code, **fields)


def ended(status: PaymentStatus, code: Code, ago_ms: int = 1000, **fields: Any) -> Payment:
    return replace(PAYMENT, status=status, code=code, ended_at=NOW - ago_ms, **fields)


SENT, ASKED = AttemptStatus.SENT, AttemptStatus.ASKED
OVER = replace(PAYMENT, expires_at=NOW)
URL = "https://operator.example/x"


@pytest.mark.parametrize(
    ("looked_at", "kind", "name"),
    [
        (view(), Choose, "choose"),
        (view(attempt=attempt(AttemptStatus.FAILED, Code.PAYMENT_FAILED)), Choose, "choose"),
        (view(attempt=attempt(AttemptStatus.DROPPED, Code.WAITING_OTP)), Choose, "choose"),
        (view(OVER), End, "expired"),
        (view(OVER, attempt(AttemptStatus.FAILED, Code.PAYMENT_FAILED)), End, "expired"),
        (view(attempt=attempt(ASKED, Code.WAITING_OTP), flow=Flow.CODE), AskCode, "code"),
        (view(attempt=attempt(ASKED, Code.WAITING_OTP), flow=Flow.CODE, left=0), AskCode, "code"),
        (view(OVER, attempt(ASKED, Code.WAITING_OTP), Flow.CODE), End, "expired"),
        (view(attempt=attempt(SENT, Code.WAITING_TO_VALIDATE), flow=Flow.PROMPT), Wait, "prompt"),
        (view(OVER, attempt(SENT, Code.WAITING_TO_VALIDATE), Flow.PROMPT), Wait, "prompt"),
        (view(attempt=attempt(SENT, Code.WAITING_TO_VALIDATE), flow=Flow.PROMPT, left=0), Wait, "checking"),
        (view(attempt=attempt(SENT, Code.WAITING_OTP), flow=Flow.CODE), Wait, "prompt"),
        (view(attempt=attempt(SENT, Code.WAITING_AT_OPERATOR), flow=Flow.PAGE), Wait, "redirect"),
        (view(attempt=attempt(SENT, Code.WAITING_AT_OPERATOR, page_url=URL)), Wait, "redirect"),
        (view(attempt=attempt(SENT, Code.WAITING_AT_OPERATOR, page_url=URL), left=0), Wait, "checking"),
        (view(ended(PaymentStatus.PAID, Code.SUCCESS, operator_id="7")), End, "paid"),
        (view(ended(PaymentStatus.REFUSED, Code.CANCELLED)), End, "refused"),
        (view(ended(PaymentStatus.REFUSED, Code.CANCELLED, expires_at=NOW - 2000)), End, "expired"),
        *((view(ended(PaymentStatus.REFUSED, code)), End, "refused") for code in FAILURES),
    ],
)
def test_the_state_decides_the_page(looked_at: View, kind: type, name: str) -> None:
    page = page_of(looked_at)
    assert (type(page), page.name) == (kind, name)


def test_a_try_that_failed_says_why_and_offers_the_form_again() -> None:
    page = page_of(view(attempt=attempt(AttemptStatus.FAILED, Code.INSUFFICIENT_BALANCE)))
    assert isinstance(page, Choose)
    assert page.failed is Code.INSUFFICIENT_BALANCE


def test_the_operators_page_is_linked_only_where_it_is_one() -> None:
    for url, linked in ((URL, URL), ("javascript:alert(1)", None), (None, None)):
        page = page_of(view(attempt=attempt(SENT, Code.WAITING_AT_OPERATOR, page_url=url), flow=Flow.PAGE))
        assert isinstance(page, Wait)
        assert page.operator_page == linked


@pytest.mark.parametrize(("ago_ms", "automatic"), [(0, True), (59_999, True), (60_000, False)])
def test_only_a_fresh_end_returns_by_itself(ago_ms: int, automatic: bool) -> None:
    page = page_of(view(ended(PaymentStatus.PAID, Code.SUCCESS, ago_ms, operator_id="7")))
    assert isinstance(page, End)
    assert page.automatic is automatic


def test_an_end_without_a_way_back_has_no_form() -> None:
    request = replace(REQUEST, return_url="javascript:alert(1)")
    assert page_of(view(ended(PaymentStatus.REFUSED, Code.CANCELLED, request=request))).back is None


def test_the_receipt_has_reference_operator_time_and_a_masked_number() -> None:
    paid = ended(
        PaymentStatus.PAID, Code.SUCCESS, operator_id="8210407187720", paid_at=NOW - 9, phone=ATTEMPT.phone
    )
    page = page_of(view(paid, attempt(AttemptStatus.PAID, Code.SUCCESS)))
    assert isinstance(page, End)
    assert page.receipt is not None
    receipt = page.receipt
    assert (receipt.reference, receipt.operator, receipt.operator_id, receipt.paid_at) == (
        "CMD-1042",
        "Orange Money",
        "8210407187720",
        NOW - 9,
    )


def test_orange_burkina_is_told_what_to_dial_and_the_others_are_not() -> None:
    for method, dial in (("OMBF", "*144*4*6*1500#"), ("OM", None)):
        page = page_of(view(attempt=attempt(ASKED, Code.WAITING_OTP, method=method), flow=Flow.CODE))
        assert isinstance(page, AskCode)
        assert page.dial == dial


def test_a_given_number_chooses_its_country_and_is_never_shown_whole() -> None:
    given = replace(PAYMENT, request=replace(REQUEST, customer_phone="221770000012"))
    page = choose_page(view(given))
    assert (page.country, page.number, page.locked) == ("SN", "", False)
    assert page.given is not None
    assert page.given.masked.endswith("12")


@pytest.mark.parametrize("phone", ["33612345678", "garbage", "22890000000"])
def test_a_given_number_that_cannot_pay_here_leaves_the_first_country(phone: str) -> None:
    page = choose_page(view(replace(PAYMENT, request=replace(REQUEST, customer_phone=phone))))
    assert page.country == "CI"


def test_a_locked_number_goes_straight_to_its_operator() -> None:
    request = replace(REQUEST, customer_phone="2250102324373", lock_phone_number=True)
    page = page_of(view(replace(PAYMENT, request=request)))
    assert isinstance(page, Confirm)
    assert (page.locked, page.method, page.number, page.country) == (True, "FLOOZ", "", "CI")


def test_a_locked_number_of_a_country_that_cannot_pay_says_so() -> None:
    request = replace(REQUEST, customer_phone="22890000000", lock_phone_number=True)
    page = page_of(view(replace(PAYMENT, request=request)))
    assert isinstance(page, Choose)
    assert page.locked


@pytest.mark.parametrize(
    ("country", "number", "found"),
    [
        ("CI", "0102324373", "FLOOZ"),
        ("CI", "0749012966", "OM"),
        ("CI", "+225 05 04 03 02 01", "MOMO"),
        ("SN", "761234567", "FREESN"),
        ("BF", "07345678", "OMBF"),
    ],
)
def test_the_operator_is_found_from_the_number(country: str, number: str, found: str) -> None:
    page = confirm_page(view(), Typed(country=country, number=number))
    assert (page.method, page.found) == (found, True)


def test_a_corrected_operator_stays_corrected() -> None:
    page = confirm_page(view(), Typed(country="CI", number="0102324373", method="OM"))
    assert page.method == "OM"
