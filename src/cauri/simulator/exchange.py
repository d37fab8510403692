"""What the simulated operators share: requests to collect, their stories, the books, the agenda."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cauri.simulator.accounts import Books, Debit
from cauri.simulator.agenda import Agenda
from cauri.simulator.callbacks import Call, Callbacks
from cauri.simulator.faults import CALLBACK, Faults
from cauri.simulator.received import ReceivedList
from cauri.simulator.scripts import Scripts
from cauri.simulator.shifted_clock import Clock, ShiftedClock
from cauri.simulator.stories import NEVER, PAID, Outcome, Story, story_of
from cauri.simulator.wallets import Wallets

Prompt = Literal["pin", "code", "page"]
"""What the payer has in hand: a PIN prompt, a code by SMS, the operator's page."""


@dataclass
class Collection:
    """One request to collect money from one payer: a deposit, a push. The same in every dialect.

    `outcome` is None while nothing is decided, then `paid` or a failure code. `extras` are the dialect's own
    facts.
    """

    dialect: str
    reference: str
    phone: str
    amount: str
    currency: str
    story: Story
    created_at: int
    operator_id: str
    prompt: Prompt | None
    extras: dict[str, object] = field(default_factory=dict)
    outcome: Outcome | None = None

    @property
    def reported_amount(self) -> str:
        return self.story.amount or self.amount

    @property
    def reported_currency(self) -> str:
        return self.story.currency or self.currency


OnSettled = Callable[[Collection, str], None]
"""Told of each decision with the way to call back: `normal`, `lost`, `twice`, `before_answer`."""


class Exchange:
    """State of all simulated operators.

    Every change happens between two awaits, so that no request ever sees half of one.
    """

    def __init__(self, clock: Clock, operator_delay_s: float) -> None:
        self.clock = ShiftedClock(clock)
        self.agenda = Agenda(self.clock)
        self.faults = Faults()
        self.callbacks = Callbacks(self.agenda, self._fault_of)
        self.books = Books()
        self.wallets = Wallets()
        self.scripts = Scripts()
        self.received = ReceivedList()
        self.operator_delay_s = operator_delay_s
        self._collections: dict[tuple[str, str], Collection] = {}
        self._by_reference: dict[str, Collection] = {}
        self._on_settled: dict[str, OnSettled] = {}
        self._on_reset: list[Callable[[], None]] = []

    def connect(self, dialect: str, on_settled: OnSettled, on_reset: Callable[[], None]) -> None:
        """A dialect asks to be told of its collections' ends, and when to forget everything. The last of a name counts."""
        self._on_settled.pop(dialect, None)
        self._on_settled[dialect] = on_settled
        self._on_reset.append(on_reset)

    @property
    def dialects(self) -> list[str]:
        """The dialects in the order in which they were connected."""
        return list(self._on_settled)

    def script(self, phone: str, story: Story) -> None:
        """The next request to collect from `phone` gets this story; one set before it is replaced."""
        self.scripts.set_for_phone(phone, [story])

    def take_story(self, phone: str, test_numbers: Mapping[str, Story]) -> Story:
        """What was told beforehand of the number or of the operator that is asked, else what the number itself says."""
        return self.scripts.take(phone) or story_of(phone, test_numbers)

    def collections(self, dialect: str | None = None) -> Sequence[Collection]:
        """Every request to collect, oldest first; of all operators, or of one."""
        return [c for c in self._collections.values() if dialect in (None, c.dialect)]

    def find(self, dialect: str, reference: str) -> Collection | None:
        return self._collections.get((dialect, reference))

    def find_anywhere(self, reference: str) -> Collection | None:
        return self._by_reference.get(reference)

    def record(self, collection: Collection) -> None:
        self._collections[collection.dialect, collection.reference] = collection
        self._by_reference.setdefault(collection.reference, collection)

    def plan_end(self, collection: Collection) -> None:
        """The story takes its course: decided after its delay, at once without one, never for `never`."""
        if collection.story.outcome == NEVER:
            return
        delay_s = self.operator_delay_s if collection.story.delay_s is None else collection.story.delay_s
        if delay_s <= 0:
            self.end(collection, collection.story.outcome)
        else:
            self.agenda.after(delay_s, lambda: self.end(collection, collection.story.outcome))

    def end(self, collection: Collection, outcome: Outcome) -> None:
        """Decides a collection that is still open; one that is decided stays as it is."""
        if collection.outcome is None:
            self.overrule(collection, outcome, collection.story.callback)

    def overrule(
        self, collection: Collection, outcome: Outcome, callback: str, *, whatever_the_wallet: bool = False
    ) -> None:
        """Decides a collection, again if need be, keeps the books in step and tells the dialect.

        A wallet that was given a balance or limits has the last word on a payment, unless told otherwise.
        """
        if outcome == PAID and collection.outcome != PAID:
            refusal = None if whatever_the_wallet else self._refusal_of(collection)
            outcome = refusal or self._debit(collection)
        if outcome != PAID:
            self._take_back(collection)
        collection.outcome = outcome
        collection.prompt = None
        self._on_settled[collection.dialect](collection, callback)

    def prompted(self) -> list[Collection]:
        """Collections whose payer has something in hand, oldest first."""
        return [c for c in self._collections.values() if c.prompt is not None]

    def advance(self, milliseconds: int) -> None:
        """The operators' clock moves forward; what was planned for the time between happens at its own time."""
        until = self.clock.now() + milliseconds
        while (due := self.agenda.next_due()) is not None and due <= until:
            self.clock.advance(max(due - self.clock.now(), 0))
            self.agenda.run_due()
        self.clock.advance(max(until - self.clock.now(), 0))
        self.agenda.wake()

    def reset(self) -> None:
        self.agenda.clear()
        self.clock.put_back()
        self.callbacks.tries.clear()
        self.books = Books()
        self.wallets.reset()
        self.scripts.clear()
        self.faults.clear()
        self.received.clear()
        self._collections.clear()
        self._by_reference.clear()
        for forget in self._on_reset:
            forget()

    def _refusal_of(self, collection: Collection) -> Outcome | None:
        return self.wallets.refusal(
            collection.phone, collection.reported_amount, collection.reported_currency, self.agenda.now()
        )

    def _debit(self, collection: Collection) -> Outcome:
        debit = Debit(
            dialect=collection.dialect,
            reference=collection.reference,
            phone=collection.phone,
            amount=collection.reported_amount,
            currency=collection.reported_currency,
            debited_at=self.agenda.now(),
            operator_id=collection.operator_id,
            merchant_reference=str(collection.extras.get("merchant_reference") or collection.reference),
        )
        self.books.debit(debit)
        self.wallets.debited(debit)
        return PAID

    def _take_back(self, collection: Collection) -> None:
        debit = self.books.take_back(collection.dialect, collection.reference, self.agenda.now())
        if debit is not None:
            self.wallets.taken_back(debit)

    def _fault_of(self, call: Call) -> str | None:
        """What becomes of a callback on its way."""
        collection = self.find_anywhere(call.reference)
        return self.faults.next(collection.dialect if collection else "", CALLBACK)


def new_operator_id() -> str:
    """An operator's own reference: thirteen digits, like the 8210407187720 of the 2021 guide."""
    return str(10**12 + secrets.randbelow(9 * 10**12))
