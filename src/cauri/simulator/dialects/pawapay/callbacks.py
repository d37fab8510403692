"""Callbacks: one POST, and again until it is answered 200 or a quarter of an hour has passed."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from cauri.simulator.agenda import Agenda

GAPS_S = (5, 10, 20, 40, 60, 120, 240, 405)
"""Seconds between one try and the next: fifteen minutes in all. pawaPay publishes the sum, not the steps."""

_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Try:
    """One POST made. `status` is the HTTP status of the receiver, None when it gave none."""

    reference: str
    said: str
    at: int
    status: int | None

    def as_json(self) -> dict[str, object]:
        return {"reference": self.reference, "said": self.said, "at": self.at, "status": self.status}


class Callbacks:
    """Delivers to the one URL of the account; without a URL nothing is ever sent."""

    def __init__(self, agenda: Agenda, url: str | None) -> None:
        self.url = url
        self.tries: list[Try] = []
        self._agenda = agenda
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    def send(self, body: Mapping[str, object], times: int = 1) -> None:
        """Delivers `body` in the background, one delivery after the other."""
        if self.url is not None:
            self._agenda.spawn(self._send(body, times))

    async def send_now(self, body: Mapping[str, object]) -> None:
        """The first try is over when this returns; the others follow in the background."""
        if self.url is not None and not await self._post(body):
            self._try_later(body, 0)

    async def _send(self, body: Mapping[str, object], times: int) -> None:
        for _ in range(times):
            await self.send_now(body)

    def _try_later(self, body: Mapping[str, object], gap: int) -> None:
        if gap < len(GAPS_S):
            self._agenda.after(GAPS_S[gap], lambda: self._agenda.spawn(self._retry(body, gap)))

    async def _retry(self, body: Mapping[str, object], gap: int) -> None:
        if not await self._post(body):
            self._try_later(body, gap + 1)

    async def _post(self, body: Mapping[str, object]) -> bool:
        if self._session is None or self.url is None:
            raise RuntimeError("callbacks are sent before the application has started")
        headers = {"content-type": "application/json; charset=UTF-8"}
        status = None
        try:
            async with self._session.post(
                self.url, data=msgspec.json.encode(body), headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        self.tries.append(Try(str(body["depositId"]), str(body["status"]), self._agenda.now(), status))
        return status == 200
