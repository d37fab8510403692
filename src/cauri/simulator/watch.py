"""Stands before every door of every dialect: keeps the list of requests and spoils answers as it was ordered."""

from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cauri.simulator.answers import NONSENSE, Dropped
from cauri.simulator.exchange import Exchange
from cauri.simulator.faults import DOORS, TURNED_AWAY
from cauri.simulator.received import Received, without_secrets
from cauri.simulator.scripts import ASKED_OF
from cauri.simulator.stories import answer_delay_s

OTHER = "other"

DoorOf = Callable[[Scope], str]


def watch(exchange: Exchange, operator: str, route: Route, door_of: DoorOf | None) -> None:
    """Puts the watch before `route`.

    What its door is for is said by the route's name, one of `DOORS`; by `door_of` where one path has several.
    """
    route.app = _Watched(exchange, operator, route, door_of or (lambda _: kind_of(route)))


def kind_of(route: Route) -> str:
    return route.name if route.name in DOORS else OTHER


class _Again:
    """The request's body once more, then whatever the connection says; cutting the connection still works."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.transport = getattr(getattr(receive, "__self__", None), "transport", None)
        self._body: bytes | None = body
        self._receive = receive

    async def receive(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Watched:
    def __init__(self, exchange: Exchange, operator: str, route: Route, door_of: DoorOf) -> None:
        self._exchange = exchange
        self._operator = operator
        self._inner: ASGIApp = route.app
        self._path = route.path
        self._door_of = door_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body_of(receive)
        door = self._door_of(scope)
        fault = self._exchange.faults.next(self._operator, door, self._path)
        said: list[Message] = []

        async def keep_and_send(message: Message) -> None:
            said.append(message)
            await send(message)

        before = self._exchange.agenda.now()
        token = ASKED_OF.set(self._operator)
        try:
            await self._answer(fault, scope, _Again(body, receive), keep_and_send)
        finally:
            ASKED_OF.reset(token)
            status = next((m["status"] for m in said if m["type"] == "http.response.start"), None)
            self._exchange.received.add(
                Received(
                    at=before,
                    operator=self._operator,
                    door=door,
                    method=scope["method"],
                    path=self._path,
                    body=without_secrets(body),
                    fault=fault,
                    status=status,
                )
            )

    async def _answer(self, fault: str | None, scope: Scope, again: _Again, send: Send) -> None:
        if fault is None:
            await self._inner(scope, again.receive, send)
        elif fault == "drop_before":
            await Dropped()(scope, again.receive, send)
        elif fault in TURNED_AWAY:
            status, words = int(fault), TURNED_AWAY[fault]
            await Response(words, status, media_type="text/plain")(scope, again.receive, send)
        else:
            await self._spoil(fault, scope, again, send)

    async def _spoil(self, fault: str, scope: Scope, again: _Again, send: Send) -> None:
        if fault == "twice":
            body = (await again.receive())["body"]
            answer = await self._heard(scope, _Again(body, again.receive))
            await self._heard(scope, _Again(body, again.receive))
        else:
            answer = await self._heard(scope, again)
        if not answer:
            return
        if fault == "drop_after":
            await Dropped()(scope, again.receive, send)
        elif fault == "500":
            await Response("Internal Server Error", 500, media_type="text/plain")(scope, again.receive, send)
        elif fault == "nonsense":
            await Response(NONSENSE, 200, media_type="text/html")(scope, again.receive, send)
        else:
            if delay_s := answer_delay_s(fault):
                await self._exchange.agenda.sleep(delay_s)
            for message in answer:
                await send(message)

    async def _heard(self, scope: MutableMapping[str, Any], again: _Again) -> list[Message]:
        """What the door answers, kept; nothing where it cut the connection itself."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._inner(dict(scope), again.receive, keep)
        return answer


async def _body_of(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)
