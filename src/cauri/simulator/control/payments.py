"""Levers of payments: stories told beforehand, ends changed afterwards, what payers have in hand."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from cauri.simulator.answers import json_answer
from cauri.simulator.control.reading import (
    Door,
    Mistake,
    known_only,
    listed,
    number,
    one_of,
    operator_in,
    phone_in,
    read,
)
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.stories import ANSWERS, CALLBACKS, NEVER, OUTCOMES, PAID, Callback, Story

_AMOUNT = re.compile(r"[1-9][0-9]{0,11}([.][0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SLOW = re.compile(r"slow:[0-9]{1,4}([.][0-9]{1,3})?")
_DELAY_MAX_S = 86_400
_STORIES_MAX = 1000

_STORY = ("outcome", "delay_s", "callback", "answer", "amount", "currency")


class PaymentDoors:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def doors(self) -> Sequence[tuple[str, str, Door]]:
        return [
            ("POST", "/reset", self._reset),
            ("POST", "/story", self._story),
            ("POST", "/next", self._next),
            ("POST", "/settle", self._settle),
            ("GET", "/prompts", self._prompts),
            ("GET", "/callbacks", self._tries),
        ]

    async def _reset(self, request: Request) -> Response:
        self._exchange.reset()
        return json_answer({"reset": True})

    async def _story(self, request: Request) -> Response:
        body = await read(request, ("phone", *_STORY))
        phone = phone_in(body)
        story = read_story(body)
        self._exchange.script(phone, story)
        return json_answer({"phone": phone, "story": story})

    async def _next(self, request: Request) -> Response:
        """The next stories of a number or of an operator, in place of those set before."""
        body = await read(request, ("phone", "operator", "outcomes"))
        if ("phone" in body) == ("operator" in body):
            raise Mistake("phone: give either a phone or an operator")
        stories = _stories(body)
        if "phone" in body:
            self._exchange.scripts.set_for_phone(phone_in(body), stories)
        else:
            self._exchange.scripts.set_for_operator(str(operator_in(body, self._exchange)), stories)
        return json_answer({"next": stories})

    async def _settle(self, request: Request) -> Response:
        body = await read(request, ("reference", "operator", "outcome", "callback"))
        reference = body.get("reference")
        if not isinstance(reference, str):
            raise Mistake("reference: that of a known request (GET /_control/books lists them), as text")
        if "outcome" not in body:
            raise Mistake(f"outcome: one of {listed(OUTCOMES, but=NEVER)}")
        outcome = one_of(body, "outcome", tuple(o for o in OUTCOMES if o != NEVER))
        callback = body.get("callback", False)
        if not isinstance(callback, bool):
            raise Mistake("callback: true or false")
        operator = operator_in(body, self._exchange)
        find = self._exchange.find
        collection = find(operator, reference) if operator else self._exchange.find_anywhere(reference)
        if collection is None:
            return json_answer({"error": f"reference: nothing is known of {reference!r}"}, 404)
        said = "normal" if callback else "lost"
        self._exchange.overrule(collection, outcome, said, whatever_the_wallet=True)
        return json_answer(collection_json(collection))

    async def _prompts(self, request: Request) -> Response:
        return json_answer({"prompts": [_prompt_json(c) for c in self._exchange.prompted()]})

    async def _tries(self, request: Request) -> Response:
        return json_answer({"callbacks": [one.as_json() for one in self._exchange.callbacks.tries]})


def read_story(body: Mapping[str, Any]) -> Story:
    """The story that a control request describes; what it leaves out is as in an ordinary payment.

    Raises `Mistake` naming the field.
    """
    return Story(
        outcome=one_of(body, "outcome", OUTCOMES, PAID),
        delay_s=number(body, "delay_s", 0, _DELAY_MAX_S, "a number of seconds"),
        callback=cast(Callback, one_of(body, "callback", CALLBACKS, "normal")),
        answer=_way_to_answer(body),
        amount=_override(body, "amount", _AMOUNT, 'a positive amount as text, such as "1500"'),
        currency=_override(body, "currency", _CURRENCY, 'three capital letters, such as "XOF"'),
    )


def _stories(body: Mapping[str, Any]) -> list[Story]:
    outcomes = body.get("outcomes")
    if not isinstance(outcomes, list) or len(outcomes) > _STORIES_MAX or None in outcomes:
        raise Mistake(
            f'outcomes: a list of at most {_STORIES_MAX}, such as ["602", "paid"]; [] forgets what was set'
        )
    try:
        return [
            read_story(known_only(one if isinstance(one, dict) else {"outcome": one}, _STORY))
            for one in outcomes
        ]
    except Mistake as mistake:
        raise Mistake(f"outcomes: each an outcome or a story; {mistake}") from None


def _way_to_answer(body: Mapping[str, Any]) -> str:
    value = body.get("answer", "normal")
    if value in ANSWERS or (isinstance(value, str) and _SLOW.fullmatch(value)):
        return cast(str, value)
    raise Mistake(f"answer: one of {listed(ANSWERS)}, or slow:<seconds> such as slow:2.5")


def _override(body: Mapping[str, Any], name: str, shape: re.Pattern[str], words: str) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not shape.fullmatch(text):
        raise Mistake(f"{name}: {words}")
    return text


def collection_json(collection: Collection) -> dict[str, object]:
    return {
        "dialect": collection.dialect,
        "reference": collection.reference,
        "phone": collection.phone,
        "amount": str(Decimal(collection.amount)),
        "currency": collection.currency,
        "outcome": collection.outcome,
    }


def _prompt_json(collection: Collection) -> dict[str, object]:
    prompt = collection_json(collection) | {"kind": collection.prompt, "since": collection.created_at}
    del prompt["outcome"]
    if collection.prompt == "page":
        prompt["url"] = collection.extras["page"]
    return prompt
