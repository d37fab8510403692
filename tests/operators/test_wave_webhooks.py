"""Wave's webhooks: both ways to vouch for one, rotation, clocks that differ, forgeries."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

import pytest
from pawapay_answers import NONSENSE
from scripted_operator import REFERENCE
from wave_answers import API_KEY, ID, NEW, OLD, PAGE, paid, session

from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Unknown, Waiting
from cauri.operators.base import BadCallback
from cauri.operators.wave import Wave

NOW = 1_790_000_000_000
T = NOW // SECOND


def wave_with(*secrets, now=NOW):
    return Wave("SN", API_KEY, clock=ManualClock(now), webhook_secrets=secrets)


def event(data=None, kind="checkout.session.completed"):
    return json.dumps({"id": "EV_1", "type": kind, "data": paid() if data is None else data}).encode()


def v1(secret, body, at=T):
    return hmac.new(secret.encode(), str(at).encode() + body, sha256).hexdigest()


def signed(body, *secrets, at=T):
    return {"wave-signature": ",".join([f"t={at}", *(f"v1={v1(secret, body, at)}" for secret in secrets)])}


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


PAID = Accepted("TCN4Y4ZC3FM", 1500, "XOF", 1_767_225_662_000)
GENUINE = {
    "signed": (signed(event(), NEW), (NEW,)),
    "signed, header in another case": ({"Wave-Signature": signed(event(), NEW)["wave-signature"]}, (NEW,)),
    "signed with the old secret during a rotation": (signed(event(), OLD), (NEW, OLD)),
    "signed with both secrets, we know the new one": (signed(event(), OLD, NEW), (NEW,)),
    "signed with both secrets, we know the old one": (signed(event(), OLD, NEW), (OLD,)),
    "signed, with a scheme we do not know beside": (
        {"wave-signature": f"t={T}, v0=x, v1={v1(NEW, event())}"},
        (NEW,),
    ),
    "shared secret": (bearer(NEW), (NEW,)),
    "shared secret, the old one during a rotation": (bearer(OLD), (NEW, OLD)),
}


@pytest.mark.parametrize(("headers", "secrets"), GENUINE.values(), ids=GENUINE.keys())
def test_a_genuine_webhook_names_its_attempt_and_what_it_claims(headers, secrets):
    callback = wave_with(*secrets).read_callback(headers, event())
    assert (callback.reference, callback.outcome, callback.proof) == (REFERENCE, PAID, None)


FORGED = {
    "nothing": ({}, "neither"),
    "another shared secret": (bearer("wave_sn_WHS_guess"), "neither"),
    "a part of the shared secret": (bearer(NEW[:-1]), "neither"),
    "the shared secret without Bearer": ({"authorization": NEW}, "neither"),
    "a shared secret of odd characters": (bearer("\udcff\xe9"), "neither"),
    "signed with another secret": (signed(event(), "guess"), "not made with"),
    "signed, the other body": (signed(event(session()), NEW), "not made with"),
    "signed with a dot between": ({"wave-signature": f"t={T},v1={hmac.new(NEW.encode(), str(T).encode() + b'.' + event(), sha256).hexdigest()}"}, "not made with"),
    "signed for another time": ({"wave-signature": f"t={T},v1={v1(NEW, event(), T - 1)}"}, "not made with"),
    "in capitals": ({"wave-signature": f"t={T},v1={v1(NEW, event()).upper()}"}, "not made with"),
    "no signature": ({"wave-signature": f"t={T}"}, "not made with"),
    "an empty signature": ({"wave-signature": f"t={T},v1="}, "not made with"),
    "no time": ({"wave-signature": f"v1={v1(NEW, event())}"}, "no time"),
    "two times": ({"wave-signature": f"t={T},t={T},v1={v1(NEW, event())}"}, "no time"),
    "a time that is none": ({"wave-signature": f"t=now,v1={v1(NEW, event())}"}, "no time"),
    "a time of odd digits": ({"wave-signature": f"t=١٢٣,v1={v1(NEW, event())}"}, "no time"),
    "an empty header": ({"wave-signature": ""}, "no time"),
    "a bad signature and the shared secret": ({"wave-signature": f"t={T},v1=0", **bearer(NEW)}, "not made with"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "told"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_webhook_is_refused(headers, told):
    with pytest.raises(BadCallback, match=told):
        wave_with(NEW).read_callback(headers, event())


@pytest.mark.parametrize("headers", [{}, bearer(NEW), bearer(""), signed(event(), ""), signed(event(), NEW)])
def test_without_a_secret_no_webhook_is_believed(headers):
    with pytest.raises(BadCallback, match="webhook_secrets"):
        wave_with().read_callback(headers, event())


@pytest.mark.parametrize("skew", [0, 5 * MINUTE, -5 * MINUTE, 299 * SECOND])
def test_a_clock_may_be_five_minutes_off(skew):
    assert wave_with(NEW, now=NOW + skew).read_callback(signed(event(), NEW), event()).outcome == PAID


@pytest.mark.parametrize("skew", [5 * MINUTE + 1, -5 * MINUTE - 1, 24 * 60 * MINUTE])
def test_a_webhook_repeated_later_is_refused(skew):
    with pytest.raises(BadCallback, match="5 minutes off"):
        wave_with(NEW, now=NOW + skew).read_callback(signed(event(), NEW), event())


def test_the_same_webhook_twice_says_the_same():
    wave = wave_with(NEW)
    assert wave.read_callback(bearer(NEW), event()) == wave.read_callback(bearer(NEW), event())


def test_a_failed_payment_is_told_as_an_open_session():
    body = event(
        session(last_payment_error={"code": "insufficient-funds", "message": "x"}),
        "checkout.session.payment_failed",
    )
    assert wave_with(NEW).read_callback(bearer(NEW), body).outcome == Waiting(
        Code.WAITING_AT_OPERATOR, PAGE, "open: insufficient-funds", ID
    )


@pytest.mark.parametrize("kind", ["b2b.payment_received", "merchant.payment_received", "test.test_event"])
def test_a_webhook_about_something_else_is_received_and_names_nobody(kind):
    callback = wave_with(NEW).read_callback(bearer(NEW), event({"amount": "1"}, kind))
    assert callback.reference == ""
    assert isinstance(callback.outcome, Unknown)


@pytest.mark.parametrize("others", [None, "order 42", "", "x" * 255])
def test_a_session_that_others_opened_with_the_same_wallet_is_received_and_names_nobody(others):
    callback = wave_with(NEW).read_callback(bearer(NEW), event(paid(client_reference=others)))
    assert callback.reference == ""
    assert isinstance(callback.outcome, Unknown)


BAD = {
    **{name: body for name, body in NONSENSE.items() if name != "a huge body"},
    "data that is a text": event("x"),
    "larger than 64 KiB": event(paid(business_name="x" * 65_536)),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_nonsense_is_refused_even_with_our_secret(body):
    with pytest.raises(BadCallback):
        wave_with(NEW).read_callback(bearer(NEW), body)


def test_a_session_that_cannot_be_read_is_a_hint_all_the_same():
    callback = wave_with(NEW).read_callback(bearer(NEW), event({"client_reference": REFERENCE}))
    assert (callback.reference, callback.outcome) == (REFERENCE, Unknown("an unreadable session"))
