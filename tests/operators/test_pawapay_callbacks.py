"""pawaPay's callbacks, and anything at all that may come instead of an answer."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pawapay_answers import NONSENSE, PAGE, reason
from scripted_operator import REFERENCE

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback
from cauri.operators.http import Answer
from cauri.operators.pawapay import PawaPay, read_check, read_start


def read(body):
    return PawaPay("http://127.0.0.1:1", "t0ken").read_callback(
        {}, body if isinstance(body, bytes) else json.dumps(body).encode()
    )


CALLBACKS = {
    "paid": ({"status": "COMPLETED", "amount": "1500.0000", "currency": "XOF", "providerTransactionId": "p1"}, Accepted("p1", 1500, "XOF")),
    "failed": ({"status": "FAILED", **reason("PAYER_NOT_FOUND")}, Refused(Code.PHONE_NOT_FOUND, "PAYER_NOT_FOUND")),
    "a page": (
        {"status": "PROCESSING", "nextStep": "REDIRECT_TO_AUTH_URL", "authorizationUrl": PAGE},
        Waiting(Code.WAITING_AT_OPERATOR, PAGE, "PROCESSING"),
    ),
    "processing": ({"status": "PROCESSING"}, Waiting(None, word="PROCESSING")),
    "unknown": ({"status": "REVERSED"}, Unknown("unknown status: REVERSED", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("body", "outcome"), CALLBACKS.values(), ids=CALLBACKS.keys())
def test_a_callback_names_its_attempt_and_what_it_claims(body, outcome):
    callback = read({"depositId": REFERENCE.upper(), **body})
    assert (callback.reference, callback.outcome) == (REFERENCE, outcome)


BAD_CALLBACKS = {
    **{name: body for name, body in NONSENSE.items() if name != "a byte order mark"},
    "no deposit": {"status": "COMPLETED"},
    "no UUID": {"depositId": "../../etc/passwd", "status": "COMPLETED"},
    "no status": {"depositId": REFERENCE},
    "larger than 64 KiB": {"depositId": REFERENCE, "status": "COMPLETED", "x": "x" * 65_536},
}


@pytest.mark.parametrize("body", BAD_CALLBACKS.values(), ids=BAD_CALLBACKS.keys())
def test_a_bad_callback_is_refused(body):
    with pytest.raises(BadCallback):
        read(body)


WORDS = st.sampled_from(
    [
        None,
        "",
        "FOUND",
        "ACCEPTED",
        "COMPLETED",
        "FAILED",
        "PROCESSING",
        "REJECTED",
        REFERENCE,
        0,
        1.5,
        True,
        [],
        {},
    ]
)
THINGS = st.recursive(
    WORDS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "data",
                    "depositId",
                    "amount",
                    "failureReason",
                    "failureCode",
                    "nextStep",
                    "authorizationUrl",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(status=st.sampled_from([200, 400, 401, 403, 500]), thing=THINGS)
def test_whatever_json_comes_reading_it_gives_an_outcome_and_money_needs_our_reference(
    order_of, status, thing
):
    body = json.dumps(thing).encode()
    order = order_of()
    for outcome in (read_start(Answer(status, body), order), read_check(Answer(status, body), order)):
        assert isinstance(outcome, (Accepted, Refused, Waiting, Unknown))
        if isinstance(outcome, Accepted):
            assert status == 200
            assert REFERENCE.encode() in body
    with contextlib.suppress(BadCallback):
        read(body)
