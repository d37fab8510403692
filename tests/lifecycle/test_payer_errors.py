"""What the page is told when a step cannot be taken now: the reason, and nothing has changed."""

from __future__ import annotations

import pytest

from cauri.clock import MINUTE
from cauri.domain.errors import PayerError, PaymentNotFound
from tests.lifecycle.shopping import Purchase, Shop, number_of
from tests.lifecycle.steps import Step, cancels, pays, says, take

NOTHING: tuple[Step, ...] = ()
ASKED, IN_FLIGHT = (pays("663", "OMBF"),), (pays("623"),)
FAILED, PAID = (pays("623"), says("602", "662")), (pays("623"), says("paid", "00"))
CANCELLED = (cancels("627"),)


async def start(buyer: Purchase, country: str = "CI", number: str = "", method: str | None = "OM") -> None:
    await buyer.shop.running.lifecycle.start(buyer.token, country, number or f"+{number_of('OM')[1]}", method)


async def give_code(buyer: Purchase, code: str = "123456") -> None:
    await buyer.shop.running.lifecycle.give_code(buyer.token, code)


async def cancel(buyer: Purchase) -> None:
    await buyer.shop.running.lifecycle.cancel(buyer.token)


@pytest.mark.parametrize(
    ("before", "act", "reason"),
    [
        pytest.param(IN_FLIGHT, start, "in_flight", id="start with something in flight"),
        pytest.param(PAID, start, "ended", id="start after the payment"),
        pytest.param(CANCELLED, start, "ended", id="start after a cancel"),
        pytest.param(IN_FLIGHT, cancel, "in_flight", id="cancel with something in flight"),
        pytest.param(NOTHING, give_code, "no_code_expected", id="a code before anything"),
        pytest.param(IN_FLIGHT, give_code, "no_code_expected", id="a code for a prompt"),
        pytest.param(FAILED, give_code, "no_code_expected", id="a code after a failure"),
        pytest.param(PAID, give_code, "ended", id="a code after the payment"),
        *[
            pytest.param(ASKED, lambda buyer, code=code: give_code(buyer, code), "code_format", id=f"code {code!r}")
            for code in ("", "123", "123456789", "12345a", "١٢٣٤٥٦", "12\x0034", "1234.5", "-12345")
        ],
        *[
            pytest.param(NOTHING, lambda buyer, typed=typed: start(buyer, *typed), reason, id=str(typed))
            for typed, reason in [
                (("CI", "bonjour"), "phone_unreadable"),
                (("CI", "07000"), "phone_length"),
                (("CI", "+221770000001"), "phone_country"),
                (("CM", "+237690000001", "OMCM"), "country_unavailable"),
                (("FR", "+33612345678"), "country_unavailable"),
                (("CI", "+2250700000001", "MOOVML"), "method_unavailable"),
                (("CI", "+2250700000001", "nonsense"), "method_unavailable"),
                (("CI", "+2250700000001", "VISAM"), "method_unavailable"),
                (("SN", "+221700000001", "EXPRESSOSN"), "method_unavailable"),
                (("CI", "+2252700000001", None), "method_needed"),
            ]
        ],
    ],
)  # fmt: skip
async def test_a_step_out_of_place_is_refused_with_its_reason(
    shop: Shop, before: tuple[Step, ...], act: object, reason: str
) -> None:
    buyer = await shop.opens()
    for step in before:
        await take(step, buyer)
    payment = await buyer.payment()
    with pytest.raises(PayerError) as refused:
        await act(buyer)  # type: ignore[operator]
    assert refused.value.reason == reason
    assert await buyer.payment() == payment


@pytest.mark.parametrize("act", [start, give_code], ids=["start", "code"])
async def test_a_session_that_is_over_starts_nothing(timed_shop_without_loops: Purchase, act: object) -> None:
    buyer = timed_shop_without_loops
    with pytest.raises(PayerError) as refused:
        await act(buyer)  # type: ignore[operator]
    assert refused.value.reason in ("session_over", "ended")


@pytest.fixture
async def timed_shop_without_loops(shop: Shop) -> Purchase:
    """A payment that waits for a code, half an hour later; the expiry loop may or may not have come by."""
    buyer = await shop.opens()
    await take(pays("663", "OMBF"), buyer)
    shop.clock.advance(30 * MINUTE)
    return buyer


@pytest.mark.parametrize("blanks", ["12 34 56", " 123456\n", "12\u00a034\u202f56"])
async def test_blanks_in_a_code_are_forgiven(shop: Shop, blanks: str) -> None:
    buyer = await shop.opens()
    await take(pays("663", "OMBF", outcome="paid"), buyer)
    await give_code(buyer, blanks)
    await buyer.comes_to("00")


@pytest.mark.parametrize("token", ["", "x", "0" * 34, "g" * 34, "0" * 33, "\0" * 34, "é" * 34])
async def test_a_token_of_nothing_is_not_found(shop: Shop, token: str) -> None:
    lifecycle = shop.running.lifecycle
    for step in (lifecycle.cancel(token), lifecycle.leave(token), lifecycle.give_code(token, "123456")):
        with pytest.raises(PaymentNotFound):
            await step
    with pytest.raises(PaymentNotFound):
        await lifecycle.start(token, "CI", "0700000001", "OM")
    assert await lifecycle.view(token) is None
    await lifecycle.hint(token)
    await lifecycle.first_delivery(token)


async def test_attempts_may_be_kept_apart(start_gateway) -> None:  # type: ignore[no-untyped-def]
    """``attempt_gap_s``: a page must not be a tool to pester strangers."""
    from cauri.clock import ManualClock
    from cauri.config import Limits

    limits = Limits(rate_per_key=0, failed_auth_per_address=0, page_posts_per_address=0, attempt_gap_s=5)
    running = await start_gateway(clock=ManualClock(), limits=limits)
    import httpx

    from tests.notifier.receiver import Receiver

    receiver = Receiver()
    await receiver.start()
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        shop = Shop(running, receiver, client)
        buyer = await shop.opens()
        await buyer.pays("OM", ending="603")
        assert await buyer.code() == "662"
        with pytest.raises(PayerError) as refused:
            await start(buyer)
        assert refused.value.reason == "too_soon"
        shop.clock.advance(5_000)
        await start(buyer)
    await receiver.stop()
