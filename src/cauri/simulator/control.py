"""The control plane: `/_control/`, a path no operator uses. Tests and demos direct the simulator here."""

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import json_answer, read_json_object
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.stories import ANSWERS, CALLBACKS, NEVER, OUTCOMES, PAID, Callback, Story

_PHONE = re.compile(r"[1-9][0-9]{7,14}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}([.][0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SLOW = re.compile(r"slow:[0-9]{1,4}([.][0-9]{1,3})?")
_DELAY_MAX_S = 86_400


class Mistake(Exception):
    """Control input that means nothing: 400, with words that name the field and what it takes."""


class Control:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[Route]:
        return [
            Route("/_control/reset", self._door(self._reset), methods=["POST"]),
            Route("/_control/story", self._door(self._story), methods=["POST"]),
            Route("/_control/settle", self._door(self._settle), methods=["POST"]),
            Route("/_control/books", self._door(self._books), methods=["GET"]),
            Route("/_control/prompts", self._door(self._prompts), methods=["GET"]),
            Route("/_control/callbacks", self._door(self._tries), methods=["GET"]),
        ]

    def _door(
        self, door: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            try:
                return await door(request)
            except Mistake as mistake:
                return json_answer({"error": str(mistake)}, 400)

        return guarded

    async def _reset(self, request: Request) -> Response:
        self._exchange.reset()
        return json_answer({"reset": True})

    async def _story(self, request: Request) -> Response:
        body = await _read(
            request, ("phone", "outcome", "delay_s", "callback", "answer", "amount", "currency")
        )
        phone = _phone(body)
        story = read_story(body)
        self._exchange.script(phone, story)
        return json_answer({"phone": phone, "story": story})

    async def _settle(self, request: Request) -> Response:
        body = await _read(request, ("reference", "outcome", "callback"))
        reference = body.get("reference")
        if not isinstance(reference, str):
            raise Mistake("reference: the depositId or request-id of a known request, as text")
        if "outcome" not in body:
            raise Mistake(f"outcome: one of {_list(OUTCOMES, but=NEVER)}")
        outcome = _one_of(body, "outcome", tuple(o for o in OUTCOMES if o != NEVER))
        callback = body.get("callback", False)
        if not isinstance(callback, bool):
            raise Mistake("callback: true or false")
        collection = self._exchange.find_anywhere(reference)
        if collection is None:
            return json_answer({"error": f"reference: nothing is known of {reference!r}"}, 404)
        self._exchange.overrule(collection, outcome, "normal" if callback else "lost")
        return json_answer(_collection_json(collection))

    async def _books(self, request: Request) -> Response:
        return json_answer({"debits": self._exchange.books.as_json()})

    async def _prompts(self, request: Request) -> Response:
        return json_answer({"prompts": [_prompt_json(c) for c in self._exchange.prompted()]})

    async def _tries(self, request: Request) -> Response:
        return json_answer({"callbacks": [one.as_json() for one in self._exchange.callbacks.tries]})


def read_story(body: Mapping[str, Any]) -> Story:
    """The story that a control request describes; what it leaves out is as in an ordinary payment.

    Raises `Mistake` naming the field.
    """
    return Story(
        outcome=_one_of(body, "outcome", OUTCOMES, PAID),
        delay_s=_delay(body),
        callback=cast(Callback, _one_of(body, "callback", CALLBACKS, "normal")),
        answer=_way_to_answer(body),
        amount=_override(body, "amount", _AMOUNT, 'a positive amount as text, such as "1500"'),
        currency=_override(body, "currency", _CURRENCY, 'three capital letters, such as "XOF"'),
    )


async def _read(request: Request, known: tuple[str, ...]) -> Mapping[str, Any]:
    body = await read_json_object(request)
    if body is None:
        raise Mistake("body: one JSON object")
    for name in body:
        if name not in known:
            raise Mistake(f"{name}: unknown; this door takes {_list(known)}")
    return {name: value for name, value in body.items() if value is not None}


def _phone(body: Mapping[str, Any]) -> str:
    phone = body.get("phone")
    text = phone.removeprefix("+") if isinstance(phone, str) else ""
    if not _PHONE.fullmatch(text):
        raise Mistake(
            'phone: the whole number as text, with the prefix of its country, such as "2250700000001"'
        )
    return text


def _one_of(body: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str = "") -> str:
    value = body.get(name, default)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text not in allowed:
        raise Mistake(f"{name}: one of {_list(allowed)}")
    return cast(str, text)


def _delay(body: Mapping[str, Any]) -> float | None:
    value = body.get("delay_s")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Mistake("delay_s: a number of seconds")
    if not 0 <= value <= _DELAY_MAX_S:
        raise Mistake(f"delay_s: between 0 and {_DELAY_MAX_S} seconds")
    return float(value)


def _way_to_answer(body: Mapping[str, Any]) -> str:
    value = body.get("answer", "normal")
    if value in ANSWERS or (isinstance(value, str) and _SLOW.fullmatch(value)):
        return cast(str, value)
    raise Mistake(f"answer: one of {_list(ANSWERS)}, or slow:<seconds> such as slow:2.5")


def _override(body: Mapping[str, Any], name: str, shape: re.Pattern[str], words: str) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not shape.fullmatch(text):
        raise Mistake(f"{name}: {words}")
    return text


def _list(words: tuple[str, ...], but: str = "") -> str:
    return ", ".join(word for word in words if word != but)


def _collection_json(collection: Collection) -> dict[str, object]:
    return {
        "dialect": collection.dialect,
        "reference": collection.reference,
        "phone": collection.phone,
        "amount": str(Decimal(collection.amount)),
        "currency": collection.currency,
        "outcome": collection.outcome,
    }


def _prompt_json(collection: Collection) -> dict[str, object]:
    prompt = _collection_json(collection) | {"kind": collection.prompt, "since": collection.created_at}
    del prompt["outcome"]
    if collection.prompt == "page":
        prompt["url"] = collection.extras["page"]
    return prompt
