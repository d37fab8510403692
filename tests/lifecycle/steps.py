"""The steps of a history: each does one thing to a payment, and says which code check must show afterwards."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cauri.clock import MINUTE
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused
from tests.lifecycle.shopping import Purchase

Act = Callable[[Purchase], Awaitable[Any]]


@dataclass(frozen=True)
class Step:
    """``shows``: the code after it. ``stays``: the loops run a while first, and the code must not have changed."""

    act: Act
    shows: str
    stays: bool = False


def pays(shows: str, method: str = "OM", **story: Any) -> Step:
    """The payer gives a new number; unless told otherwise the operator leaves the prompt unanswered."""
    return Step(lambda buyer: buyer.pays(method, **{"outcome": "never", **story}), shows)


def types_code(code: str, shows: str) -> Step:
    return Step(lambda buyer: buyer.post("code", code=code), shows)


def cancels(shows: str) -> Step:
    return Step(lambda buyer: buyer.post("cancel"), shows)


def leaves(shows: str) -> Step:
    return Step(lambda buyer: buyer.post("leave"), shows)


def says(outcome: str, shows: str, attempt: int = 1) -> Step:
    """The operator decides and calls back."""
    return Step(lambda buyer: buyer.operator_says(outcome, attempt), shows)


def decides_in_silence(outcome: str, shows: str, attempt: int = 1) -> Step:
    """The operator decides and its callback is lost: it must be asked."""
    return Step(lambda buyer: buyer.operator_says(outcome, attempt, callback=False), shows)


def still(shows: str) -> Step:
    """Nothing is done, time passes, and nothing changes."""
    return Step(_nothing, shows, stays=True)


def says_in_vain(outcome: str, shows: str, attempt: int = 1) -> Step:
    """The operator says something that must change nothing the merchant sees."""
    return Step(lambda buyer: buyer.operator_says(outcome, attempt), shows, stays=True)


def after(minutes: float, shows: str) -> Step:
    """The clock jumps."""

    async def jump(buyer: Purchase) -> None:
        buyer.shop.clock.advance(round(minutes * MINUTE))
        await buyer.shop.turn()

    return Step(jump, shows, stays=True)


def before_loops_after(minutes: float) -> Step:
    """The clock jumps, and no loop of this test looks yet."""

    async def jump(buyer: Purchase) -> None:
        buyer.shop.clock.advance(round(minutes * MINUTE))

    return Step(jump, "")


def operator_forgets(shows: str) -> Step:
    """The operator no longer knows any reference."""
    return Step(_forget, shows, stays=True)


def next_question_meets(fault: str, shows: str) -> Step:
    """The network spoils the answer to the next question, as a proxy's error page does."""

    async def act(buyer: Purchase) -> None:
        await buyer.shop.control("faults", operator="pawapay", door="check", fault=fault)

    return Step(act, shows, stays=True)


def answers_on_operators_page(answer: str, shows: str) -> Step:
    """The payer follows the link of our page and presses a button of the operator's."""

    async def act(buyer: Purchase) -> None:
        link = await _operator_link(buyer)
        pressed = await buyer.shop.client.post(link, data={"answer": answer})
        assert pressed.status_code == 303, pressed.text

    return Step(act, shows)


def closed_by_a_person(decision: str, shows: str) -> Step:
    """``paid``, or the code of a refusal."""

    async def act(buyer: Purchase) -> None:
        outcome = Accepted("statement-17") if decision == "paid" else Refused(Code.of(decision))
        running = buyer.shop.running
        await running.lifecycle.close(
            running.site_id, buyer.transaction_id, outcome, who="Awa", why="seen on the statement"
        )

    return Step(act, shows)


async def _nothing(buyer: Purchase) -> None:
    pass


async def _forget(buyer: Purchase) -> None:
    url = f"{buyer.shop.running.simulator_url}/_control/reset"
    assert (await buyer.shop.client.post(url)).status_code == 200


async def _operator_link(buyer: Purchase) -> str:
    for _ in range(20):
        found = re.search(r'href="(http[^"]*/authorise/[^"]+)"', (await buyer.page()).text)
        if found:
            return found[1]
        buyer.shop.clock.advance(500)
        await buyer.shop.turn()
    raise AssertionError("our page never linked to the operator's")


async def take(step: Step, buyer: Purchase) -> None:
    """Does the step, and waits for what it must show."""
    await step.act(buyer)
    if step.stays:
        for _ in range(3):
            buyer.shop.clock.advance(2_000)
            await buyer.shop.turn()
        code = await buyer.code()
        assert code == step.shows, f"shows {code}, not {step.shows}: {(await buyer.timeline()).history}"
        await buyer.is_told()
    elif step.shows:
        await buyer.comes_to(step.shows)
