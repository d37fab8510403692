"""Whatever is written is read back equal: any Unicode text but U+0000 and lone surrogates, any amount, any metadata."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauri.clock import new_id
from cauri.domain import moves
from cauri.domain.payment import Change, Payment, PaymentRequest
from cauri.domain.phone import Phone
from cauri.store import Store, Vault, engine_for
from tests.store.conftest import SECRET
from tests.store.records import NOW, new_payment, sent_attempt

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
maybe_texts = st.none() | texts
times = st.integers(0, 2**53)
phones = st.builds(
    Phone, st.sampled_from(["CI", "SN"]), st.sampled_from(["225", "221"]), st.from_regex(r"\A0\d{9}\Z")
)

requests = st.builds(
    PaymentRequest,
    description=texts,
    return_url=texts,
    notify_url=maybe_texts,
    channels=st.lists(texts, max_size=3).map(tuple),
    lang=st.sampled_from(["fr", "en"]),
    metadata=maybe_texts,
    invoice_data=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    lock_phone_number=st.booleans(),
    customer_phone=maybe_texts,
    customer_name=maybe_texts,
    card_block=st.none() | st.dictionaries(texts, texts, max_size=3),
    attempts_max=st.integers(1, 9),
)
payment_fields = st.fixed_dictionaries(
    {
        "amount": st.integers(1, 2**62),
        "currency": texts,
        "created_at": times,
        "expires_at": times,
        "request": requests,
        "idempotency_key": maybe_texts,
        "body_hash": maybe_texts,
    }
)
attempt_fields = st.fixed_dictionaries(
    {
        "connector": texts,
        "method": texts,
        "phone": phones,
        "operator_id": maybe_texts,
        "page_url": maybe_texts,
        "word": texts,
        "sent_at": st.none() | times,
        "next_ask_at": st.none() | times,
        "claimed_until": times,
        "claimed_by": maybe_texts,
    }
)
relaxed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Hypothesis calls a plain function many times; each example has a store of its own."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def _in_a_store(database: str, loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    async def run() -> Any:
        store = Store(engine_for(database), Vault(SECRET))
        try:
            return await work(store)
        finally:
            await store.close()

    return loop.run_until_complete(run())


def _named(names: str, fields: dict[str, Any]) -> Payment:
    return new_payment(f"{names}{secrets.token_hex(8)}", **fields)


@relaxed
@given(name=texts, fields=payment_fields)
def test_a_payment_is_read_back_as_it_was_opened(
    database: str, own_loop: asyncio.AbstractEventLoop, name: str, fields: dict[str, Any]
) -> None:
    payment = _named(name, fields)

    async def work(store: Store) -> list[Payment | None]:
        return [
            await store.open_payment(payment),
            await store.payment_by_token(payment.token),
            await store.payment_by_transaction(payment.site_id, payment.transaction_id),
        ]

    assert _in_a_store(database, own_loop, work) == [payment] * 3


@relaxed
@given(fields=attempt_fields, note=texts, actor=texts)
def test_a_change_is_read_back_as_it_was_made(
    database: str, own_loop: asyncio.AbstractEventLoop, fields: dict[str, Any], note: str, actor: str
) -> None:
    payment = new_payment()
    attempt = sent_attempt(payment, **fields)
    made = moves.started(payment, attempt, None, NOW, new_id())
    change = Change(
        **{name: getattr(made, name) for name in made.__struct_fields__} | {"note": note, "actor": actor}
    )

    async def work(store: Store) -> None:
        await store.open_payment(payment)
        assert await store.apply(change)
        assert await store.payment_by_token(payment.token) == change.after
        assert await store.attempts(payment) == [attempt]
        assert await store.attempt_by_reference(attempt.reference) == attempt
        row = (await store.timeline(payment)).history[-1]
        assert (row.note, row.actor, row.version) == (note, actor, 2)

    _in_a_store(database, own_loop, work)
