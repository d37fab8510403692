"""pawaPay's toolkit over real HTTP: active-conf and predict-provider."""

from __future__ import annotations

import pytest
from pawapay_answers import NONSENSE, reason, started
from scripted_operator import HANG_UP, PHONES

from cauri.domain.codes import Code
from cauri.domain.outcome import Refused
from cauri.operators.base import Availability
from cauri.operators.pawapay import ROUTES, PawaPay
from cauri.operators.pawapay.toolkit import PROVIDER_WORDS

CONF, PREDICT, DEPOSITS = "/v2/active-conf", "/v2/predict-provider", "/v2/deposits"


@pytest.fixture
async def pawapay(operator_by_path):
    connector = PawaPay(operator_by_path.url, "t0ken", start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


def conf(provider="ORANGE_CIV", currency="XOF", **operation):
    told = {"minAmount": "100", "maxAmount": "1500000", "decimalsInAmount": "NONE", "status": "OPERATIONAL", **operation}  # fmt: skip
    return {
        "companyName": "Chez Awa",
        "signatureConfiguration": {"signedRequestsOnly": False, "signedCallbacks": True},
        "countries": [
            {
                "country": "CIV",
                "providers": [
                    {
                        "provider": provider,
                        "currencies": [{"currency": currency, "operationTypes": {"DEPOSIT": told}}],
                    }
                ],
            }
        ],
    }


OPEN = Availability(True, 100, 1_500_000, "OPERATIONAL")
OPERATIONS = {
    "operational": ({}, OPEN),
    "delayed": ({"status": "DELAYED"}, Availability(True, 100, 1_500_000, "DELAYED")),
    "closed": ({"status": "CLOSED"}, Availability(False, 100, 1_500_000, "CLOSED")),
    "a word nobody listed closes nothing": ({"status": "SLEEPY"}, Availability(True, 100, 1_500_000, "SLEEPY")),
    "no bounds": ({"minAmount": None, "maxAmount": None}, Availability(True, words="OPERATIONAL")),
    "fractions: never wider than theirs": (
        {"minAmount": "0.5", "maxAmount": "99.99"},
        Availability(True, 1, 99, "OPERATIONAL"),
    ),
    "numbers": ({"minAmount": 5, "maxAmount": 10.0}, Availability(True, 5, 10, "OPERATIONAL")),
    "bounds that are no numbers": (
        {"minAmount": "-5", "maxAmount": "1e9"},
        Availability(True, words="OPERATIONAL"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "availability"), OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_a_providers_bounds_and_state(operator_by_path, pawapay, operation, availability):
    operator_by_path.at(CONF, conf(**operation))
    told = await pawapay.availability()
    assert told["OM"] == availability
    [seen] = operator_by_path.requests
    assert (seen.verb, seen.path) == ("GET", "/v2/active-conf?operationType=DEPOSIT")


async def test_a_method_that_the_account_does_not_have_is_not_open(operator_by_path, pawapay):
    operator_by_path.at(CONF, conf("ORANGE_COD", "USD"))
    told = await pawapay.availability()
    assert set(told) == set(ROUTES)
    assert [method for method, each in told.items() if each.open] == ["OMCDUSD"]
    assert told["OMCD"] == Availability(False, words="not configured for this account")


async def test_operation_types_may_also_be_a_list(operator_by_path, pawapay):
    answer = conf()
    currency = answer["countries"][0]["providers"][0]["currencies"][0]
    currency["operationTypes"] = [
        {"operationType": "PAYOUT", "minAmount": "1", "status": "CLOSED"},
        {"operationType": "DEPOSIT", **currency["operationTypes"]["DEPOSIT"]},
    ]
    operator_by_path.at(CONF, answer)
    assert (await pawapay.availability())["OM"] == OPEN


@pytest.mark.parametrize(
    "answer",
    [
        *NONSENSE.values(),
        {"countries": []},
        {"countries": [{"country": "CIV"}]},
        (401, reason("AUTHENTICATION_ERROR")),
        (500, conf()),
        HANG_UP,
    ],
)
async def test_an_answer_that_tells_nothing_closes_nothing(operator_by_path, pawapay, answer):
    operator_by_path.at(CONF, answer)
    assert await pawapay.availability() is None


def test_the_words_are_those_of_the_document():
    assert PROVIDER_WORDS == {"OPERATIONAL": True, "DELAYED": True, "CLOSED": False}


@pytest.mark.parametrize(("amount", "code"), [(50, Code.AMOUNT_TOO_LOW), (2_000_000, Code.AMOUNT_TOO_HIGH)])
async def test_out_of_bounds_is_too_low_or_too_high_by_the_bounds_last_told(
    operator_by_path, pawapay, order_of, amount, code
):
    operator_by_path.at(DEPOSITS, started("REJECTED", **reason("AMOUNT_OUT_OF_BOUNDS")))
    order = order_of("OM", amount=amount)
    assert await pawapay.start(order) == Refused(Code.AMOUNT_TOO_HIGH, "AMOUNT_OUT_OF_BOUNDS")
    operator_by_path.at(CONF, conf(), HANG_UP)
    await pawapay.availability()
    await pawapay.availability()
    assert await pawapay.start(order) == Refused(code, "AMOUNT_OUT_OF_BOUNDS")


async def test_a_number_belongs_to_the_provider_that_pawapay_predicts(operator_by_path, pawapay):
    operator_by_path.at(
        PREDICT, {"country": "CIV", "provider": "MTN_MOMO_CIV", "phoneNumber": "2250749012966"}
    )
    assert await pawapay.predict(PHONES["CI"]) == "MOMO"
    [seen] = operator_by_path.requests
    assert (seen.verb, seen.json) == ("POST", {"phoneNumber": "2250749012966"})


@pytest.mark.parametrize("method", ["OMCD", "MPESACD", "AIRTELCD"])
async def test_a_number_of_the_congo_predicts_the_method_in_francs(operator_by_path, pawapay, method):
    operator_by_path.at(PREDICT, {"country": "COD", "provider": ROUTES[method].provider})
    assert await pawapay.predict(PHONES["CD"]) == method


@pytest.mark.parametrize(
    "answer",
    [
        *NONSENSE.values(),
        {"country": "KEN", "provider": "MPESA_KEN"},
        (400, reason("INVALID_PHONE_NUMBER")),
        (500, {"provider": "MTN_MOMO_CIV"}),
        HANG_UP,
    ],
)
async def test_no_prediction_is_no_opinion(operator_by_path, pawapay, answer):
    operator_by_path.at(PREDICT, answer)
    assert await pawapay.predict(PHONES["CI"]) is None
