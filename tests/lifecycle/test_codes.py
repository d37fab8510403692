"""All 22 codes of contract section 6, each reached through the HTTP doors with the simulator's numbers."""

from __future__ import annotations

import pytest

from tests.lifecycle.shopping import Purchase, Shop

# Written down from the contract, not taken from the product.
REFUSED = {
    "600": "PAYMENT_FAILED",
    "602": "INSUFFISENT_BALANCE",
    "603": "SERVICE_UNAVAILABLE",
    "604": "OTP_CODE_ERROR",
    "606": "INCORRECT_SETTINGS",
    "627": "TRANSACTION_CANCEL",
    "635": "ERROR_PHONE_NUMBER_NOT_FOUND",
    "636": "ERROR_PHONE_NUMBER_NOT_SUPPORTED",
    "641": "ERROR_AMOUNT_TOO_LOW",
    "642": "ERROR_AMOUNT_TOO_HIGH",
    "804": "OPERATOR_UNAVAILABLE",
    "807": "DAILY_MAX_NUMBER_TRANSACTION_REACHED",
    "808": "DAILY_MAX_AMOUNT_TRANSACTION_REACHED",
    "809": "MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED",
    "810": "MONTHLY_MAX_NUMBER_TRANSACTION_REACHED",
    "811": "WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED",
    "812": "WEEKLY_MAX_NUMBER_TRANSACTION_REACHED",
}
WAITING = {
    "662": "WAITING_CUSTOMER_PAYMENT",
    "623": "WAITING_CUSTOMER_TO_VALIDATE",
    "663": "WAITING_CUSTOMER_OTP_CODE",
    "664": "WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE",
}
METHOD_OF_WAITING = {"623": "OM", "663": "OMBF", "664": "WAVECI"}


def test_the_tables_hold_the_22_codes() -> None:
    assert len(REFUSED | WAITING) + len({"00"}) == 22


@pytest.fixture
async def one_try(shop: Shop) -> Purchase:
    """A payment of a site that allows one try: whatever fails is final."""
    return await Shop(await shop.running.new_site(attempts_max=1), shop.receiver, shop.client).opens()


@pytest.mark.parametrize("method", ["OM", "FLOOZ"])
@pytest.mark.parametrize("code", REFUSED)
async def test_a_number_that_ends_in_a_failure_code_ends_its_payment_so(
    one_try: Purchase, code: str, method: str
) -> None:
    await one_try.pays(method, ending=code)
    await one_try.comes_to(code)
    answer = await one_try.check()
    assert (answer["message"], answer["data"]["status"]) == (REFUSED[code], "REFUSED")
    assert answer["data"]["operator_id"] is None
    assert answer["data"]["payment_method"] == method
    assert one_try.shop.receiver.codes(one_try.path)[-1] == code


@pytest.mark.parametrize("method", ["OM", "FLOOZ"])
async def test_any_other_number_pays(one_try: Purchase, method: str) -> None:
    await one_try.pays(method)
    await one_try.comes_to("00")
    answer = await one_try.check()
    assert (answer["message"], answer["data"]["status"]) == ("SUCCES", "ACCEPTED")
    assert answer["data"]["operator_id"]
    assert one_try.shop.receiver.codes(one_try.path)[-1] == "00"


@pytest.mark.parametrize("code", WAITING)
async def test_every_waiting_code_is_shown_while_its_flow_waits(one_try: Purchase, code: str) -> None:
    if code in METHOD_OF_WAITING:
        await one_try.pays(METHOD_OF_WAITING[code], ending="129")
    await one_try.comes_to(code)
    answer = await one_try.check()
    assert (answer["message"], answer["data"]["status"]) == (WAITING[code], "WAITING_FOR_CUSTOMER")
    assert answer["data"]["payment_date"] == ""
    told = one_try.shop.receiver.codes(one_try.path)
    assert told == ([] if code == "662" else [code]), "662 at creation is not a change"


async def test_the_guides_first_payer_is_refused_with_600(one_try: Purchase) -> None:
    await one_try.post("pay", country="CI", number="0749012966", method="OM")
    await one_try.comes_to("600")


async def test_the_guides_second_payer_pays(one_try: Purchase) -> None:
    await one_try.post("pay", country="CI", number="0102324373")
    await one_try.comes_to("00")
    data = (await one_try.check())["data"]
    assert (data["payment_method"], data["phone_prefix"], data["phone_number"]) == (
        "FLOOZ",
        "225",
        "0102324373",
    )
