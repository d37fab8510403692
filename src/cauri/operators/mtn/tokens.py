"""The access token of one API user: kept, renewed ten minutes early, and asked for once however many calls want it."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass, field

import msgspec

from cauri.clock import SECOND, Clock
from cauri.operators.foreign import decoded
from cauri.operators.http import Answer, Line, Request

PATH = "/collection/token/"
RENEWED_EARLY_S = 600
# A token that is still good is worth no long wait for its successor, and a door that gives none no question with every call.
_EARLY_PATIENCE_S = 1.0
_EARLY_AGAIN_S = 10
_USUAL_LIFE_S = 3600
_USABLE = re.compile(r"[!-~]{1,8000}")


class TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: int | str = _USUAL_LIFE_S


class Refusal(msgspec.Struct):
    """``error`` is ``login_failed`` for a wrong pair; a wrong subscription key has a ``message`` instead."""

    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class NoToken:
    """There is none to be had now. ``misconfigured``: MTN refused our credentials."""

    why: str
    misconfigured: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str = field(repr=False)
    fresh_until: int
    ends_at: int


class Tokens:
    """``get`` before each call; ``refused`` with the token that MTN answered 401 to."""

    def __init__(self, line: Line, api_user: str, api_key: str, clock: Clock, timeout_s: float) -> None:
        self._line = line
        self._basic = b64encode(f"{api_user}:{api_key}".encode()).decode("ascii")
        self._clock = clock
        self._timeout_s = timeout_s
        self._kept: _Kept | None = None
        self._not_early_before = 0
        self._flight: asyncio.Task[str | NoToken] | None = None

    async def get(self, within_s: float) -> str | NoToken:
        """A token to call with. One that should be renewed and cannot be, or not at once, is used until its end."""
        now, kept = self._clock.now(), self._kept
        if kept is None or now >= kept.ends_at:
            return await self._renewed(within_s)
        if now < kept.fresh_until or now < self._not_early_before or self._under_way:
            return kept.text
        self._not_early_before = now + _EARLY_AGAIN_S * SECOND
        renewed = await self._renewed(min(within_s / 2, _EARLY_PATIENCE_S))
        if isinstance(renewed, NoToken):
            return kept.text if kept is self._kept else await self._renewed(within_s / 2)
        return renewed

    def refused(self, text: str) -> None:
        """Forgets a token, unless a newer one has already taken its place."""
        if self._kept is not None and self._kept.text == text:
            self._kept = None

    async def close(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    @property
    def _under_way(self) -> bool:
        return self._flight is not None and not self._flight.done()

    async def _renewed(self, within_s: float) -> str | NoToken:
        """Joins the renewal that is under way, or begins it; whoever leaves early leaves it running for the others."""
        flight = self._flight
        if flight is None or not self._under_way:
            flight = self._flight = asyncio.get_running_loop().create_task(self._fetch())
        await asyncio.wait({flight}, timeout=max(within_s, 0))
        return flight.result() if flight.done() else NoToken("no token in time")

    async def _fetch(self) -> str | NoToken:
        asked_at = self._clock.now()
        reply = await self._line.send(
            Request(
                name="token",
                reference="",
                verb="POST",
                path=PATH,
                timeout_s=self._timeout_s,
                headers={"Authorization": f"Basic {self._basic}"},
                body=b"",
            )
        )
        if not isinstance(reply, Answer):
            return NoToken(reply.why)
        told = decoded(reply.body, TokenAnswer) if reply.status == 200 else None
        if told is None or not _USABLE.fullmatch(told.access_token):
            return _refusal(reply)
        self._kept = _kept(told, asked_at)
        return told.access_token


def _kept(told: TokenAnswer, asked_at: int) -> _Kept:
    text = str(told.expires_in)
    life_s = min(int(text), 365 * 86_400) if re.fullmatch(r"[0-9]{1,9}", text) else _USUAL_LIFE_S
    early_s = min(RENEWED_EARLY_S, life_s // 4)
    return _Kept(
        told.access_token,
        fresh_until=asked_at + (life_s - early_s) * SECOND,
        ends_at=asked_at + life_s * SECOND,
    )


def _refusal(answer: Answer) -> NoToken:
    """401 says that the credentials are wrong; so does ``login_failed`` with any status (the go-live sheet allows 500)."""
    said = decoded(answer.body, Refusal) or Refusal()
    if answer.status == 401 or said.error == "login_failed":
        return NoToken("login_failed" if said.error == "login_failed" else "HTTP 401", misconfigured=True)
    return NoToken(f"unreadable token answer, HTTP {answer.status}")
