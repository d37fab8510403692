"""pawaPay's signed callbacks: RFC 9421 with Content-Digest (reference: operators, section 6, "Signatures").

The library does the RFC; what is added here: our clock, which components must be covered, where keys come from, and ECDSA signatures
in DER, which pawaPay's own samples make though the RFC wants r and s in a row.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from cauri.clock import MINUTE
from cauri.operators.base import BadCallback
from cauri.operators.foreign import decoded
from cauri.operators.http import Answer

SignedCallbacks = Literal["required", "if_present"]
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

COVERED = ("@method", "@authority", "@path", "content-digest")
SKEW_S = 5 * 60
MAX_AGE_S = 20 * 60  # callbacks are repeated for 15 minutes; whether each is signed anew is not known
KEYS_ASKED_AT_MOST_EVERY = MINUTE

_KEYID = re.compile(r';\s*keyid="([^"]{1,200})"')
_MAX_HEADER = 4_000


class _EitherP256(algorithms.ECDSA_P256_SHA256):
    def verify(self, signature: bytes, message: bytes) -> None:
        super().verify(signature if len(signature) == 64 else self.signature_from_der(signature), message)


class _EitherP384(algorithms.ECDSA_P384_SHA384):
    def verify(self, signature: bytes, message: bytes) -> None:
        super().verify(signature if len(signature) == 96 else self.signature_from_der(signature), message)


class _Verifier(HTTPMessageVerifier):
    """The library's, by our clock."""

    def __init__(self, algorithm: type[HTTPSignatureAlgorithm], resolver: _OneKey, now_s: int) -> None:
        super().__init__(signature_algorithm=algorithm, key_resolver=resolver)
        self._now_s = now_s

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if not isinstance(created, int):
            raise InvalidSignature("it does not say when it was created")
        if not -SKEW_S <= self._now_s - created <= MAX_AGE_S:
            raise InvalidSignature("it was created too long ago, or in the future")
        if isinstance(expires, int) and self._now_s - expires > SKEW_S:
            raise InvalidSignature("it has expired")


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: PublicKey) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> PublicKey:
        return self._key

    def resolve_private_key(self, key_id: str) -> Any:
        raise KeyError(key_id)


class PublishedKey(msgspec.Struct):
    """One of GET /v2/public-key/http."""

    id: str
    key: str


class Signatures:
    """Judges callbacks. ``pems``: keys that are trusted whatever keyid they are called by; without any, pawaPay's published ones."""

    def __init__(self, callback_url: str, signed: SignedCallbacks, pems: Sequence[str] = ()) -> None:
        self._callback_url = callback_url
        self._required = signed == "required"
        self._configured = [_configured_key(pem) for pem in pems]
        self._published: dict[str, PublicKey] = {}
        self._asked_at: int | None = None
        if self._required and not callback_url:
            raise ValueError("pawapay: signed callbacks need the callback_url that pawaPay signs")

    def wants_keys(self, headers: Mapping[str, str], now: int) -> bool:
        """Whether pawaPay should be asked for its keys: a callback names one that is not here, and we have not just asked.

        Strangers can send such callbacks, so they cannot make us ask more than once a minute.
        """
        names = _keyids(headers)
        if self._configured or not names or all(name in self._published for name in names):
            return False
        if self._asked_at is not None and now - self._asked_at < KEYS_ASKED_AT_MOST_EVERY:
            return False
        self._asked_at = now
        return True

    def learn(self, answer: Answer) -> None:
        """The published keys as they are now: one that was withdrawn is trusted no longer. What cannot be read changes nothing."""
        published = decoded(answer.body, list[PublishedKey]) if answer.status == 200 else None
        keys = {each.id: key for each in published or () if (key := read_key(each.key)) is not None}
        if keys:
            self._published = keys

    def check(self, headers: Mapping[str, str], body: bytes, path: str, now_s: int) -> None:
        """Raises BadCallback for a forged callback, and for an unsigned one where signatures are required."""
        if _header(headers, "signature") is None and _header(headers, "signature-input") is None:
            if self._required:
                raise BadCallback("unsigned")
            return
        if not self._callback_url:
            raise BadCallback("signed, and no callback_url to verify it against")
        message = SimpleNamespace(
            method="POST",
            url=f"{self._callback_url}/{path}" if path else self._callback_url,
            headers=dict(headers),
        )
        keys = self._configured or [
            self._published[name] for name in _keyids(headers) if name in self._published
        ]
        if not keys:
            raise BadCallback("signed with a key that is not known")
        if not any(_verified(message, body, key, now_s) for key in keys):
            raise BadCallback("forged: the signature does not fit")


def read_key(text: str) -> PublicKey | None:
    """A public key in PEM, or in base64 without its frame; None for anything else."""
    try:
        key = (
            load_pem_public_key(text.encode())
            if "-----BEGIN" in text
            else load_der_public_key(b64decode(text))
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) else None


def _configured_key(pem: str) -> PublicKey:
    key = read_key(pem)
    if key is None or not _algorithms_of(key):
        raise ValueError("pawapay: public_keys must be PEM texts of RSA, P-256 or P-384 keys")
    return key


def _verified(message: SimpleNamespace, body: bytes, key: PublicKey, now_s: int) -> bool:
    """Whether every signature of the message is by this key; the message cannot choose an algorithm that the key is not for."""
    for algorithm in _algorithms_of(key):
        verifier = _Verifier(algorithm, _OneKey(key), now_s)
        try:
            verifier.verify(message, max_age=None, require_components=COVERED, body=body)
        except (HTTPMessageSignaturesException, ValueError):
            continue
        return True
    return False


def _algorithms_of(key: PublicKey) -> Iterable[type[HTTPSignatureAlgorithm]]:
    if isinstance(key, rsa.RSAPublicKey):
        return (algorithms.RSA_PSS_SHA512, algorithms.RSA_V1_5_SHA256)
    return {"secp256r1": (_EitherP256,), "secp384r1": (_EitherP384,)}.get(key.curve.name, ())


def _keyids(headers: Mapping[str, str]) -> list[str]:
    return _KEYID.findall((_header(headers, "signature-input") or "")[:_MAX_HEADER])


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for each, value in headers.items() if each.lower() == name), None)
