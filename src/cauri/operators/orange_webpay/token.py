"""The bearer token of api.orange.com: fetched when it is needed, once for all who wait, renewed before it ends."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field

import msgspec

from cauri.clock import SECOND, Clock
from cauri.operators.foreign import decoded
from cauri.operators.http import Answer, Line, Request, checked_headers

TOKEN_PATH = "/oauth/v3/token"  # noqa: S105
_BODY = b"grant_type=client_credentials"
_MARGIN_S = 60
_MAX_LIFE_S = 366 * 86_400  # no token lives longer; a larger number would only overflow


class Granted(msgspec.Struct):
    """``expires_in`` was seen as 3600 and as 7776000 seconds, as number and as text: it is obeyed."""

    access_token: str
    expires_in: int | str = 0

    @property
    def life_s(self) -> int:
        text = str(self.expires_in)
        return min(int(text), _MAX_LIFE_S) if text.isdecimal() and len(text) < 12 else 0


@dataclass(frozen=True, slots=True)
class Token:
    """``header``: the Authorization header. ``until``: when it is to be renewed, in milliseconds."""

    header: str = field(repr=False)
    until: int


@dataclass(frozen=True, slots=True)
class NoToken:
    """``ours``: Orange refused our credentials; else it cannot be reached or does not speak."""

    why: str
    ours: bool = False


class Tokens:
    """``timeout_s`` for one fetch. Raises ValueError for credentials that HTTP Basic cannot carry."""

    def __init__(
        self, line: Line, client_id: str, client_secret: str, clock: Clock, timeout_s: float
    ) -> None:
        if not client_id or ":" in client_id or not client_secret:
            raise ValueError("orange_webpay needs a client_id, without a colon, and a client_secret")
        credentials = b64encode(f"{client_id}:{client_secret}".encode()).decode("ascii")
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._line = line
        self._clock = clock
        self._timeout_s = timeout_s
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token | NoToken] | None = None

    async def get(self, refused: Token | None = None) -> Token | NoToken:
        """A token that is still good. ``refused``: one that was just answered with 401, not to be given again."""
        token = self._token
        if token is not None and token is not refused and self._clock.now() < token.until:
            return token
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        return await asyncio.shield(self._fetching)

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _fetch(self) -> Token | NoToken:
        asked_at = self._clock.now()
        reply = await self._line.send(
            Request("token", "", "POST", TOKEN_PATH, self._timeout_s, self._headers, _BODY)
        )
        if not isinstance(reply, Answer):
            return NoToken(f"no token: {reply.why}")
        if reply.status in {400, 401, 403}:
            return NoToken(f"token refused, HTTP {reply.status}", ours=True)
        token = _token_of(reply, asked_at)
        if token is None:
            return NoToken(f"no token: unreadable answer, HTTP {reply.status}")
        self._token = token
        return token


def _token_of(answer: Answer, asked_at: int) -> Token | None:
    granted = decoded(answer.body, Granted)
    if granted is None or answer.status not in {200, 201}:
        return None
    header = f"Bearer {granted.access_token}"
    try:
        checked_headers({"Authorization": header})
    except ValueError:
        return None
    life_s = granted.life_s
    return Token(header, asked_at + (life_s - min(_MARGIN_S, life_s // 10)) * SECOND)
