"""Wave's checkout sessions: created once per key, asked for in three ways, expired, told by webhook."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from wave_business_api import WaveClient, WebhookVerifier
from wave_business_api.exceptions import (
    WaveAuthError,
    WaveIdempotencyError,
    WaveNotFoundError,
    WaveValidationError,
    WaveWebhookError,
)

from cauri.simulator.dialects.wave import Wave, WaveAccount, WaveWebhook
from cauri.simulator.dialects.wave.accounts import signature_header
from cauri.simulator.dialects.wave.webhooks import GAPS_S
from cauri.simulator.dialects.wave.words import WORDS
from cauri.simulator.stories import FAILURE_CODES

from .conftest import Sim, Start

KEY, OTHER_KEY, SIGNED_KEY = "wave_ci_prod_key", "wave_sn_prod_key", "wave_ml_prod_key"
OLD_SECRET, NEW_SECRET, SHARED = "wave_sn_WHS_old", "wave_sn_WHS_new", "wave_sn_WHS_shared"
REQUEST_SECRET = "wave_sn_AKS_request"
PAYER = "2250700000001"
SESSIONS = "/wave/v1/checkout/sessions"


def dialects(sim_hooks: str = "", **settings: Any) -> list[Any]:
    """Wave with three wallets; the first one's webhook is signed, the second's carries the shared secret."""

    def make(exchange: Any, url: str) -> Wave:
        hook = sim_hooks + "/" + url.rsplit("/", 1)[1]
        accounts = [
            WaveAccount(KEY, webhooks=(WaveWebhook(hook, (OLD_SECRET, NEW_SECRET)),)),
            WaveAccount(OTHER_KEY, webhooks=(WaveWebhook(hook, shared_secret=SHARED),)),
            WaveAccount(SIGNED_KEY, request_secrets=(REQUEST_SECRET,)),
            WaveAccount("gm", currency="GMD"),
            *[WaveAccount(problem, problem=problem) for problem in PROBLEMS],
        ]
        return Wave(exchange, accounts, url, **settings)

    return [make]


PROBLEMS = {"api-key-revoked": 401, "invalid-wallet": 403, "disabled-wallet": 403, "unauthorized-wallet": 403}


@pytest.fixture
async def wave(start: Start, merchant: tuple[str, Any]) -> AsyncIterator[Sim]:
    async with start(dialects=dialects(merchant[0])) as sim:
        yield sim


@pytest.fixture
async def slow(start: Start, merchant: tuple[str, Any]) -> AsyncIterator[Sim]:
    async with start(10, dialects=dialects(merchant[0])) as sim:
        yield sim


async def call(
    sim: Sim, verb: str, path: str, key: str | None = f"Bearer {KEY}", headers: Any = None, **more: Any
) -> tuple[int, Any]:
    sent = ({"authorization": key} if key is not None else {}) | (headers or {})
    async with sim.http.request(verb, sim.url + path, headers=sent, **more) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else ""


def a_session(**change: Any) -> dict[str, Any]:
    body = {
        "amount": "1500",
        "currency": "XOF",
        "success_url": "https://shop.example.ci/ok",
        "error_url": "https://shop.example.ci/error",
        "client_reference": "order-1",
        "restrict_payer_mobile": "+" + PAYER,
        **change,
    }
    return {name: value for name, value in body.items() if value is not ...}


async def create(sim: Sim, key: str = KEY, headers: Any = None, **change: Any) -> tuple[int, Any]:
    return await call(sim, "POST", SESSIONS, f"Bearer {key}", headers, json=a_session(**change))


async def created(sim: Sim, **change: Any) -> Any:
    status, session = await create(sim, **change)
    assert status == 200, session
    return session


async def get(sim: Sim, session_id: str, key: str = KEY) -> Any:
    status, session = await call(sim, "GET", f"{SESSIONS}/{session_id}", f"Bearer {key}")
    assert status == 200, session
    return session


async def press(sim: Sim, session: Any, answer: str = "approve", **form: str) -> str:
    """Presses a button of the launch page; where it leads."""
    async with sim.http.post(
        session["wave_launch_url"], data={"answer": answer, **form}, allow_redirects=False
    ) as response:
        assert response.status == 303, await response.text()
        return response.headers["location"]


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Sessions


async def test_a_new_session_is_open_for_half_an_hour(wave: Sim) -> None:
    session = await created(wave)
    assert re.fullmatch(r"cos-[0-9a-z]+", session["id"])
    assert session == {
        "id": session["id"],
        "amount": "1500",
        "currency": "XOF",
        "business_name": "Cauri sandbox",
        "client_reference": "order-1",
        "success_url": "https://shop.example.ci/ok",
        "error_url": "https://shop.example.ci/error",
        "restrict_payer_mobile": "+" + PAYER,
        "checkout_status": "open",
        "payment_status": "processing",
        "last_payment_error": None,
        "wave_launch_url": f"{wave.url}/wave/c/{session['id']}",
        "when_created": moment(wave.clock.now()),
        "when_expires": moment(wave.clock.now() + 1_800_000),
    }
    assert await get(wave, session["id"]) == session
    assert await wave.debits() == []


async def test_a_paid_session_is_complete_and_found_in_three_ways(wave: Sim) -> None:
    session = await created(wave)
    assert await press(wave, session) == "https://shop.example.ci/ok"
    paid = await get(wave, session["id"])
    assert (paid["checkout_status"], paid["payment_status"]) == ("complete", "succeeded")
    assert paid["when_completed"] == moment(wave.clock.now())
    assert await call(wave, "GET", f"{SESSIONS}?transaction_id={paid['transaction_id']}") == (200, paid)
    assert await call(wave, "GET", f"{SESSIONS}/search?client_reference=order-1") == (200, {"result": [paid]})
    (debit,) = await wave.debits()
    assert (debit["dialect"], debit["reference"], debit["phone"]) == ("wave", session["id"], PAYER)
    assert (debit["amount"], debit["currency"]) == ("1500", "XOF")


async def test_a_search_finds_all_of_one_reference_and_nothing_of_others(wave: Sim) -> None:
    ids = [(await created(wave))["id"] for _ in range(2)]
    await created(wave, client_reference="order-2")
    await created(wave, client_reference=...)
    await create(wave, OTHER_KEY)
    _, found = await call(wave, "GET", f"{SESSIONS}/search?client_reference=order-1")
    assert [session["id"] for session in found["result"]] == ids
    assert await call(wave, "GET", f"{SESSIONS}/search?client_reference=x") == (200, {"result": []})
    assert (await call(wave, "GET", f"{SESSIONS}/search"))[0] == 422
    assert (await call(wave, "GET", SESSIONS))[0] == 422


async def test_what_is_unknown_or_anothers_is_not_found(wave: Sim) -> None:
    _, others = await create(wave, OTHER_KEY)
    for path in (f"/{others['id']}", "/cos-0", "?transaction_id=T_X"):
        status, answer = await call(wave, "GET", SESSIONS + path)
        assert (status, answer["code"]) == (404, "checkout-session-not-found"), path
    for unknown in ("cos-0", others["id"]):
        assert (await call(wave, "POST", f"{SESSIONS}/{unknown}/expire"))[0] == 404


async def test_a_session_expires_by_the_clock(wave: Sim) -> None:
    session = await created(wave)
    wave.clock.advance(1_799_999)
    assert (await get(wave, session["id"]))["checkout_status"] == "open"
    wave.clock.advance(1)
    over = await get(wave, session["id"])
    assert (over["checkout_status"], over["payment_status"]) == ("expired", "cancelled")
    assert over["when_completed"] == session["when_expires"]
    assert await press(wave, session) == "https://shop.example.ci/error"
    assert await wave.debits() == []
    assert (await wave.get("/_control/callbacks"))[1] == {"callbacks": []}


async def test_a_merchant_expires_an_open_session_once(wave: Sim) -> None:
    session, paid = await created(wave), await created(wave)
    await press(wave, paid)
    expire = ("POST", f"{SESSIONS}/{session['id']}/expire")
    assert await call(wave, *expire) == (200, "")
    assert (await get(wave, session["id"]))["checkout_status"] == "expired"
    assert (await call(wave, *expire))[0] == 409
    assert (await call(wave, "POST", f"{SESSIONS}/{paid['id']}/expire"))[0] == 409
    assert await press(wave, session) == "https://shop.example.ci/error"
    assert len(await wave.debits()) == 1


async def test_an_expiry_beats_a_payment_that_is_under_way(slow: Sim) -> None:
    session = await created(slow)
    await press(slow, session)
    assert (await call(slow, "POST", f"{SESSIONS}/{session['id']}/expire"))[0] == 200
    slow.clock.advance(10_000)
    assert (await get(slow, session["id"]))["checkout_status"] == "expired"
    assert await slow.debits() == []


# The key that makes creation safe to repeat


async def test_the_same_key_and_body_give_the_same_session(wave: Sim) -> None:
    headers = {"idempotency-key": "k-1"}
    answers = await asyncio.gather(*(create(wave, headers=headers) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({answer["id"] for _, answer in answers}) == 1
    status, answer = await create(wave, headers=headers, amount="2000")
    assert (status, answer["code"]) == (409, "idempotency-mismatch")
    assert (await create(wave, OTHER_KEY, headers=headers))[1]["id"] != answers[0][1]["id"]
    assert (await create(wave, headers={"idempotency-key": "k-2"}))[1]["id"] != answers[0][1]["id"]
    assert (await create(wave))[1]["id"] != (await create(wave))[1]["id"]


async def test_a_repeated_key_tells_how_the_session_is_now(wave: Sim) -> None:
    headers = {"idempotency-key": "k-1"}
    _, session = await create(wave, headers=headers)
    await press(wave, session)
    assert (await create(wave, headers=headers))[1]["checkout_status"] == "complete"
    assert len(await wave.debits()) == 1


# What is refused


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "missing-auth-header"),
        ("", "missing-auth-header"),
        ("Basic eDp5", "invalid-auth"),
        (KEY, "invalid-auth"),
        ("Bearer", "api-key-not-provided"),
        ("Bearer  ", "api-key-not-provided"),
        ("Bearer wave_ci_prod_other", "no-matching-api-key"),
    ],
)
async def test_every_door_wants_the_key(wave: Sim, authorization: str | None, code: str) -> None:
    for verb, path in (
        ("POST", ""), ("GET", "?transaction_id=x"), ("GET", "/search?client_reference=x"),
        ("GET", "/cos-1"), ("POST", "/cos-1/expire"),
    ):  # fmt: skip
        status, answer = await call(wave, verb, SESSIONS + path, authorization)
        assert (status, answer["code"]) == (401, code), path


@pytest.mark.parametrize(("problem", "status"), PROBLEMS.items())
async def test_a_key_or_wallet_may_have_a_problem(wave: Sim, problem: str, status: int) -> None:
    answered, answer = await create(wave, problem)
    assert (answered, answer["code"]) == (status, problem)


BAD_SESSIONS: list[tuple[dict[str, Any], str]] = [
    ({"amount": 1500}, "amount"),
    ({"amount": "0"}, "amount"),
    ({"amount": "01500"}, "amount"),
    ({"amount": "1500.00"}, "amount"),
    ({"amount": "-5"}, "amount"),
    ({"amount": "1e3"}, "amount"),
    ({"amount": ...}, "amount"),
    ({"currency": "XAF"}, "currency"),
    ({"currency": ...}, "currency"),
    ({"success_url": "http://shop.example.ci/ok"}, "success_url"),
    ({"success_url": ...}, "success_url"),
    ({"success_url": "https://"}, "success_url"),
    ({"error_url": "shop.example.ci"}, "error_url"),
    ({"error_url": "https://[x"}, "error_url"),
    ({"error_url": 5}, "error_url"),
    ({"client_reference": "x" * 256}, "client_reference"),
    ({"client_reference": ""}, "client_reference"),
    ({"client_reference": 7}, "client_reference"),
    ({"restrict_payer_mobile": PAYER}, "restrict_payer_mobile"),
    ({"restrict_payer_mobile": "+0"}, "restrict_payer_mobile"),
    ({"restrict_payer_mobile": ["+" + PAYER]}, "restrict_payer_mobile"),
    ({"enforce_payer_mobile": "0700000001"}, "enforce_payer_mobile"),
    ({"enforce_payer_mobile": "+221770000001"}, "enforce_payer_mobile"),
    ({"aggregated_merchant_id": 5}, "aggregated_merchant_id"),
    ({"payer_name": "Awa"}, "payer_name"),
]


@pytest.mark.parametrize(("change", "field"), BAD_SESSIONS)
async def test_a_bad_session_is_refused_by_field(wave: Sim, change: dict[str, Any], field: str) -> None:
    status, answer = await create(wave, **change)
    assert (status, answer["code"]) == (422, "request-validation-error")
    assert answer["details"][0]["loc"] == [field]
    assert (await call(wave, "GET", f"{SESSIONS}/search?client_reference=order-1"))[1] == {"result": []}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 5000, b"x" * 70_000])
async def test_a_body_that_is_no_json_object_is_refused(wave: Sim, body: bytes) -> None:
    status, answer = await call(wave, "POST", SESSIONS, data=body)
    assert (status, answer["code"]) == (400, "request-validation-error")


async def test_both_spellings_name_the_payer_and_other_wallets_have_decimals(wave: Sim) -> None:
    session = await created(wave, restrict_payer_mobile=..., enforce_payer_mobile="+" + PAYER)
    assert session["restrict_payer_mobile"] == "+" + PAYER
    for amount, status in (("15.50", 200), ("0.50", 200), ("0.00", 422), ("15.505", 422), ("00.5", 422)):
        assert (await create(wave, "gm", currency="GMD", amount=amount))[0] == status, amount


async def test_plain_http_is_taken_where_the_simulator_is_told_so(
    start: Start, merchant: tuple[str, Any]
) -> None:
    async with start(dialects=dialects(merchant[0], plain_http=True, session_s=60)) as sim:
        session = await created(sim, success_url="http://127.0.0.1:8080/back")
        assert (await create(sim, error_url="ftp://127.0.0.1/"))[0] == 422
        sim.clock.advance(60_000)
        assert (await get(sim, session["id"]))["checkout_status"] == "expired"


async def test_a_key_with_request_signing_takes_signed_requests_only(wave: Sim) -> None:
    body, now = json.dumps(a_session()).encode(), wave.clock.now()

    async def signed(header: str) -> tuple[int, Any]:
        return await call(
            wave, "POST", SESSIONS, f"Bearer {SIGNED_KEY}", {"wave-signature": header}, data=body
        )

    good = signature_header((REQUEST_SECRET,), body, now)
    assert (await signed(good))[0] == 200
    assert (await signed(signature_header(("x", REQUEST_SECRET), body, now - 300_000)))[0] == 200
    bent = [
        signature_header((REQUEST_SECRET,), body, now - 302_000),
        signature_header((REQUEST_SECRET,), body, now + 302_000),
        signature_header((REQUEST_SECRET,), body + b" ", now),
        signature_header(("x",), body, now),
        good.upper(), good.partition(",")[0], "t=,v1=", "",
    ]  # fmt: skip
    for header in bent:
        status, answer = await signed(header)
        assert (status, answer["code"]) == (401, "invalid-auth"), header


# Outcomes


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_number_fails_with_the_word_of_its_last_digits_and_the_session_stays_open(
    wave: Sim, code: str
) -> None:
    status, session = await create(wave, restrict_payer_mobile=f"+2250700000{code}")
    if code in ("603", "804"):
        assert (status, session["code"]) == (403 if code == "603" else 503, WORDS[code])
        return
    assert await press(wave, session) == "https://shop.example.ci/error"
    now = await get(wave, session["id"])
    if code == "627":
        assert (now["checkout_status"], now["payment_status"]) == ("expired", "cancelled")
    else:
        assert (now["checkout_status"], now["payment_status"]) == ("open", "processing")
        assert now["last_payment_error"]["code"] == WORDS[code]
        told = await wave.receiver.next()
        assert (told["type"], told["data"]) == ("checkout.session.payment_failed", now)
    assert await wave.debits() == []


def test_each_failure_has_a_word_and_no_two_share_one() -> None:
    assert set(WORDS) == set(FAILURE_CODES)
    assert len(set(WORDS.values())) == len(WORDS)
    own = {code: word for code, word in WORDS.items() if not word.startswith("CAURI_")}
    assert own == {
        "600": "payment-failure",
        "602": "insufficient-funds",
        "603": "unauthorized-wallet",
        "627": "cancelled",
        "636": "payer-mobile-mismatch",
        "804": "service-unavailable",
        "808": "kyb-limits-exceeded",
    }


async def test_a_failed_try_can_be_followed_by_one_that_pays(wave: Sim) -> None:
    await wave.story(PAYER, outcome="602")
    session = await created(wave)
    await press(wave, session)
    assert (await get(wave, session["id"]))["last_payment_error"]["code"] == "insufficient-funds"
    assert (await wave.receiver.next())["type"] == "checkout.session.payment_failed"
    assert await press(wave, session) == "https://shop.example.ci/ok"
    paid = await get(wave, session["id"])
    assert (paid["checkout_status"], paid["last_payment_error"]) == ("complete", None)
    assert (await wave.receiver.next())["type"] == "checkout.session.completed"
    assert len(await wave.debits()) == 1


async def test_a_payer_who_never_ends_holds_the_session_until_it_expires(wave: Sim) -> None:
    session = await created(wave, restrict_payer_mobile="+2250700000129")
    assert await press(wave, session) == "https://shop.example.ci/ok"
    wave.clock.advance(1_799_000)
    assert (await get(wave, session["id"]))["checkout_status"] == "open"
    wave.clock.advance(1_000)
    assert (await get(wave, session["id"]))["checkout_status"] == "expired"


async def test_the_control_plane_settles_a_session_late(wave: Sim) -> None:
    session = await created(wave)
    wave.clock.advance(1_800_000)
    assert (await get(wave, session["id"]))["checkout_status"] == "expired"
    await wave.post("/_control/settle", {"reference": session["id"], "outcome": "paid", "callback": True})
    assert (await get(wave, session["id"]))["payment_status"] == "succeeded"
    assert (await wave.receiver.next())["type"] == "checkout.session.completed"
    await wave.post("/_control/settle", {"reference": session["id"], "outcome": "602", "callback": True})
    assert (await wave.receiver.next())["data"]["last_payment_error"]["code"] == "insufficient-funds"
    (debit,) = await wave.debits()
    assert debit["taken_back_at"] is not None


async def test_a_decision_from_outside_ends_a_try_under_way_and_not_the_session(slow: Sim) -> None:
    session = await created(slow)
    await press(slow, session)
    settle = {"reference": session["id"], "outcome": "602", "callback": True}
    await slow.post("/_control/settle", settle)
    assert (await slow.receiver.next())["type"] == "checkout.session.payment_failed"
    slow.clock.advance(5_000)
    await press(slow, session)
    slow.clock.advance(9_999)
    assert (await get(slow, session["id"]))["checkout_status"] == "open"
    assert await slow.debits() == []
    slow.clock.advance(1)
    assert (await get(slow, session["id"]))["checkout_status"] == "complete"
    assert len(await slow.debits()) == 1


async def test_what_wave_claims_is_in_the_session_and_the_books(wave: Sim) -> None:
    await wave.story(PAYER, amount="1400")
    session = await created(wave)
    await press(wave, session)
    (debit,) = await wave.debits()
    assert (await get(wave, session["id"]))["amount"] == debit["amount"] == "1400"


# Webhooks


async def test_a_webhook_is_signed_over_the_time_and_the_body_with_both_secrets(wave: Sim) -> None:
    session = await created(wave)
    await press(wave, session)
    event = await wave.receiver.next()
    assert event["type"] == "checkout.session.completed"
    assert event["id"].startswith("EV_")
    assert event["data"] == await get(wave, session["id"])
    ((verb, headers, raw),) = wave.receiver.requests
    assert verb == "POST"
    assert re.fullmatch(r"t=[0-9]+(,v1=[0-9a-f]{64}){2}", headers["wave-signature"])
    assert headers["wave-signature"].startswith(f"t={wave.clock.now() // 1000},")
    assert "authorization" not in headers
    for secret in (OLD_SECRET, NEW_SECRET):
        verifier = WebhookVerifier(signing_secret=secret)
        assert verifier.verify_and_parse(raw.decode(), wave_signature=headers["wave-signature"]) == event
    for secret, body in (("wave_sn_WHS_x", raw.decode()), (OLD_SECRET, raw.decode() + " ")):
        with pytest.raises(WaveWebhookError):
            WebhookVerifier(signing_secret=secret).verify_and_parse(body, headers["wave-signature"])


async def test_the_other_mode_carries_the_shared_secret(wave: Sim) -> None:
    _, session = await create(wave, OTHER_KEY)
    await press(wave, session)
    event = await wave.receiver.next()
    ((_, headers, raw),) = wave.receiver.requests
    assert "wave-signature" not in headers
    verifier = WebhookVerifier(shared_secret=SHARED)
    assert verifier.verify_and_parse(raw.decode(), authorization=headers["authorization"]) == event


async def test_a_webhook_is_tried_for_days_with_one_id_and_a_fresh_signature(wave: Sim) -> None:
    wave.receiver.answers = [500, 301, 404, 200]
    await press(wave, await created(wave))
    ids = [(await wave.receiver.next())["id"]]
    for gap_s in GAPS_S[:3]:
        wave.clock.advance(gap_s * 1000)
        ids.append((await wave.receiver.next())["id"])
    assert len(set(ids)) == 1
    times = [headers["wave-signature"].split(",")[0] for _, headers, _ in wave.receiver.requests]
    assert len(set(times)) == 4
    assert 2.5 * 86_400 < sum(GAPS_S) < 3.5 * 86_400


async def test_webhooks_are_doubled_lost_and_early_by_the_story(wave: Sim) -> None:
    await wave.story(PAYER, callback="twice")
    await press(wave, await created(wave))
    one, two = [await wave.receiver.next() for _ in range(2)]
    assert one["id"] == two["id"]
    await press(wave, await created(wave, restrict_payer_mobile="+2250700000130"))
    await wave.story(PAYER, callback="before_answer", delay_s=60)
    await press(wave, await created(wave))
    assert wave.receiver.waiting() == 1
    await wave.story(PAYER, callback="before_answer", outcome="602")
    await press(wave, await created(wave))
    assert wave.receiver.waiting() == 2
    await wave.story(PAYER, callback="before_answer", outcome="627")
    await press(wave, await created(wave))
    assert wave.receiver.waiting() == 2
    assert len(await wave.debits()) == 3


# Faults


async def test_every_fault_on_creating(wave: Sim) -> None:
    async def fault(answer: str) -> int | None:
        await wave.story(PAYER, answer=answer)
        try:
            return (await create(wave, client_reference=answer, headers={"idempotency-key": answer}))[0]
        except (aiohttp.ClientError, ValueError):
            return None

    names = ("drop_before", "drop_after", "500", "nonsense")
    assert [await fault(name) for name in names] == [None, None, 500, None]
    found = [
        (await call(wave, "GET", f"{SESSIONS}/search?client_reference={name}"))[1]["result"] for name in names
    ]
    assert [len(sessions) for sessions in found] == [0, 1, 1, 1]
    status, again = await create(wave, client_reference="500", headers={"idempotency-key": "500"})
    assert (status, again["id"]) == (200, found[2][0]["id"])


async def test_a_slow_answer_waits_for_the_clock(wave: Sim) -> None:
    await wave.story(PAYER, answer="slow:30")
    waiting = asyncio.ensure_future(create(wave))
    while not (await call(wave, "GET", f"{SESSIONS}/search?client_reference=order-1"))[1]["result"]:
        await asyncio.sleep(0)
    assert not waiting.done()
    wave.clock.advance(30_000)
    assert (await waiting)[0] == 200


async def test_a_reset_forgets_sessions_and_keys(wave: Sim) -> None:
    _, session = await create(wave, headers={"idempotency-key": "k"})
    await wave.post("/_control/reset", {})
    assert (await call(wave, "GET", f"{SESSIONS}/{session['id']}"))[0] == 404
    assert (await create(wave, headers={"idempotency-key": "k"}, amount="5"))[0] == 200


@pytest.mark.parametrize(
    "make",
    [
        lambda: WaveWebhook("https://x"),
        lambda: WaveWebhook("https://x", ("a",), "b"),
        lambda: WaveAccount("k", problem="gone"),
        lambda: Wave(None, [WaveAccount("k"), WaveAccount("k")], ""),  # type: ignore[arg-type]
        lambda: Wave(None, [WaveAccount("k", currency="XAF")], ""),  # type: ignore[arg-type]
    ],
)
def test_accounts_are_checked_when_they_are_made(make: Any) -> None:
    with pytest.raises(ValueError, match=r"either|problem must|API key of its own|currency must"):
        make()


# A client that others wrote: wave-business-api. Its request signing signs other bytes than it sends: unused.


async def test_an_independent_client_creates_finds_and_expires(wave: Sim) -> None:
    await asyncio.to_thread(play_the_independent_client, wave.url + "/wave")


def play_the_independent_client(url: str) -> None:
    def client(key: str) -> Any:
        made = WaveClient(key, base_url=url)
        made._session._build_url = lambda path: url + path  # its own join drops the path of the base
        return made.checkout

    wallet, reference = client(KEY), str(uuid.uuid4())
    wanted = {"currency": "XOF", "success_url": "https://x.ci/ok", "error_url": "https://x.ci/no"}
    session = wallet.create_session("1500", client_reference=reference, **wanted)
    assert wallet.get_session(session["id"]) == session
    assert wallet.search_sessions(reference) == [session]
    assert wallet.expire_session(session["id"]) is None
    with pytest.raises(WaveIdempotencyError):
        wallet.expire_session(session["id"])
    with pytest.raises(WaveNotFoundError):
        wallet.get_session_by_transaction("T_X")
    with pytest.raises(WaveValidationError) as invalid:
        wallet.create_session("01", **wanted)
    assert "request-validation-error" in repr(vars(invalid.value))
    with pytest.raises(WaveAuthError):
        client("wave_ci_prod_other").get_session(session["id"])
