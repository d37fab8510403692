"""The seam between connectors and the network: what left, what was lost, what the log says."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scripted_operator import HANG_UP, HANG_UP_AT_ONCE, SAY_NOTHING, ScriptedOperator, http_answer

from cauri.operators.http import (
    MAX_ANSWER,
    Answer,
    Line,
    Lost,
    NotSent,
    Request,
    checked_base_url,
    checked_headers,
)
from tests.logs import own_lines

SECRET = "Bearer s3cr3t-t0ken"


def question(**changes: object) -> Request:
    fields: dict[str, object] = {
        "name": "start",
        "reference": "ref-1",
        "verb": "POST",
        "path": "/x",
        "timeout_s": 5.0,
    }
    return Request(**{**fields, "body": b'{"phone":"2250749012966"}', **changes})  # type: ignore[arg-type]


@pytest.fixture
async def line(operator):
    line = Line("somebody", operator.url, {"Authorization": SECRET})
    yield line
    await line.close()


async def test_an_answer_comes_back_whole_and_the_request_is_what_was_asked(operator, line):
    operator.says({"hello": 1}, 201)
    reply = await line.send(question())
    assert reply == Answer(201, b'{"hello": 1}')
    [seen] = operator.requests
    assert (seen.verb, seen.path, seen.body) == ("POST", "/x", b'{"phone":"2250749012966"}')
    assert seen.headers["authorization"] == SECRET
    assert seen.headers["accept-encoding"] == "identity"
    assert "cookie" not in seen.headers


async def test_an_answer_of_exactly_the_cap_is_read_and_one_byte_more_is_lost(operator, line):
    operator.says(b"x" * MAX_ANSWER)
    assert isinstance(await line.send(question()), Answer)
    operator.says(b"x" * (MAX_ANSWER + 1))
    assert await line.send(question()) == Lost("AnswerTooLarge")


async def test_a_packed_answer_is_not_unpacked(operator, line):
    packed = gzip.compress(b"0" * 10_000_000)
    operator.says(packed, Content_Encoding="gzip")
    assert await line.send(question()) == Answer(200, packed)


async def test_redirects_are_not_followed(operator, line):
    operator.says(b"", 307, Location=f"{operator.url}/elsewhere")
    assert await line.send(question()) == Answer(307, b"")
    assert [seen.path for seen in operator.requests] == ["/x"]


async def test_cookies_are_not_kept(operator):
    operator.says({}, Set_Cookie="sid=1; Path=/")
    # A name, since cookies of bare addresses are dropped by any jar.
    line = Line("somebody", operator.url.replace("127.0.0.1", "localhost"), {"Authorization": SECRET})
    await line.send(question())
    await line.send(question())
    await line.close()
    assert "cookie" not in operator.requests[1].headers


LOST = {
    "the line was cut before the request was read": HANG_UP_AT_ONCE,
    "the line was cut after the request was read": HANG_UP,
    "the answer never came": SAY_NOTHING,
    "the answer is not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "the answer stops inside the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "the answer stops inside the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "the chunks are broken": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "two different lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a status out of this world": b"HTTP/1.1 abc OK\r\n\r\n",
}


@pytest.mark.parametrize("raw", LOST.values(), ids=LOST.keys())
async def test_whatever_goes_wrong_after_the_request_was_written_is_lost(operator, raw):
    operator.answer = raw
    line = Line("somebody", operator.url, {"Authorization": SECRET})
    reply = await line.send(question(timeout_s=0.3))
    await line.close()
    assert isinstance(reply, Lost)


async def test_a_refused_connection_cannot_have_left(refused_port):
    line = Line("somebody", refused_port, {"Authorization": SECRET})
    assert isinstance(await line.send(question()), NotSent)
    await line.close()


async def test_a_name_without_address_cannot_have_left():
    line = Line("somebody", "http://nowhere.invalid", {"Authorization": SECRET})
    assert isinstance(await line.send(question()), NotSent)
    await line.close()


async def test_a_broken_tls_handshake_cannot_have_left(operator):
    operator.answer = HANG_UP_AT_ONCE
    line = Line("somebody", operator.url.replace("http:", "https:"), {"Authorization": SECRET})
    assert isinstance(await line.send(question()), NotSent)
    await line.close()


async def test_nothing_leaves_for_a_certificate_that_nobody_vouches_for(tmp_path):
    seen = ScriptedOperator(answer=http_answer(b"{}"))
    server = await asyncio.start_server(seen.serve, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    port = server.sockets[0].getsockname()[1]
    line = Line("somebody", f"https://127.0.0.1:{port}", {"Authorization": SECRET})
    assert isinstance(await line.send(question()), NotSent)
    await line.close()
    server.close()
    await server.wait_closed()
    assert seen.requests == []


def self_signed(folder) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_a_line_can_be_closed_twice_and_before_its_first_call():
    line = Line("somebody", "http://127.0.0.1:1", {"Authorization": SECRET})
    await line.close()
    await line.close()


@pytest.mark.parametrize("case", ["answered", "lost", "not sent"])
async def test_the_log_names_the_call_and_never_the_key_the_number_or_the_body(
    operator, refused_port, caplog, case
):
    caplog.set_level(logging.DEBUG)
    operator.says({"customer": "Awa Traoré", "phone": "2250749012966"})
    if case == "lost":
        operator.answer = HANG_UP
    line = Line("somebody", refused_port if case == "not sent" else operator.url, {"Authorization": SECRET})
    with own_lines() as told:
        await line.send(question())
    await line.close()
    [entry] = told
    assert (entry["operator"], entry["call"], entry["reference"]) == ("somebody", "start", "ref-1")
    everything = json.dumps(told, default=str) + caplog.text
    for secret in ("s3cr3t", "0749012966", "Awa", "Traor"):
        assert secret not in everything


def test_requests_and_answers_hide_keys_and_bodies_when_printed():
    printed = repr(question(headers={"Authorization": SECRET})) + repr(Answer(200, b"0749012966"))
    assert "s3cr3t" not in printed
    assert "0749012966" not in printed


@pytest.mark.parametrize(
    "url",
    ["", "operator.example", "ftp://operator.example", "https://", "https://user:pw@operator.example",
     "https://operator.example/?a=b", "https://operator.example/#x", "https://opera tor.example", "http://[::1", "http://h:99999"],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used_is_refused_with_the_remedy(url):
    with pytest.raises(ValueError, match="base_url must be"):
        checked_base_url(url)


def test_a_base_url_keeps_its_path_and_loses_its_last_slash():
    assert checked_base_url("http://127.0.0.1:8081/pawapay/") == "http://127.0.0.1:8081/pawapay"


@pytest.mark.parametrize("value", ["", "  ", "Bearer a\r\nX-Evil: 1", "Bearer é", "Bearer \x00"])
def test_a_key_that_http_cannot_carry_is_refused_without_being_quoted(value):
    with pytest.raises(ValueError, match="Authorization") as refused:
        checked_headers({"Authorization": value})
    assert not value.strip() or value not in str(refused.value)
