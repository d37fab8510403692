"""Orange Burkina's OMPREQ over real HTTP: one XML request, one answer, and nothing else to hold on to."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pawapay_answers import NONSENSE
from scripted_operator import (
    HANG_UP,
    HANG_UP_AT_ONCE,
    PHONES,
    REFERENCE,
    SAY_NOTHING,
    ScriptedOperator,
    http_answer,
)

from cauri.domain.codes import FAILURES, Code
from cauri.domain.methods import METHODS
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown
from cauri.operators.base import BadCallback, Flow, Order
from cauri.operators.http import Answer
from cauri.operators.orange_ompreq import FAILURE_WORDS, ROUTES, OrangeOmpreq, command_of, read_answer
from tests.logs import own_lines

ACCOUNT = {"merchant_msisdn": "64000000", "api_username": "cauri", "api_password": "s3<cret>&"}


@pytest.fixture
async def orange(operator):
    connector = OrangeOmpreq(
        f"{operator.url}/ompreq/payment", "cauri", "s3<cret>&", "64000000", start_timeout_s=5
    )
    yield connector
    await connector.close()


@pytest.fixture
def paying(order_of):
    return order_of("OMBF", code="367025")


def fragment(status, message="…", trans_id="MP220101.1234.A12345"):
    return f"<status>{status}</status><message>{message}</message><transID>{trans_id}</transID>".encode()


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_payment_is_one_command_with_the_payers_code(operator, orange, paying):
    operator.says(fragment("200"))
    assert await orange.start(paying) == Accepted("MP220101.1234.A12345")
    [seen] = operator.requests
    assert (seen.verb, seen.path) == ("POST", "/ompreq/payment")
    assert seen.headers["content-type"].startswith("text/xml")
    assert seen.headers["accept"].startswith("text/xml")
    root = ElementTree.fromstring(seen.body)
    assert root.tag == "COMMAND"
    assert {element.tag: element.text for element in root} == {
        "TYPE": "OMPREQ",
        "customer_msisdn": "70123456",
        "merchant_msisdn": "64000000",
        "api_username": "cauri",
        "api_password": "s3<cret>&",
        "amount": "1500",
        "PROVIDER": "101",
        "PROVIDER2": "101",
        "PAYID": "12",
        "PAYID2": "12",
        "otp": "367025",
        "reference_number": REFERENCE,
        "ext_txn_id": REFERENCE,
    }


@given(st.text(max_size=40))
def test_no_text_can_break_out_of_its_element(text):
    """A code of the page is digits; whatever it were, and whatever the password is, the document stays a document."""
    order = Order(REFERENCE, METHODS["OMBF"], PHONES["BF"], 1500, "XOF", 0, text, "http://x", code=text)
    root = ElementTree.fromstring(command_of(order, {**ACCOUNT, "api_password": text}))
    assert [element.tag for element in root].count("amount") == 1
    assert len(root) == 13


# --- what it answers ------------------------------------------------------------------------------------------------

DOCUMENTED = {
    "08": "604",
    "OTPINV": "604",
    "990418": "604",
    "990422": "635",
    "00066": "635",
}
RESERVED = {f"CAURI_{code.number}": code.number for code in FAILURES}


def test_the_table_holds_the_words_of_the_document_and_the_reserved_ones_and_no_others():
    assert {word: code.number for word, code in FAILURE_WORDS.items()} == DOCUMENTED | RESERVED


@pytest.mark.parametrize(("word", "number"), (DOCUMENTED | RESERVED).items())
async def test_every_word_ends_the_attempt_in_its_code(operator, orange, paying, word, number):
    operator.says(fragment(word, trans_id=""))
    assert await orange.start(paying) == Refused(Code.of(number), word)
    assert len(operator.requests) == 1


ANSWERS = {
    "a prologue": (b'<?xml version="1.0" encoding="UTF-8"?>' + fragment("200"), Accepted("MP220101.1234.A12345")),
    "a byte order mark": (b"\xef\xbb\xbf" + fragment("200"), Accepted("MP220101.1234.A12345")),
    "a root, which it should not have": (b"<COMMAND>" + fragment("200") + b"</COMMAND>", Accepted("MP220101.1234.A12345")),
    "white space": (b"\r\n <status> 200 </status>\n<transID> x1 </transID>\n", Accepted("x1")),
    "Latin-1 in the message": ("<status>OTPINV</status><message>Code expiré</message>".encode("latin-1"), Refused(Code.OTP_CODE_ERROR, "OTPINV")),
    "a merchant's name as it is": (fragment("200", "Paiement à Awa & fils, l&eacute;gumes, effectu&#233;"), Accepted("MP220101.1234.A12345")),
    "a cause as it is": (fragment("OTPINV", "code & montant"), Refused(Code.OTP_CODE_ERROR, "OTPINV")),
    "other elements": (b"<a/><status>200</status><b>c</b><transID>x</transID>", Accepted("x")),
    "the same twice": (b"<status>200</status><transID>x</transID><status>200</status>", Accepted("x")),
    "paid without a number": (b"<status>200</status><message>ok</message>", Unknown("status 200 without a transID", alert=True)),
    "paid with an empty number": (fragment("200", trans_id=" "), Unknown("status 200 without a transID", alert=True)),
    "a word nobody listed": (fragment("60019", "Solde insuffisant du 70123456"), Unknown("unknown status: 60019 Solde insuffisant du ••56", alert=True)),
    "an empty status": (fragment(""), Unknown("unknown status: none …", alert=True)),
    "no status": (b"<message>hello</message>", Unknown("unreadable answer, HTTP 200", alert=True)),
    "two statuses": (b"<status>200</status><status>08</status><transID>x</transID>", Unknown("unreadable answer, HTTP 200", alert=True)),
    "a status inside the message": (b"<message><status>200</status><transID>x</transID></message>", Unknown("unreadable answer, HTTP 200", alert=True)),
    "cut short": (b"<status>200</status><transID>x</tr", Unknown("unreadable answer, HTTP 200", alert=True)),
    "two documents": (b"<status>200</status></answer><answer><transID>x</transID>", Unknown("unreadable answer, HTTP 200", alert=True)),
    "a NUL": (b"<status>200</status><transID>x\x00</transID>", Unknown("unreadable answer, HTTP 200", alert=True)),
    "escaped, not read twice": (b"<status>&#50;00</status><transID>&lt;x&gt;</transID>", Accepted("<x>")),
}  # fmt: skip


@pytest.mark.parametrize(("body", "outcome"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_the_answer(operator, orange, paying, body, outcome: Outcome):
    operator.says(body)
    assert await orange.start(paying) == outcome


BILLION = (
    b'<!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "&{chr(97 + n)};&{chr(97 + n)};">'.encode() for n in range(24))
    + b"]><status>&y;</status>"
)
ATTACKS = {
    "a billion laughs": BILLION,
    "the same after a prologue": b'<?xml version="1.0"?>' + BILLION,
    "a file from outside": b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><status>&x;</status>',
    "a document type from outside": b'<!DOCTYPE s SYSTEM "http://127.0.0.1:1/x.dtd"><status>200</status><transID>x</transID>',
    "a document type after our root": b"</answer><!DOCTYPE x><answer><status>200</status><transID>x</transID>",
    "an undefined entity": b"<status>&money;</status>",
    "UTF-16": '<?xml version="1.0" encoding="UTF-16"?><status>200</status><transID>x</transID>'.encode(
        "utf-16"
    ),
    "nested without end": b"<a>" * 60_000,
    "nested to its end": b"<a>" * 30_000 + b"</a>" * 30_000,
    "a huge attribute": b'<status a="' + b"x" * 200_000 + b'">8</status>',
}


@pytest.mark.parametrize("body", [*ATTACKS.values(), *NONSENSE.values()], ids=[*ATTACKS, *NONSENSE])
@pytest.mark.parametrize("status", [200, 500])
async def test_attacks_and_nonsense_are_unknown(operator, orange, paying, body, status):
    operator.answer = http_answer(body, status)
    assert isinstance(await orange.start(paying), Unknown)


@given(st.binary(max_size=200) | st.text("<>/status20transID&;! ", max_size=60).map(str.encode))
def test_whatever_bytes_come_reading_them_gives_an_outcome(body):
    assert isinstance(read_answer(Answer(200, body)), (Accepted, Refused, Unknown))


@pytest.mark.parametrize("status", [201, 302, 400, 404, 429, 500, 503])
async def test_only_http_200_carries_an_answer(operator, orange, paying, status):
    operator.says(fragment("200"), status)
    outcome = await orange.start(paying)
    assert isinstance(outcome, Unknown)
    assert outcome.alert is (status < 500 and status != 429)


@pytest.mark.parametrize("status", [401, 403])
async def test_an_account_that_is_shut_out_is_our_configuration(operator, orange, paying, status):
    operator.says(b"", status)
    with own_lines() as log:
        assert await orange.start(paying) == Refused(Code.SERVICE_UNAVAILABLE, f"HTTP {status}")
    assert "operator_configuration_refused" in {entry["event"] for entry in log}


async def test_neither_password_nor_code_reach_a_log(operator, orange, paying):
    operator.says(fragment("12345", "70123456"))
    with own_lines() as log:
        await orange.start(paying)
    assert not any(secret in str(log) for secret in ("s3<cret>", "367025", "70123456"))


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "silence", [HANG_UP_AT_ONCE, HANG_UP, SAY_NOTHING], ids=["cut before", "cut after", "time-out"]
)
async def test_a_lost_answer_is_unknown_and_left_to_a_person(operator, paying, silence):
    operator.answer = silence
    connector = OrangeOmpreq(operator.url, "u", "p", "64000000", start_timeout_s=0.3)
    outcome = await connector.start(paying)
    assert isinstance(outcome, Unknown)
    assert not outcome.not_found
    found = await connector.check(paying)
    await connector.close()
    assert isinstance(found, Unknown)
    assert not found.not_found


async def test_only_a_request_that_cannot_have_left_is_refused_at_once(refused_port, paying):
    for url in (refused_port, "http://nowhere.invalid"):
        connector = OrangeOmpreq(url, "u", "p", "64000000")
        outcome = await connector.start(paying)
        await connector.close()
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)


def test_there_is_nothing_to_ask_and_nobody_calls_back(orange):
    assert orange.silence.not_found_final_after_s is None
    assert orange.silence.askable is False
    with pytest.raises(BadCallback):
        orange.read_callback({}, fragment("200"))


# --- settings -------------------------------------------------------------------------------------------------------


def test_it_serves_orange_burkina_by_a_code():
    assert {method: route.flow for method, route in ROUTES.items()} == {"OMBF": Flow.CODE}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("https://x", "", "p", "64000000"), "username", id="no user"),
        pytest.param(("https://x", "u", "", "64000000"), "password", id="no password"),
        pytest.param(("https://x", "u", "p", "+226 64"), "merchant_msisdn", id="no number"),
        pytest.param(("apiom.orange.bf", "u", "p", "64000000"), "base_url", id="an address"),
    ],
)
def test_an_unusable_account_is_refused_when_the_connector_is_made(arguments, told):
    with pytest.raises(ValueError, match=told):
        OrangeOmpreq(*arguments)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=cauri -days 1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [*command.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    return folder


def test_a_client_certificate_is_both_files_or_none(certificate):
    cert, key = str(certificate / "cert.pem"), str(certificate / "key.pem")
    OrangeOmpreq("https://x", "u", "p", "64000000", certificate=cert, key=key)
    for one, other in ((cert, ""), ("", key)):
        with pytest.raises(ValueError, match="both client_certificate and client_key"):
            OrangeOmpreq("https://x", "u", "p", "64000000", certificate=one, key=other)
    for one, other in ((key, cert), (cert, "/nowhere.pem")):
        with pytest.raises(ValueError, match="cannot use its client certificate"):
            OrangeOmpreq("https://x", "u", "p", "64000000", certificate=one, key=other)


@pytest.fixture
async def strict(certificate, monkeypatch):
    """An operator over TLS that talks only to who shows this certificate, which both sides use here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.load_verify_locations(certificate / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    scripted = ScriptedOperator()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=context)
    scripted.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    scripted.says(fragment("200"))
    yield scripted
    server.close()
    await server.wait_closed()


async def test_the_client_certificate_is_shown_to_who_asks_for_it(strict, certificate, paying):
    files = {"certificate": str(certificate / "cert.pem"), "key": str(certificate / "key.pem")}
    connector = OrangeOmpreq(strict.url, "u", "p", "64000000", **files)
    assert await connector.start(paying) == Accepted("MP220101.1234.A12345")
    await connector.close()


async def test_a_server_that_nobody_vouches_for_gets_nothing(strict, certificate, paying, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    connector = OrangeOmpreq(strict.url, "u", "p", "64000000")
    outcome = await connector.start(paying)
    await connector.close()
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert not strict.requests
