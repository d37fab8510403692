"""Making an API user and its key in MTN's sandbox, where nobody hands them out (production: the partner portal)."""

from __future__ import annotations

import re
from base64 import b64encode

import msgspec

from cauri.operators.foreign import decoded, quoted
from cauri.operators.http import Answer, Line, Reply, Request
from cauri.operators.mtn.tokens import PATH as TOKEN_PATH
from cauri.operators.mtn.tokens import TokenAnswer

USERS = "/v1_0/apiuser"
_TIMEOUT_S = 20.0
_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


class ProvisioningFailed(Exception):
    """What went wrong, and what to do about it."""


class User(msgspec.Struct, rename="camel"):
    provider_callback_host: str = ""
    target_environment: str = ""


class Key(msgspec.Struct, rename="camel"):
    api_key: str


class Said(msgspec.Struct):
    code: str = ""
    message: str = ""
    error: str = ""


def is_bare_host(text: str) -> bool:
    """Whether MTN takes it as a providerCallbackHost: a host's name, without scheme, port and path."""
    return _HOST.fullmatch(text) is not None


class Provisioning:
    """The steps, in their order: ``make_user``, ``look_up``, ``make_key``, ``try_token``. Each raises ProvisioningFailed.

    Raises ValueError for an unusable URL or key.
    """

    def __init__(self, base_url: str, subscription_key: str) -> None:
        self._line = Line("mtn", base_url, {"Ocp-Apim-Subscription-Key": subscription_key})

    async def make_user(self, user_id: str, callback_host: str) -> None:
        """POST /v1_0/apiuser: ``user_id``, a UUIDv4 of ours, becomes the API user."""
        answer = await self._ask(
            "POST",
            USERS,
            {"X-Reference-Id": user_id, "Content-Type": "application/json"},
            msgspec.json.encode({"providerCallbackHost": callback_host}),
        )
        match answer.status:
            case 201:
                return
            case 409:
                raise ProvisioningFailed(
                    f"MTN has an API user {user_id} already: make its key with --api-user {user_id}"
                )
            case 400:
                raise ProvisioningFailed(f"MTN refused the API user or its callback host: {_words(answer)}")
            case _:
                raise _failed("making the API user", answer)

    async def look_up(self, user_id: str) -> User:
        """GET /v1_0/apiuser/{id}: the host and the environment that MTN has noted."""
        answer = await self._ask("GET", f"{USERS}/{user_id}")
        if answer.status == 404:
            raise ProvisioningFailed(f"MTN knows no API user {user_id}: leave out --api-user to make one")
        user = decoded(answer.body, User) if answer.status == 200 else None
        if user is None:
            raise _failed("looking the API user up", answer)
        return user

    async def make_key(self, user_id: str) -> str:
        """POST /v1_0/apiuser/{id}/apikey: shown once; a new one ends the tokens of the one before."""
        answer = await self._ask("POST", f"{USERS}/{user_id}/apikey", body=b"")
        key = decoded(answer.body, Key) if answer.status == 201 else None
        if key is None or not key.api_key:
            raise _failed("making the API key", answer)
        return key.api_key

    async def try_token(self, user_id: str, api_key: str) -> None:
        """POST /collection/token/: whether the subscription key is one for Collections."""
        basic = b64encode(f"{user_id}:{api_key}".encode()).decode("ascii")
        answer = await self._ask("POST", TOKEN_PATH, {"Authorization": f"Basic {basic}"}, b"")
        if answer.status == 200 and decoded(answer.body, TokenAnswer) is not None:
            return
        if answer.status == 401:
            raise ProvisioningFailed(
                f"MTN made the keys and gives no token for Collections: {_words(answer)}. Subscription keys are by product: "
                "is this one of the product Collections?"
            )
        raise _failed("asking for a token", answer)

    async def close(self) -> None:
        await self._line.close()

    async def _ask(
        self, verb: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        reply: Reply = await self._line.send(
            Request("provision", "", verb, path, _TIMEOUT_S, headers or {}, body)
        )
        if not isinstance(reply, Answer):
            raise ProvisioningFailed(f"no answer from MTN ({reply.why}): is --base-url right, and is it up?")
        return reply


def _failed(doing: str, answer: Answer) -> ProvisioningFailed:
    if answer.status == 401:
        return ProvisioningFailed(
            f"{doing}: MTN refused the subscription key: {_words(answer).rstrip('.')}. Copy the primary key of the Collections product from your "
            "profile on momodeveloper.mtn.com"
        )
    if answer.status == 404:
        return ProvisioningFailed(
            f"{doing}: HTTP 404, {_words(answer)}. Is --base-url that of MTN's sandbox?"
        )
    return ProvisioningFailed(f"{doing}: HTTP {answer.status}, {_words(answer)}; try again later")


def _words(answer: Answer) -> str:
    said = decoded(answer.body, Said)
    text = "" if said is None else said.message or said.code or said.error
    return quoted(text) or "without a reason"
