"""MTN's Collections: provisioning, tokens, requests to pay, status, and what stands around them."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from byteinnov_momo.common import TransactionState
from byteinnov_momo.mtn import MtnClient, MtnConfig, MtnCredentials, MtnHttpError, MtnProduct, RequestToPay

from cauri.simulator.dialects.mtn import Mtn, MtnAccount
from cauri.simulator.dialects.mtn.words import REASONS, TEST_NUMBERS, WORDS
from cauri.simulator.stories import FAILURE_CODES, NEVER, PAID

from .conftest import Sim, Start, basic

SANDBOX_KEY, CI_KEY, CM_KEY, GN_KEY, PAYOUT_KEY = "sub-sandbox", "sub-ci", "sub-cm", "sub-gn", "sub-payouts"
USER, KEY = "5b1e7a0e-6c6f-4c39-9c38-3d4e2a6f0c11", "f1db798c98df4bcf83b538175893bbf0"
PAYER = "2250500000001"


def country(key: str, environment: str, **more: Any) -> MtnAccount:
    user = str(uuid.uuid5(uuid.UUID(USER), environment))
    user = user[:14] + "4" + user[15:]
    host = {"callback_host": "127.0.0.1", "callback_scheme": "http"}
    return MtnAccount(key, environment, api_user=user, api_key=KEY, **(host | more))


CI, CM = country(CI_KEY, "mtnivorycoast"), country(CM_KEY, "mtncameroon")
ACCOUNTS = [
    MtnAccount(SANDBOX_KEY),
    MtnAccount(PAYOUT_KEY, product="disbursement"),
    CI,
    CM,
    country(GN_KEY, "mtnguineaconakry"),
]


class Momo:
    """A caller that holds one account's credentials; every request may be bent by `change`."""

    def __init__(
        self, sim: Sim, account: MtnAccount, user: str | None = None, key: str | None = None
    ) -> None:
        self.sim = sim
        self.account = account
        self.user = user or account.api_user or ""
        self.key = key or account.api_key or ""
        self.token = ""

    async def call(
        self, verb: str, path: str, headers: dict[str, str | None] | None = None, **more: Any
    ) -> tuple[int, Any]:
        own: dict[str, str | None] = {
            "ocp-apim-subscription-key": self.account.subscription_key,
            "x-target-environment": self.account.environment,
            "authorization": f"Bearer {self.token}",
        }
        sent = {name: value for name, value in (own | (headers or {})).items() if value is not None}
        async with self.sim.http.request(
            verb, self.sim.url + "/mtn" + path, headers=sent, **more
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else ""

    async def login(self, **headers: str | None) -> tuple[int, Any]:
        status, answer = await self.call(
            "POST", "/collection/token/", {"authorization": basic(self.user, self.key)} | headers
        )
        self.token = answer["access_token"] if status == 200 else self.token
        return status, answer

    async def pay(
        self, phone: str = PAYER, reference: str | None = None, headers: Any = None, **change: Any
    ) -> tuple[str, int, Any]:
        reference = reference or str(uuid.uuid4())
        body = {
            "amount": "1500",
            "currency": {"sandbox": "EUR", "mtncameroon": "XAF"}.get(self.account.environment, "XOF"),
            "externalId": "order-1",
            "payer": {"partyIdType": "MSISDN", "partyId": phone},
            "payerMessage": "Commande 1",
            "payeeNote": "Boutique",
            **change,
        }
        body = {name: value for name, value in body.items() if value is not ...}
        status, answer = await self.call(
            "POST",
            "/collection/v1_0/requesttopay",
            {"x-reference-id": reference, **(headers or {})},
            json=body,
        )
        return reference, status, answer

    async def state(self, reference: str) -> Any:
        status, answer = await self.call("GET", f"/collection/v1_0/requesttopay/{reference}")
        assert status == 200, answer
        return answer


async def provisioned(sim: Sim, host: str = "127.0.0.1") -> Momo:
    """A user of the sandbox with its key, logged in."""
    momo = Momo(sim, ACCOUNTS[0], user=str(uuid.uuid4()))
    created = await momo.call(
        "POST", "/v1_0/apiuser", {"x-reference-id": momo.user}, json={"providerCallbackHost": host}
    )
    assert created == (201, "")
    status, answer = await momo.call("POST", f"/v1_0/apiuser/{momo.user}/apikey")
    assert status == 201
    momo.key = answer["apiKey"]
    assert (await momo.login())[0] == 200
    return momo


@pytest.fixture
async def mtn(start: Start) -> AsyncIterator[Sim]:
    async with start(dialects=[lambda exchange, url: Mtn(exchange, ACCOUNTS)]) as sim:
        yield sim


@pytest.fixture
async def slow(start: Start) -> AsyncIterator[Sim]:
    async with start(10, dialects=[lambda exchange, url: Mtn(exchange, ACCOUNTS)]) as sim:
        yield sim


@pytest.fixture
async def ci(mtn: Sim) -> Momo:
    momo = Momo(mtn, CI)
    assert (await momo.login())[0] == 200
    return momo


def callback_url(sim: Sim) -> str:
    return sim.callback_url + "/mtn"


# Provisioning


async def test_the_sandbox_makes_its_own_user_and_key(mtn: Sim) -> None:
    momo = await provisioned(mtn, "shop.example.ci")
    assert len(momo.key) == 32
    assert int(momo.key, 16) >= 0
    assert await momo.call("GET", f"/v1_0/apiuser/{momo.user}") == (
        200,
        {"providerCallbackHost": "shop.example.ci", "targetEnvironment": "sandbox"},
    )


async def test_provisioning_is_refused_as_documented(mtn: Sim) -> None:
    momo, host = await provisioned(mtn), {"providerCallbackHost": "shop.example.ci"}
    make = ("POST", "/v1_0/apiuser")
    status, answer = await momo.call(*make, {"x-reference-id": momo.user}, json=host)
    assert (status, answer["code"]) == (409, "RESOURCE_ALREADY_EXIST")
    for not_a_uuid in (None, "", "order-1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"):
        assert (await momo.call(*make, {"x-reference-id": not_a_uuid}, json=host))[0] == 400
    for bad in ("https://shop.example.ci", "shop.example.ci/x", "shop.example.ci:80", "", None, 5):
        new = {"x-reference-id": str(uuid.uuid4())}
        assert (await momo.call(*make, new, json={"providerCallbackHost": bad}))[0] == 400, bad
    assert (await momo.call("GET", f"/v1_0/apiuser/{uuid.uuid4()}"))[0] == 404
    assert (await momo.call("POST", f"/v1_0/apiuser/{uuid.uuid4()}/apikey"))[0] == 404


async def test_only_keys_of_the_sandbox_provision(mtn: Sim) -> None:
    for key, allowed in ((PAYOUT_KEY, True), (CI_KEY, False), ("unknown", False), (None, False)):
        headers = {"ocp-apim-subscription-key": key, "x-reference-id": str(uuid.uuid4())}
        status, _ = await Momo(mtn, ACCOUNTS[0]).call(
            "POST", "/v1_0/apiuser", headers, json={"providerCallbackHost": "x.ci"}
        )
        assert status == (201 if allowed else 401), key


async def test_a_new_key_ends_the_old_one_and_its_tokens(mtn: Sim) -> None:
    momo = await provisioned(mtn)
    assert (await momo.pay("46733123999"))[1] == 202
    _, answer = await momo.call("POST", f"/v1_0/apiuser/{momo.user}/apikey")
    assert (await momo.pay("46733123999"))[1] == 401
    assert await momo.login() == (401, {"error": "login_failed"})
    momo.key = answer["apiKey"]
    assert (await momo.login())[0] == 200


# Tokens


async def test_a_token_lives_an_hour_of_the_clock_and_several_live_at_once(mtn: Sim) -> None:
    one, two = Momo(mtn, CI), Momo(mtn, CI)
    status, answer = await one.login()
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "access_token", 3600)
    mtn.clock.advance(1_000)
    await two.login()
    mtn.clock.advance(3_598_999)
    assert [(await momo.pay())[1] for momo in (one, two)] == [202, 202]
    mtn.clock.advance(1)
    assert [(await momo.pay())[1] for momo in (one, two)] == [401, 202]
    await one.login()
    assert (await one.pay())[1] == 202


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic !!", "Basic /w==", "Bearer x", basic(str(CI.api_user), "wrong"),
     basic(USER, KEY), basic(str(CM.api_user), KEY)],
)  # fmt: skip
async def test_a_wrong_pair_fails_to_log_in(mtn: Sim, authorization: str | None) -> None:
    momo = Momo(mtn, CI)
    assert await momo.login(authorization=authorization) == (401, {"error": "login_failed"})


@pytest.mark.parametrize("key", [None, "", "unknown", PAYOUT_KEY])
async def test_a_subscription_key_is_one_products(ci: Momo, key: str | None) -> None:
    header = {"ocp-apim-subscription-key": key}
    for status, answer in (await ci.login(**header), (await ci.pay(headers=header))[1:]):
        assert (status, answer["statusCode"]) == (401, 401)
        assert answer["message"].startswith("Access denied due to")


async def test_a_token_takes_no_body_but_its_length(mtn: Sim) -> None:
    momo, who = Momo(mtn, CI), {"authorization": basic(str(CI.api_user), KEY)}
    assert (await momo.call("POST", "/collection/token/", who, data=b"x"))[0] == 400
    reader, writer = await asyncio.open_connection("127.0.0.1", int(mtn.url.split(":")[2].split("/")[0]))
    path = "/" + mtn.url.split("/", 3)[3] + "/mtn/collection/token/"
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", f"Ocp-Apim-Subscription-Key: {CI_KEY}"]
    writer.write("\r\n".join([*lines, f"Authorization: {who['authorization']}", "", ""]).encode())
    assert b"411" in await reader.readline()
    writer.close()


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", basic(str(CI.api_user), KEY)])
async def test_every_collection_door_wants_a_token(ci: Momo, authorization: str | None) -> None:
    reference, *_ = await ci.pay()
    for verb, path in (
        ("POST", "/requesttopay"),
        ("GET", f"/requesttopay/{reference}"),
        ("POST", f"/requesttopay/{reference}/deliverynotification"),
        ("GET", f"/accountholder/msisdn/{PAYER}/active"),
        ("GET", "/account/balance"),
    ):
        status, answer = await ci.call(verb, "/collection/v1_0" + path, {"authorization": authorization})
        assert (status, answer["code"]) == (401, "UNAUTHORIZED"), path


async def test_an_environment_must_be_the_accounts_own(ci: Momo) -> None:
    for other in ("sandbox", "mtncameroon", "mtnmoon"):
        _, status, answer = await ci.pay(headers={"x-target-environment": other})
        assert (status, answer["code"]) == (500, "NOT_ALLOWED_TARGET_ENVIRONMENT")
    assert (await ci.pay(headers={"x-target-environment": None}))[1] == 400
    _, status, answer = await ci.pay(headers={"ocp-apim-subscription-key": CM_KEY})
    assert (status, answer["code"]) == (500, "NOT_ALLOWED_TARGET_ENVIRONMENT")
    assert await ci.sim.debits() == []


# Requests to pay


async def test_a_request_is_202_and_empty_then_created_pending_successful(slow: Sim) -> None:
    momo = Momo(slow, CI)
    await momo.login()
    reference, status, answer = await momo.pay()
    assert (status, answer) == (202, "")
    before = await momo.state(reference)
    assert before == {
        "amount": "1500",
        "currency": "XOF",
        "externalId": "order-1",
        "payer": {"partyIdType": "MSISDN", "partyId": PAYER},
        "payerMessage": "Commande 1",
        "payeeNote": "Boutique",
        "status": "CREATED",
    }
    slow.clock.advance(1_000)
    assert (await momo.state(reference))["status"] == "PENDING"
    assert await slow.debits() == []
    slow.clock.advance(9_000)
    after = await momo.state(reference)
    assert (after["status"], after["financialTransactionId"].isdigit()) == ("SUCCESSFUL", True)
    assert reference not in json.dumps(after)
    (debit,) = await slow.debits()
    assert (debit["dialect"], debit["reference"], debit["phone"]) == ("mtn", reference, PAYER)
    assert (debit["amount"], debit["currency"]) == ("1500", "XOF")


async def test_the_same_reference_id_again_is_409_and_debits_nobody_twice(ci: Momo) -> None:
    reference = str(uuid.uuid4())
    answers = await asyncio.gather(*(ci.pay(reference=reference) for _ in range(8)))
    assert sorted(status for _, status, _ in answers) == [202] + [409] * 7
    assert {a["code"] for _, s, a in answers if s == 409} == {"RESOURCE_ALREADY_EXIST"}
    assert (await ci.pay("2250500000602", reference.upper()))[1] == 409
    assert len(await ci.sim.debits()) == 1


@pytest.mark.parametrize(
    ("environment", "phone", "currency"),
    [
        ("mtnivorycoast", "2250500000001", "XOF"),
        ("mtncameroon", "237650000001", "XAF"),
        ("mtnguineaconakry", "224660000001", "GNF"),
    ],
)
async def test_each_country_has_its_currency(mtn: Sim, environment: str, phone: str, currency: str) -> None:
    momo = Momo(mtn, next(account for account in ACCOUNTS if account.environment == environment))
    await momo.login()
    reference, status, _ = await momo.pay(phone, currency=currency)
    assert (status, (await momo.state(reference))["status"]) == (202, "SUCCESSFUL")
    for other in {"XOF", "XAF", "GNF", "EUR"} - {currency}:
        _, status, answer = await momo.pay(phone, currency=other)
        assert (status, answer["code"]) == (500, "INVALID_CURRENCY")
    (debit,) = await mtn.debits()
    assert debit["currency"] == currency


async def test_the_sandbox_takes_euros_only(mtn: Sim) -> None:
    momo = await provisioned(mtn)
    assert (await momo.pay("46733123999", amount="9.50"))[1] == 202
    for currency in ("XOF", "XAF", "GNF", "USD"):
        _, status, answer = await momo.pay("46733123999", currency=currency)
        assert (status, answer["code"]) == (500, "INVALID_CURRENCY")


async def test_one_country_knows_nothing_of_anothers_requests(mtn: Sim, ci: Momo) -> None:
    reference, *_ = await ci.pay()
    cm = Momo(mtn, CM)
    await cm.login()
    status, answer = await cm.call("GET", f"/collection/v1_0/requesttopay/{reference}")
    assert (status, answer["code"]) == (404, "RESOURCE_NOT_FOUND")


async def test_an_unknown_reference_is_404_and_a_malformed_one_400(ci: Momo) -> None:
    path = "/collection/v1_0/requesttopay/"
    status, answer = await ci.call("GET", path + str(uuid.uuid4()))
    assert (status, answer["code"]) == (404, "RESOURCE_NOT_FOUND")
    for bad in ("order-1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "1" * 40):
        assert (await ci.call("GET", path + bad))[0] == 400


MSISDN = {"partyIdType": "MSISDN", "partyId": PAYER}
BAD_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"amount": 1500}, "amount"),
    ({"amount": "0"}, "amount"),
    ({"amount": "-5"}, "amount"),
    ({"amount": "0150"}, "amount"),
    ({"amount": "1500.00"}, "amount"),
    ({"amount": "1e3"}, "amount"),
    ({"amount": None}, "amount"),
    ({"amount": ...}, "amount"),
    ({"currency": 952}, "currency"),
    ({"currency": ""}, "currency"),
    ({"externalId": 7}, "externalId"),
    ({"externalId": ...}, "externalId"),
    ({"payer": PAYER}, "payer"),
    ({"payer": ...}, "payer"),
    ({"payer": {"partyId": PAYER}}, "payer.partyIdType"),
    ({"payer": MSISDN | {"partyIdType": "msisdn"}}, "payer.partyIdType"),
    ({"payer": MSISDN | {"partyId": "+" + PAYER}}, "payer.partyId"),
    ({"payer": MSISDN | {"partyId": 2250500000001}}, "payer.partyId"),
    ({"payer": MSISDN | {"partyId": "0500000001"}}, "payer.partyId"),
    ({"payer": MSISDN | {"name": "x"}}, "payer.name"),
    ({"payer": {"partyIdType": "EMAIL", "partyId": "x"}}, "payer.partyId"),
    ({"payer": {"partyIdType": "PARTY_CODE", "partyId": "x"}}, "payer.partyId"),
    ({"payerMessage": "l'huile"}, "payerMessage"),
    ({"payeeNote": "sel & poivre"}, "payeeNote"),
    ({"payerMessage": "x" * 129}, "payerMessage"),
    ({"payeeNote": ""}, "payeeNote"),
    ({"payerMessage": 5}, "payerMessage"),
    ({"callbackUrl": "http://127.0.0.1/"}, "callbackUrl"),
    ({"referenceId": "x"}, "referenceId"),
]


@pytest.mark.parametrize(("change", "field"), BAD_REQUESTS)
async def test_a_bad_request_is_refused_by_field(ci: Momo, change: dict[str, Any], field: str) -> None:
    reference, status, answer = await ci.pay(**change)
    assert (status, answer["code"]) == (400, "VALIDATION_ERROR")
    assert answer["message"].startswith(field)
    assert (await ci.call("GET", f"/collection/v1_0/requesttopay/{reference}"))[0] == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 5000, b"x" * 70_000])
async def test_a_body_that_is_no_json_object_is_refused(ci: Momo, body: bytes) -> None:
    headers = {"x-reference-id": str(uuid.uuid4()), "content-type": "application/json"}
    assert (await ci.call("POST", "/collection/v1_0/requesttopay", headers, data=body))[0] == 400


@pytest.mark.parametrize("reference", [None, "", "order-1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
async def test_a_reference_id_is_a_uuid_of_version_4(ci: Momo, reference: str | None) -> None:
    _, status, answer = await ci.pay(headers={"x-reference-id": reference})
    assert (status, answer["message"]) == (400, "X-Reference-Id must be a UUID of version 4")


async def test_a_form_is_not_json(ci: Momo) -> None:
    headers = {"x-reference-id": str(uuid.uuid4()), "content-type": "text/plain"}
    assert (await ci.call("POST", "/collection/v1_0/requesttopay", headers, data=b"{}"))[0] == 400


async def test_the_sandbox_takes_empty_texts_and_countries_want_them_left_out(mtn: Sim, ci: Momo) -> None:
    sandbox, empty = await provisioned(mtn), {"payerMessage": "", "payeeNote": ""}
    assert (await sandbox.pay("46733123999", **empty))[1] == 202
    assert (await ci.pay(**empty))[1] == 400
    assert (await ci.pay(payerMessage=..., payeeNote=...))[1] == 202


async def test_payers_by_mail_or_code_have_no_wallet_here(ci: Momo) -> None:
    for kind, who in (("EMAIL", "awa@example.ci"), ("PARTY_CODE", str(uuid.uuid4()))):
        reference, status, _ = await ci.pay(payer={"partyIdType": kind, "partyId": who})
        assert (status, (await ci.state(reference))["reason"]) == (202, "PAYER_NOT_FOUND")


async def test_a_number_of_another_country_is_no_payer(ci: Momo) -> None:
    reference, status, _ = await ci.pay("237650000001")
    assert (status, (await ci.state(reference))["reason"]) == (202, "PAYER_NOT_FOUND")


# Outcomes


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_number_ends_in_the_code_of_its_last_digits(ci: Momo, code: str) -> None:
    reference, status, answer = await ci.pay(f"2250500000{code}")
    if code in ("636", "804"):
        assert (status, answer["code"]) == (
            (400, "VALIDATION_ERROR") if code == "636" else (503, WORDS[code])
        )
        assert (await ci.call("GET", f"/collection/v1_0/requesttopay/{reference}"))[0] == 404
    else:
        assert (status, answer) == (202, "")
        state = await ci.state(reference)
        assert (state["status"], state["reason"]) == ("FAILED", WORDS[code])
        assert "financialTransactionId" not in state
    assert await ci.sim.debits() == []


def test_each_failure_has_a_word_and_no_two_share_one() -> None:
    assert set(WORDS) == set(FAILURE_CODES)
    assert len(set(WORDS.values())) == len(WORDS)
    own = {code: word for code, word in WORDS.items() if not word.startswith("CAURI_")}
    assert own == {
        "600": "INTERNAL_PROCESSING_ERROR",
        "602": "NOT_ENOUGH_FUNDS",
        "603": "PAYEE_NOT_ALLOWED_TO_RECEIVE",
        "627": "APPROVAL_REJECTED",
        "635": "PAYER_NOT_FOUND",
        "636": "VALIDATION_ERROR",
        "804": "SERVICE_UNAVAILABLE",
        "808": "PAYER_LIMIT_REACHED",
    }


SANDBOX_PAYERS = {
    "450": "INTERNAL_PROCESSING_ERROR",
    "451": "APPROVAL_REJECTED",
    "452": "EXPIRED",
    "455": "PAYER_NOT_FOUND",
    "456": "PAYEE_NOT_ALLOWED_TO_RECEIVE",
    "457": "NOT_ALLOWED",
    "458": "NOT_ALLOWED_TARGET_ENVIRONMENT",
    "459": "INVALID_CALLBACK_URL_HOST",
    "460": "INVALID_CURRENCY",
    "461": "INTERNAL_PROCESSING_ERROR",
    "462": "SERVICE_UNAVAILABLE",
    "463": "COULD_NOT_PERFORM_TRANSACTION",
}


@pytest.mark.parametrize(("ending", "reason"), SANDBOX_PAYERS.items())
async def test_mtns_own_payers_end_as_in_its_sandbox(mtn: Sim, ending: str, reason: str) -> None:
    momo = await provisioned(mtn)
    reference, status, answer = await momo.pay("46733123" + ending)
    state = await momo.state(reference)
    assert (status, answer, state["status"], state["reason"]) == (202, "", "FAILED", reason)
    assert REASONS["46733123" + ending] == reason


async def test_453_stays_pending_and_454_takes_half_a_minute(mtn: Sim) -> None:
    momo = await provisioned(mtn)
    never, *_ = await momo.pay("46733123453")
    late, *_ = await momo.pay("46733123454")
    said = []
    for advance_s in (0, 9, 1, 19, 1, 3000):
        mtn.clock.advance(advance_s * 1000)
        said.append([(await momo.state(reference))["status"] for reference in (never, late)])
    assert [one for one, _ in said] == ["CREATED", *["PENDING"] * 5]
    assert [two for _, two in said] == [
        "CREATED",
        "CREATED",
        "PENDING",
        "PENDING",
        "SUCCESSFUL",
        "SUCCESSFUL",
    ]
    assert (TEST_NUMBERS["46733123453"].outcome, TEST_NUMBERS["46733123454"].outcome) == (NEVER, PAID)


async def test_mtns_own_payers_mean_nothing_in_a_country(ci: Momo) -> None:
    reference, *_ = await ci.pay("46733123452")
    assert (await ci.state(reference))["reason"] == "PAYER_NOT_FOUND"


async def test_the_control_plane_overrules_mtns_own_payers(mtn: Sim) -> None:
    momo = await provisioned(mtn)
    await mtn.story("46733123452", outcome="602")
    reference, *_ = await momo.pay("46733123452")
    assert (await momo.state(reference))["reason"] == "NOT_ENOUGH_FUNDS"
    await mtn.post("/_control/settle", {"reference": reference, "outcome": "paid"})
    assert (await momo.state(reference))["status"] == "SUCCESSFUL"
    await mtn.post("/_control/settle", {"reference": reference, "outcome": "627"})
    assert (await momo.state(reference))["reason"] == "APPROVAL_REJECTED"
    (debit,) = await mtn.debits()
    assert debit["taken_back_at"] is not None


async def test_what_the_operator_claims_is_in_status_and_books(ci: Momo) -> None:
    await ci.sim.story(PAYER, amount="1400", currency="XAF")
    reference, *_ = await ci.pay()
    state = await ci.state(reference)
    (debit,) = await ci.sim.debits()
    assert (state["amount"], state["currency"]) == (debit["amount"], debit["currency"]) == ("1400", "XAF")


# Callbacks


async def test_the_callback_is_one_put_with_the_status_body(ci: Momo) -> None:
    url = callback_url(ci.sim)
    ci.sim.receiver.answers = [500]
    reference, status, _ = await ci.pay(headers={"x-callback-url": url})
    assert status == 202
    told = await ci.sim.receiver.next()
    assert told == await ci.state(reference)
    ci.sim.clock.advance(86_400_000)
    _, tries = await ci.sim.get("/_control/callbacks")
    assert [(one["reference"], one["said"]) for one in tries["callbacks"]] == [(reference, "SUCCESSFUL")]
    ((verb, headers, raw),) = ci.sim.receiver.requests
    assert (verb, headers["content-type"]) == ("PUT", "application/json")
    assert reference.encode() not in raw


async def test_a_failure_is_called_back_as_well(ci: Momo) -> None:
    await ci.pay("2250500000602", headers={"x-callback-url": callback_url(ci.sim)})
    told = await ci.sim.receiver.next()
    assert (told["status"], told["reason"]) == ("FAILED", "NOT_ENOUGH_FUNDS")


async def test_callbacks_are_doubled_lost_and_early_by_the_story(ci: Momo) -> None:
    headers = {"x-callback-url": callback_url(ci.sim)}
    await ci.sim.story(PAYER, callback="twice")
    await ci.pay(headers=headers)
    assert [(await ci.sim.receiver.next())["status"] for _ in range(2)] == ["SUCCESSFUL"] * 2
    await ci.pay("2250500000130", headers=headers)
    await ci.sim.story(PAYER, callback="before_answer", delay_s=60)
    await ci.pay(headers=headers)
    assert ci.sim.receiver.waiting() == 1
    assert len(await ci.sim.debits()) == 3


async def test_without_a_callback_url_nobody_is_called(ci: Momo) -> None:
    await ci.sim.story(PAYER, callback="before_answer")
    await ci.pay()
    await ci.pay()
    assert (await ci.sim.get("/_control/callbacks"))[1] == {"callbacks": []}


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("", 400, "VALIDATION_ERROR"),
        ("not a url", 400, "VALIDATION_ERROR"),
        ("/callback", 400, "VALIDATION_ERROR"),
        ("http://127.0.0.1/cb?x=1", 400, "VALIDATION_ERROR"),
        ("http://127.0.0.1/cb?", 400, "VALIDATION_ERROR"),
        ("http://127.0.0.1/cb#x", 400, "VALIDATION_ERROR"),
        ("https://127.0.0.1/cb", 400, "VALIDATION_ERROR"),
        ("http://[::1/cb", 400, "VALIDATION_ERROR"),
        ("http://elsewhere.example/cb", 500, "INVALID_CALLBACK_URL_HOST"),
        ("http://127.0.0.1.example/cb", 500, "INVALID_CALLBACK_URL_HOST"),
        ("http://127.0.0.1:8080/cb", 202, None),
    ],
)
async def test_a_callback_goes_to_the_registered_host_only(
    ci: Momo, url: str, status: int, code: str | None
) -> None:
    _, answered, answer = await ci.pay("2250500000130", headers={"x-callback-url": url})
    assert (answered, answer["code"] if answer else None) == (status, code)


async def test_countries_want_https_callbacks_and_the_sandbox_http(start: Start) -> None:
    strict = country(CI_KEY, "mtnivorycoast", callback_scheme=None, callback_host="shop.example.ci")
    accounts = [MtnAccount(SANDBOX_KEY), strict]
    async with start(dialects=[lambda exchange, url: Mtn(exchange, accounts)]) as sim:
        momo, sandbox = Momo(sim, strict), await provisioned(sim, "shop.example.ci")
        await momo.login()
        for who, phone, wanted in ((momo, "2250500000130", "https"), (sandbox, "46733123130", "http")):
            for scheme in ("http", "https"):
                _, status, _ = await who.pay(
                    phone, headers={"x-callback-url": f"{scheme}://shop.example.ci/cb"}
                )
                assert status == (202 if scheme == wanted else 400)


# Faults


async def test_every_fault_on_starting(ci: Momo) -> None:
    async def fault(answer: str) -> tuple[str, int | None]:
        reference = str(uuid.uuid4())
        await ci.sim.story(PAYER, answer=answer)
        try:
            status = (await ci.pay(reference=reference))[1]
        except (aiohttp.ClientError, ValueError):
            status = None
        return reference, status

    async def known(reference: str) -> int:
        return (await ci.call("GET", f"/collection/v1_0/requesttopay/{reference}"))[0]

    seen = {name: await fault(name) for name in ("drop_before", "drop_after", "500", "nonsense")}
    assert {name: status for name, (_, status) in seen.items()} == {
        "drop_before": None, "drop_after": None, "500": 500, "nonsense": None,
    }  # fmt: skip
    assert [await known(reference) for reference, _ in seen.values()] == [404, 200, 200, 200]
    assert len(await ci.sim.debits()) == 3


async def test_a_slow_answer_waits_for_the_clock(ci: Momo) -> None:
    await ci.sim.story(PAYER, answer="slow:30")
    waiting = asyncio.ensure_future(ci.pay())
    while not await ci.sim.debits():
        await asyncio.sleep(0)
    assert not waiting.done()
    ci.sim.clock.advance(30_000)
    assert (await waiting)[1] == 202


# Around it


async def test_an_account_holder_is_asked_before_the_prompt(mtn: Sim, ci: Momo) -> None:
    async def active(momo: Momo, number: str) -> tuple[int, Any]:
        return await momo.call("GET", f"/collection/v1_0/accountholder/msisdn/{number}/active")

    assert await active(ci, PAYER) == (200, {"result": True})
    assert await active(ci, "2250500000635") == (200, {"result": False})
    assert await active(ci, "237650000001") == (200, {"result": False})
    assert (await active(ci, "+" + PAYER))[0] == 400
    sandbox = await provisioned(mtn)
    answers = {
        ending: await active(sandbox, "46733123" + ending) for ending in ("450 451 452 453 454 455").split()
    }
    assert {ending: (status, answer.get("code", answer.get("result"))) for ending, (status, answer) in answers.items()} == {
        "450": (404, "RESOURCE_NOT_FOUND"),
        "451": (200, False),
        "452": (500, "NOT_ALLOWED"),
        "453": (500, "NOT_ALLOWED_TARGET_ENVIRONMENT"),
        "454": (500, "INTERNAL_PROCESSING_ERROR"),
        "455": (503, "SERVICE_UNAVAILABLE"),
    }  # fmt: skip


async def test_the_balance_is_what_was_collected_in_the_country(mtn: Sim, ci: Momo) -> None:
    for phone in (PAYER, PAYER, "2250500000602"):
        await ci.pay(phone)
    path = "/collection/v1_0/account/balance"
    assert await ci.call("GET", path) == (200, {"availableBalance": "3000", "currency": "XOF"})
    sandbox = await provisioned(mtn)
    assert await sandbox.call("GET", path) == (200, {"availableBalance": "0.00", "currency": "EUR"})
    await mtn.post("/_control/reset", {})
    assert (await ci.call("GET", path))[1]["availableBalance"] == "0"


async def test_a_payer_is_notified_of_a_delivery_once_and_in_time(slow: Sim) -> None:
    momo = Momo(slow, CI)
    await momo.login()
    reference, *_ = await momo.pay()
    late, *_ = await momo.pay()

    async def notify(which: str, body: Any = None, header: str | None = None) -> int:
        path = f"/collection/v1_0/requesttopay/{which}/deliverynotification"
        return (await momo.call("POST", path, {"notificationmessage": header}, json=body))[0]

    message = {"notificationMessage": "Livré demain"}
    assert await notify(reference, message) == 409
    slow.clock.advance(10_000)
    assert await notify(str(uuid.uuid4()), message) == 404
    for bad in ({}, {"notificationMessage": ""}, {"notificationMessage": "x" * 161}, {"message": "x"}, []):
        assert await notify(reference, bad) == 400
    assert await notify(reference, message) == 200
    assert await notify(reference, message) == 429
    assert await notify(reference, {}, "Livre demain") == 429
    slow.clock.advance(3_580_000)
    await momo.login()
    slow.clock.advance(30_000)
    assert await notify(late, {}, "Livre demain") == 410


async def test_status_queries_have_a_cap_where_the_account_says_so(start: Start) -> None:
    capped = country(CI_KEY, "mtnivorycoast", polls_per_second=10)
    async with start(dialects=[lambda exchange, url: Mtn(exchange, [capped])]) as sim:
        momo = Momo(sim, capped)
        await momo.login()
        path = f"/collection/v1_0/requesttopay/{(await momo.pay())[0]}"
        assert [(await momo.call("GET", path))[0] for _ in range(11)] == [200] * 10 + [429]
        sim.clock.advance(1_000)
        assert (await momo.call("GET", path))[0] == 200


async def test_a_reset_forgets_payments_and_keeps_credentials(ci: Momo) -> None:
    reference, *_ = await ci.pay()
    await ci.sim.post("/_control/reset", {})
    assert (await ci.call("GET", f"/collection/v1_0/requesttopay/{reference}"))[0] == 404
    assert (await ci.pay(reference=reference))[1] == 202


def test_accounts_are_checked_when_they_are_made() -> None:
    for bad in (
        {"environment": "mtnmoon"},
        {"environment": "mtnivorycoast"},
        {"environment": "mtnivorycoast", "api_user": USER},
        {"api_key": KEY},
    ):
        with pytest.raises(ValueError, match=r"environment must be|go together|only the sandbox"):
            MtnAccount("key", **bad)  # type: ignore[arg-type]


# A client that others wrote: byteinnov-momo


async def test_an_independent_client_provisions_pays_and_asks(mtn: Sim) -> None:
    await asyncio.to_thread(play_the_independent_client, mtn.url + "/mtn", callback_url(mtn))
    assert [(await mtn.receiver.next())["externalId"] for _ in range(2)] == ["CMD-1", "CMD-2"]
    assert {verb for verb, _, _ in mtn.receiver.requests} == {"PUT"}


def play_the_independent_client(url: str, callback_url: str) -> None:
    user = str(uuid.uuid4())
    setup = MtnClient(MtnConfig(url, "sandbox"))
    setup.create_sandbox_api_user(SANDBOX_KEY, user, "127.0.0.1")
    key = setup.create_sandbox_api_key(SANDBOX_KEY, user)
    wallet = MtnCredentials(SANDBOX_KEY, user, key)
    client = MtnClient(MtnConfig(url, "sandbox", collection=wallet, callback_url=callback_url))

    def pay(order: str, payer: str, currency: str = "EUR", reference: str | None = None) -> str:
        wanted = RequestToPay("100", currency, order, payer)
        return client.request_to_pay(reference or str(uuid.uuid4()), wanted)

    paid = pay("CMD-1", "46733123999")
    status = client.get_request_to_pay_status(paid)
    assert (status.state, status.external_id, status.amount) == (TransactionState.SUCCESS, "CMD-1", "100")
    refused = client.get_request_to_pay_status(pay("CMD-2", "46733123451"))
    assert (refused.state, refused.reason_code) == (TransactionState.CANCELLED, "APPROVAL_REJECTED")
    waiting = client.get_request_to_pay_status(pay("CMD-3", "46733123454"))
    assert (waiting.state, waiting.status) == (TransactionState.PENDING, "CREATED")
    with pytest.raises(MtnHttpError) as again:
        pay("CMD-1", "46733123999", reference=paid)
    assert (again.value.status_code, again.value.code) == (409, "RESOURCE_ALREADY_EXIST")
    with pytest.raises(MtnHttpError) as currency:
        pay("CMD-4", "46733123999", "XOF")
    assert (currency.value.status_code, currency.value.code) == (500, "INVALID_CURRENCY")
    assert client.is_account_holder_active(MtnProduct.COLLECTION, "46733123999")
    assert not client.is_account_holder_active(MtnProduct.COLLECTION, "46733123451")
    assert client.get_balance(MtnProduct.COLLECTION).available_balance == "100.00"
