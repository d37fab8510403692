"""``cauri operator mtn provision`` against a scripted MTN: the command as a person runs it."""

from __future__ import annotations

import asyncio
import os
import re
import tomllib
import uuid
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from answering_operator import answering
from mtn_answers import API_KEY, error, token
from scripted_operator import HANG_UP, Recorded

from cauri.clock import ManualClock
from cauri.operators.mtn import Mtn
from cauri.operators.mtn.provisioning import is_bare_host
from tests.forks import forks

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
HOST = "pay.example.com"
MAKE_USER, LOOK_UP, MAKE_KEY, TOKEN = (
    "POST /v1_0/apiuser", "GET /v1_0/apiuser/", "POST /v1_0/apiuser/", "POST /collection/token/",
)  # fmt: skip
LOOKED_UP = (200, {"providerCallbackHost": HOST, "targetEnvironment": "sandbox"})


@pytest.fixture
async def operator():
    async with answering() as scripted:
        scripted.answers = {
            MAKE_KEY: (201, {"apiKey": API_KEY}),
            MAKE_USER: (201, b""),
            LOOK_UP: LOOKED_UP,
            TOKEN: token(),
        }
        yield scripted


async def run(operator, *more, key=KEY, host=HOST):
    """Exit status, standard output, standard error."""
    environment = {name: text for name, text in os.environ.items() if name != "MTN_SUBSCRIPTION_KEY"}
    with TemporaryDirectory() as folder:
        process = forks().start(
            *("operator", "mtn", "provision", "--callback-host", host, "--base-url", operator.url, *more),
            environment=environment | ({"MTN_SUBSCRIPTION_KEY": key} if key else {}),
            folder=Path(folder),
            output=Path(folder, "printed"),
            errors=Path(folder, "complained"),
        )
        out, err = await asyncio.to_thread(process.communicate, 60)
    return process.returncode, out, err


def user_made(operator) -> str:
    [seen] = [each for each in operator.requests if each.path == "/v1_0/apiuser"]
    assert isinstance(seen, Recorded)
    return seen.headers["x-reference-id"]


async def test_it_makes_user_and_key_and_prints_the_table_that_the_settings_read(operator):
    status, out, err = await run(operator, "--country", "cm")
    assert status == 0, err
    user = user_made(operator)
    assert uuid.UUID(user).version == 4
    table = tomllib.loads(out)["operators"]["mtn"]["CM"]
    assert table == {
        "base_url": operator.url,
        "environment": "sandbox",
        "subscription_key": KEY,
        "api_user": user,
        "api_key": API_KEY,
    }
    assert Mtn("CM", **table, clock=ManualClock()).name == "mtn_cm"
    made, looked, keyed, tried = operator.requests
    assert made.json == {"providerCallbackHost": HOST}
    assert all(each.headers["ocp-apim-subscription-key"] == KEY for each in operator.requests)
    assert (looked.path, keyed.path) == (f"/v1_0/apiuser/{user}", f"/v1_0/apiuser/{user}/apikey")
    assert (keyed.body, keyed.headers["content-length"]) == (b"", "0")
    assert tried.headers["authorization"] == "Basic " + b64encode(f"{user}:{API_KEY}".encode()).decode()


async def test_a_user_that_exists_gets_a_new_key_only(operator):
    status, out, _ = await run(operator, "--api-user", "0b9a3f5e-5b1c-4f0e-8c2d-7a6e5d4c3b2a")
    assert status == 0
    assert "0b9a3f5e-5b1c-4f0e-8c2d-7a6e5d4c3b2a" in out
    assert not any(each.path == "/v1_0/apiuser" for each in operator.requests)


FAILURES = {
    "the wrong subscription key": (MAKE_USER, (401, {"statusCode": 401, "message": "Access denied due to invalid subscription key"}), "MTN refused the subscription key: Access denied"),
    "a repeated id": (MAKE_USER, (409, error("RESOURCE_ALREADY_EXIST")), r"exists? already|has an API user"),
    "a bad request": (MAKE_USER, (400, error("BAD_REQUEST", "callback host")), "refused the API user or its callback host: callback host"),
    "not MTN": (MAKE_USER, (404, b"<html>"), "Is --base-url that of MTN's sandbox"),
    "down": (MAKE_USER, (503, b""), "HTTP 503, without a reason; try again later"),
    "cut": (MAKE_USER, HANG_UP, "no answer from MTN"),
    "the user is not there": (LOOK_UP, (404, b""), "MTN knows no API user"),
    "the user is another host's": (LOOK_UP, (200, {"providerCallbackHost": "other.example", "targetEnvironment": "sandbox"}), "MTN has noted other.example"),
    "the user is of production": (LOOK_UP, (200, {"providerCallbackHost": HOST, "targetEnvironment": "mtncameroon"}), "of the environment mtncameroon"),
    "no key": (MAKE_KEY, (500, b""), "making the API key: HTTP 500"),
    "a key that is none": (MAKE_KEY, (201, b"{}"), "making the API key: HTTP 201"),
    "no product Collections": (TOKEN, (401, {"error": "login_failed"}), "is this one of the product Collections"),
    "no token": (TOKEN, (200, b"<html>"), "asking for a token: HTTP 200"),
}  # fmt: skip


@pytest.mark.parametrize(("door", "answer", "told"), FAILURES.values(), ids=FAILURES.keys())
async def test_each_failure_is_told_with_its_remedy_and_no_key(operator, door, answer, told):
    operator.answers[door] = answer
    status, out, err = await run(operator)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("cauri: ")
    assert re.search(told, err)
    assert f"--api-user {user_made(operator)}" in err
    assert KEY not in err
    assert API_KEY not in err


NONSENSE = [
    (["--country", "SN"], {}, "--country: 'SN' has no MTN MoMo; choose among CI, CM, GN, BJ"),
    (["--api-user", "cauri"], {}, "--api-user: 'cauri' is no UUID"),
    ([], {"host": "https://pay.example.com"}, "--callback-host: 'https://pay.example.com' must be a bare host"),
    ([], {"host": ""}, "--callback-host: '' must be a bare host"),
    ([], {"key": ""}, "--subscription-key: missing; give it, or set MTN_SUBSCRIPTION_KEY"),
    ([], {"key": "clé"}, "Ocp-Apim-Subscription-Key header needs a value of printable ASCII"),
    (["--base-url", "ftp://x"], {}, "base_url must be an http(s) URL"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "changes", "told"), NONSENSE)
async def test_nonsense_on_the_command_line_is_told_in_words_and_nothing_is_sent(
    operator, options, changes, told
):
    status, out, err = await run(operator, *options, **changes)
    assert (status, out) == (2, "")
    assert err.startswith(f"cauri: {told}") or told in err
    assert operator.requests == []


@pytest.mark.parametrize("host", ["pay.example.com", "localhost", "a-b.c", "127.0.0.1"])
def test_a_bare_host(host):
    assert is_bare_host(host)


@pytest.mark.parametrize(
    "host", ["", "a b", "http://a", "a/b", "a:80", "-a", "a..b", "a" * 254, "é.fr", "a\n"]
)
def test_no_bare_host(host):
    assert not is_bare_host(host)
