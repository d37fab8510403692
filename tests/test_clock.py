"""New ids: unguessable, never twice, not even in two processes of one parent."""

from __future__ import annotations

import os
import re
from uuid import UUID

from cauri.clock import new_id, operator_reference, payment_token


def test_a_payment_token_is_its_slot_and_128_random_bits_in_lower_case_hex() -> None:
    tokens = {payment_token(10) for _ in range(2_000)}
    assert len(tokens) == 2_000
    assert all(re.fullmatch(r"0a[0-9a-f]{32}", token) for token in tokens)


def test_an_operators_reference_is_a_uuid4_that_begins_with_the_slot() -> None:
    reference = UUID(operator_reference(255))
    assert reference.version == 4
    assert reference.bytes[0] == 255


def test_a_forked_process_never_gives_out_its_parents_ids() -> None:
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(new_id() for _ in range(300)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        childs = set(pipe.read().split())
    assert len(childs) == 300
    assert childs.isdisjoint(new_id() for _ in range(300))
