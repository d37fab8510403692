"""Wave's webhooks: whose they are, and what they claim.

Two ways to prove it, and Wave's portal decides which: the shared secret itself (``Authorization: Bearer wave_sn_WHS_…``), or a
signature over time and body (``Wave-Signature: t=…,v1=…``). Several secrets may be valid at once, and several v1 in one header.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from cauri.clock import MINUTE, SECOND
from cauri.domain.outcome import Unknown
from cauri.operators.base import BadCallback, Callback
from cauri.operators.foreign import decoded, our_reference, quoted
from cauri.operators.wave.sessions import Session, outcome_of
from cauri.operators.wave.words import SESSION_EVENTS

MAX_WEBHOOK = 64 * 1024
TOLERANCE = 5 * MINUTE


class Event(msgspec.Struct):
    id: str
    type: str
    data: msgspec.Raw = msgspec.Raw()


class Named(msgspec.Struct):
    """As much of a session as a hint needs."""

    client_reference: str | None = None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over the timestamp immediately followed by the raw body, without a separator."""
    return hmac.new(secret.encode(), timestamp.encode() + body, sha256).hexdigest()


def checked(headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...], now: int) -> None:
    """Raises BadCallback unless one of our secrets vouches for the body. ``now``: milliseconds UTC."""
    if len(body) > MAX_WEBHOOK:
        raise BadCallback(f"larger than {MAX_WEBHOOK} bytes")
    if not secrets:
        raise BadCallback("no webhook_secrets are configured, so nobody can vouch for a webhook")
    given = {name.lower(): value for name, value in headers.items()}
    if "wave-signature" in given:
        _check_signature(given["wave-signature"], body, secrets, now)
    elif not _one_of((f"Bearer {secret}" for secret in secrets), [given.get("authorization", "")]):
        raise BadCallback("neither a Wave-Signature nor a webhook secret of ours in Authorization")


def read(body: bytes) -> Callback:
    """A webhook that was vouched for. One that speaks of no session, or of one that others opened with the same wallet, names no attempt: it
    is answered and dropped, or Wave would repeat it for three days.
    """
    event = decoded(body, Event)
    if event is None:
        raise BadCallback("not a webhook's envelope")
    if event.type not in SESSION_EVENTS:
        return Callback("", Unknown(f"a webhook about something else: {quoted(event.type, 60)}"))
    named = decoded(event.data, Named)
    if named is None:
        raise BadCallback("not a session")
    reference = our_reference(named.client_reference)
    if reference is None:
        return Callback("", Unknown("a session with a client_reference that is none of ours"))
    session = decoded(event.data, Session)
    return Callback(
        reference, Unknown("an unreadable session") if session is None else outcome_of(session, reference)
    )


def _check_signature(header: str, body: bytes, secrets: tuple[str, ...], now: int) -> None:
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]):
        raise BadCallback("Wave-Signature has no time")
    if abs(now - int(times[0]) * SECOND) > TOLERANCE:
        raise BadCallback("Wave-Signature is more than 5 minutes off: is this machine's clock right?")
    right = (signature(secret, times[0], body) for secret in secrets)
    if not _one_of(right, [value for name, _, value in parts if name == "v1"]):
        raise BadCallback("Wave-Signature is not made with a webhook secret of ours")


def _one_of(right: Iterable[str], given: list[str]) -> bool:
    """Compares in constant time, each with each."""
    matches = [
        hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
        for ours in right
        for theirs in given
    ]
    return any(matches)
