"""Callbacks of every dialect: one request to the merchant, and again by the dialect's own ladder until it is answered well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from cauri.simulator.agenda import Agenda
from cauri.simulator.stories import answer_delay_s

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_JSON = {"content-type": "application/json; charset=UTF-8"}


@dataclass(frozen=True)
class Call:
    """What is sent. `reference` and `said` are what the control plane lists of it; `sign` gives headers that depend on the moment; `heard_by`
    are the statuses that end the tries.
    """

    url: str
    body: bytes
    reference: str
    said: str
    verb: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    sign: Callable[["Call"], Mapping[str, str]] | None = None
    heard_by: range = range(200, 300)


@dataclass(frozen=True)
class Try:
    """One request made. `status` is the HTTP status of the receiver, None when it gave none."""

    reference: str
    said: str
    at: int
    status: int | None

    def as_json(self) -> dict[str, object]:
        return {"reference": self.reference, "said": self.said, "at": self.at, "status": self.status}


class Callbacks:
    """Sends for all dialects. `gaps_s`: seconds between one try and the next; empty: one try only.

    `fault_of` says what becomes of each call on its way (`faults.FAULTS_OF_CALLBACKS`, `slow:<seconds>`).
    """

    def __init__(self, agenda: Agenda, fault_of: Callable[[Call], str | None] = lambda _: None) -> None:
        self.tries: list[Try] = []
        self._agenda = agenda
        self._fault_of = fault_of
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    def send(self, call: Call, gaps_s: Sequence[float] = (), times: int = 1) -> None:
        """Delivers in the background, `times` deliveries one after the other."""
        self._agenda.spawn(self._send(call, gaps_s, times))

    async def send_now(self, call: Call, gaps_s: Sequence[float] = ()) -> None:
        """The first try is over when this returns; the others follow in the background."""
        if not await self._made(call):
            self._try_later(call, gaps_s, 0)

    async def _send(self, call: Call, gaps_s: Sequence[float], times: int) -> None:
        for _ in range(times):
            await self.send_now(call, gaps_s)

    def _try_later(self, call: Call, gaps_s: Sequence[float], gap: int) -> None:
        if gap < len(gaps_s):
            self._agenda.after(gaps_s[gap], lambda: self._agenda.spawn(self._retry(call, gaps_s, gap)))

    async def _retry(self, call: Call, gaps_s: Sequence[float], gap: int) -> None:
        if not await self._made(call):
            self._try_later(call, gaps_s, gap + 1)

    async def _made(self, call: Call) -> bool:
        """One try; whether it was heard."""
        fault = self._fault_of(call)
        if fault == "drop_before":
            return False
        if fault is not None and (delay_s := answer_delay_s(fault)):
            await self._agenda.sleep(delay_s)
        if fault == "twice":
            await self._sent(call)
        return await self._sent(call) and fault != "drop_after"

    async def _sent(self, call: Call) -> bool:
        if self._session is None:
            raise RuntimeError("callbacks are sent before the application has started")
        headers = {**call.headers, **(call.sign(call) if call.sign is not None else {})}
        status = None
        try:
            async with self._session.request(
                call.verb, call.url, data=call.body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        self.tries.append(Try(call.reference, call.said, self._agenda.now(), status))
        return status in call.heard_by
