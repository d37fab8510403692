"""What a migration makes of data that an earlier version wrote."""

from __future__ import annotations

import pytest

from cauri.store import Store
from cauri.store.migrate import migrations
from cauri.store.queries import spelled
from tests.store.records import new_payment, sent_attempt, started


@pytest.mark.parametrize(
    ("connector", "method", "becomes"),
    [
        ("moov_3pp", "FLOOZ", "moov_3pp_ci"),
        ("moov_3pp", "MOOVBF", "moov_3pp_bf"),
        ("moov_3pp", "MOOVML", "moov_3pp_ml"),
        ("moov_3pp_bf", "MOOVBF", "moov_3pp_bf"),
        ("pawapay", "MOOVBF", "pawapay"),
    ],
)
async def test_an_attempt_in_flight_at_moov_goes_on_with_the_connector_of_its_country(
    store: Store, connector: str, method: str, becomes: str
) -> None:
    payment = await store.open_payment(new_payment())
    attempt = sent_attempt(payment, connector=connector, method=method)
    assert await store.apply(started(payment, attempt))
    (migration,) = (text for text in migrations().values() if "'moov_3pp_ci'" in text)
    for _ in range(2):  # a second time changes nothing more
        await store.engine.script([spelled(migration, store.engine.dialect).strip().rstrip(";")])
        (found,) = await store.attempts(payment)
        assert (found.connector, found.method, found.reference) == (becomes, method, attempt.reference)
