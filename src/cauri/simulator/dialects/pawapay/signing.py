"""pawaPay's signature under a callback: RFC 9421, with a key pair made at start whose public half anybody may fetch."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from yarl import URL

from cauri.simulator.callbacks import Call

Encoding = Literal["raw", "der", "off"]
ENCODINGS = ("raw", "der", "off")
"""How an ECDSA signature is written: `raw` r and s as RFC 9421 wants it, `der` as pawaPay's own samples do. `off`: unsigned."""
ALGORITHMS = ("ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512", "rsa-v1_5-sha256")
DIGESTS = ("sha-256", "sha-512")

_VALID_S = 60
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Manner:
    """How callbacks are signed. `forged`: with a key that is not the published one."""

    encoding: Encoding = "raw"
    algorithm: str = "ecdsa-p256-sha256"
    digest: str = "sha-512"
    forged: bool = False


class Signer:
    """`now` in ms. The keys are new with every start, and with `renew`; the manner is set by `manner`."""

    def __init__(self, now: Callable[[], int], manner: Manner) -> None:
        self.manner = manner
        self._now = now
        self._generation = 1
        self._keys: dict[str, _Key] = {}

    def renew(self) -> None:
        """New keys under new ids; signatures by the old ones can no longer be verified."""
        self._generation += 1
        self._keys.clear()

    def public_keys(self) -> list[dict[str, str]]:
        """The answer of GET /v2/public-key/http."""
        key = self._key(self.manner.algorithm)
        return [{"id": self._id(self.manner.algorithm), "key": key.public_pem()}]

    def headers(self, call: Call) -> Mapping[str, str]:
        """The headers that sign this call at this moment; none when callbacks are not signed."""
        if self.manner.encoding == "off":
            return {}
        at_s = self._now() // 1000
        fields = {
            "signature-date": datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "content-digest": _digest(self.manner.digest, call.body),
            "content-type": call.headers["content-type"],
        }
        covered = {**_derived(call), **fields}
        names = " ".join(f'"{name}"' for name in covered)
        parameters = (
            f'({names});alg="{self.manner.algorithm}";keyid="{self._id(self.manner.algorithm)}"'
            f";created={at_s};expires={at_s + _VALID_S}"
        )
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        key = _new_key(self.manner.algorithm) if self.manner.forged else self._key(self.manner.algorithm)
        signature = base64.b64encode(key.sign(base.encode(), self.manner.encoding)).decode()
        return {
            "Content-Digest": fields["content-digest"],
            "Signature-Date": fields["signature-date"],
            "Signature-Input": f"sig-pp={parameters}",
            "Signature": f"sig-pp=:{signature}:",
            "Accept-Signature": ",".join(ALGORITHMS),
            "Accept-Digest": ",".join(DIGESTS),
        }

    def _key(self, algorithm: str) -> "_Key":
        return self._keys.setdefault(algorithm, self._keys.get(algorithm) or _new_key(algorithm))

    def _id(self, algorithm: str) -> str:
        return f"CAURI_SANDBOX_{algorithm.upper().replace('-', '_')}:{self._generation}"


class _Key:
    """One private key with its way to sign."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: str) -> None:
        self._private = private
        self._algorithm = algorithm

    def public_pem(self) -> str:
        public = self._private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, base: bytes, encoding: Encoding) -> bytes:
        if isinstance(self._private, rsa.RSAPrivateKey):
            return _sign_rsa(self._private, self._algorithm, base)
        curve_hash = hashes.SHA256() if self._private.key_size == 256 else hashes.SHA384()
        der = self._private.sign(base, ec.ECDSA(curve_hash))
        if encoding == "der":
            return der
        r, s = decode_dss_signature(der)
        size = self._private.key_size // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _sign_rsa(private: rsa.RSAPrivateKey, algorithm: str, base: bytes) -> bytes:
    if algorithm == "rsa-v1_5-sha256":
        return private.sign(base, padding.PKCS1v15(), hashes.SHA256())
    digest = hashes.SHA512()
    return private.sign(base, padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size), digest)


def _new_key(algorithm: str) -> _Key:
    if algorithm.startswith("rsa"):
        return _Key(rsa.generate_private_key(public_exponent=65_537, key_size=2048), algorithm)
    curve = ec.SECP256R1() if algorithm == "ecdsa-p256-sha256" else ec.SECP384R1()
    return _Key(ec.generate_private_key(curve), algorithm)


def _derived(call: Call) -> dict[str, str]:
    """The parts of the request that RFC 9421 names with an @, as they go over the wire."""
    url = URL(call.url)
    host = (url.raw_host or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
    return {"@method": call.verb, "@authority": host + port, "@path": url.raw_path or "/"}


def _digest(algorithm: str, body: bytes) -> str:
    hashed = hashlib.new(algorithm.replace("-", ""), body).digest()
    return f"{algorithm}=:{base64.b64encode(hashed).decode()}:"
