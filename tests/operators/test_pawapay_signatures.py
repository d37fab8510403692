"""pawaPay's signed callbacks. The signer here is written by hand from RFC 9421, apart from the library that verifies."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from scripted_operator import HANG_UP, REFERENCE

from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.operators.base import BadCallback
from cauri.operators.pawapay import PawaPay

NOW = 1_790_000_000_000
URL = "https://pay.example.com/operators/pawapay/callback"
BODY = json.dumps({"depositId": REFERENCE, "status": "COMPLETED", "amount": "1500.0000"}).encode()
KEYS = "/v2/public-key/http"

P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def raw(key, digest, size):
    def sign(base):
        r, s = decode_dss_signature(key.sign(base, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def der(key, digest):
    return lambda base: key.sign(base, ec.ECDSA(digest))


ALGORITHMS = {
    "P-256, r and s": ("ecdsa-p256-sha256", raw(P256, hashes.SHA256(), 32), P256),
    "P-256, DER as pawaPay's samples": ("ecdsa-p256-sha256", der(P256, hashes.SHA256()), P256),
    "P-384, r and s": ("ecdsa-p384-sha384", raw(P384, hashes.SHA384(), 48), P384),
    "P-384, DER": ("ecdsa-p384-sha384", der(P384, hashes.SHA384()), P384),
    "RSA PSS": (
        "rsa-pss-sha512",
        lambda base: RSA.sign(base, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512()),
        RSA,
    ),
    "RSA v1.5": ("rsa-v1_5-sha256", lambda base: RSA.sign(base, padding.PKCS1v15(), hashes.SHA256()), RSA),
}
ALG, SIGN, _ = ALGORITHMS["P-256, r and s"]

COMPONENTS = ("@method", "@authority", "@path", "signature-date", "content-digest", "content-type")


def digest_of(body, name="sha-512"):
    return f"{name}=:{b64encode(hashlib.new(name.replace('-', ''), body).digest()).decode()}:"


def signed(
    body=BODY,
    *,
    alg=ALG,
    sign=SIGN,
    created=NOW // 1000,
    expires=60,
    keyid="HTTP_EC_P256_KEY:1",
    components=COMPONENTS,
    digest=None,
    method="POST",
    authority="pay.example.com",
    path="/operators/pawapay/callback",
    named_alg=True,
):
    """The headers of a callback as pawaPay's documents and samples show them."""
    headers = {
        "content-type": "application/json",
        "signature-date": "2026-09-21T14:13:20Z",
        "content-digest": digest or digest_of(body),
        "content-length": str(len(body)),
    }
    values = {**headers, "@method": method, "@authority": authority, "@path": path}
    names = " ".join(f'"{name}"' for name in components)
    parameters = f"({names})" + (f';alg="{alg}"' if named_alg else "") + f';keyid="{keyid}"'
    if created is not None:
        parameters += f";created={created};expires={created + expires}"
    lines = [f'"{name}": {values[name]}' for name in components] + [f'"@signature-params": {parameters}']
    signature = b64encode(sign("\n".join(lines).encode())).decode()
    return {**headers, "signature-input": f"sig-pp={parameters}", "signature": f"sig-pp=:{signature}:"}


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def pawapay_of(clock):
    def make(*keys, url="https://api.pawapay.io", **changes):
        options = {"callback_url": URL, "clock": clock, "public_keys": [pem(key) for key in keys], **changes}
        return PawaPay(url, "t0ken", **options)

    return make


@pytest.mark.parametrize(("alg", "sign", "key"), ALGORITHMS.values(), ids=ALGORITHMS.keys())
@pytest.mark.parametrize("named_alg", [True, False], ids=["algorithm named", "not named"])
def test_each_way_to_sign_is_understood(pawapay_of, alg, sign, key, named_alg):
    callback = pawapay_of(key).read_callback(signed(alg=alg, sign=sign, named_alg=named_alg), BODY)
    assert callback.reference == REFERENCE


@pytest.mark.parametrize("name", ["sha-256", "sha-512"])
def test_both_digests_are_understood(pawapay_of, name):
    assert pawapay_of(P256).read_callback(signed(digest=digest_of(BODY, name)), BODY)


def test_what_the_node_sample_covers_beside_is_fine(pawapay_of):
    assert pawapay_of(P256).read_callback(signed(components=(*COMPONENTS, "content-length")), BODY)


def test_headers_have_any_case(pawapay_of):
    headers = {name.title(): value for name, value in signed().items()}
    assert pawapay_of(P256).read_callback(headers, BODY)


def test_one_of_several_configured_keys_is_enough(pawapay_of):
    assert pawapay_of(RSA, P384, P256).read_callback(signed(), BODY)


OTHER = ec.generate_private_key(ec.SECP256R1())
FORGED = {
    "another key": signed(sign=raw(OTHER, hashes.SHA256(), 32)),
    "another body, digest and all": {**signed(), "content-digest": digest_of(b"{}")},
    "another body's signature": signed(b'{"depositId":"x"}'),
    "a digest that is not the body's": signed(digest=digest_of(b"{}")),
    "a digest that nobody knows": signed(digest="md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"),
    "the digest not covered": signed(
        components=tuple(name for name in COMPONENTS if name != "content-digest")
    ),
    "the path not covered": signed(components=tuple(name for name in COMPONENTS if name != "@path")),
    "the authority not covered": signed(
        components=tuple(name for name in COMPONENTS if name != "@authority")
    ),
    "the method not covered": signed(components=tuple(name for name in COMPONENTS if name != "@method")),
    "nothing covered": signed(components=()),
    "for another host": signed(authority="other.example.com"),
    "for another path": signed(path="/operators/moov_3pp/callback"),
    "for another method": signed(method="PUT"),
    "an algorithm that the key is not for": signed(alg="hmac-sha256"),
    "the other curve's algorithm": signed(alg="ecdsa-p384-sha384"),
    "no time": signed(created=None),
    "a signature of zeros": {**signed(), "signature": f"sig-pp=:{b64encode(bytes(64)).decode()}:"},
    "an empty signature": {**signed(), "signature": "sig-pp=::"},
    "DER that is none": {**signed(), "signature": f"sig-pp=:{b64encode(b'0' * 70).decode()}:"},
    "no signature beside its input": {k: v for k, v in signed().items() if k != "signature"},
    "no input beside its signature": {k: v for k, v in signed().items() if k != "signature-input"},
    "nonsense": {**signed(), "signature-input": "sig-pp=(((", "signature": "\x00"},
    "another label": {**signed(), "signature": signed()["signature"].replace("sig-pp", "sig-xx")},
    "a second signature by nobody": {
        **signed(),
        "signature-input": signed()["signature-input"] + ', b=("@method");keyid="b";created=1',
        "signature": signed()["signature"] + ", b=:AAAA:",
    },
    "the public key as a secret": signed(
        alg="hmac-sha256", sign=lambda base: hashlib.sha256(pem(P256).encode() + base).digest()
    ),
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
@pytest.mark.parametrize("rule", ["required", "if_present"])
def test_a_forged_callback_is_refused(pawapay_of, headers, rule):
    with pytest.raises(BadCallback):
        pawapay_of(P256, signed_callbacks=rule).read_callback(headers, BODY)


def test_unsigned_callbacks_are_hints_where_the_settings_say_so(pawapay_of):
    assert pawapay_of(P256).read_callback({}, BODY).reference == REFERENCE
    with pytest.raises(BadCallback, match="unsigned"):
        pawapay_of(P256, signed_callbacks="required").read_callback({}, BODY)


@pytest.mark.parametrize(
    ("created_s", "expires", "fine"),
    [
        pytest.param(300, 60, True, id="our clock is five minutes slow"),
        pytest.param(301, 60, False, id="created in the future"),
        pytest.param(-300, 1, True, id="our clock is five minutes fast"),
        pytest.param(-302, 1, False, id="expired"),
        pytest.param(-1200, 3600, True, id="repeated for fifteen minutes, and clocks that differ"),
        pytest.param(-1201, 3600, False, id="played again much later"),
        pytest.param(-(10**12), 10**12, False, id="created before there was time"),
    ],
)
def test_a_signature_has_its_time(pawapay_of, created_s, expires, fine):
    headers = signed(created=NOW // 1000 + created_s, expires=expires)
    if fine:
        pawapay_of(P256).read_callback(headers, BODY)
    else:
        with pytest.raises(BadCallback):
            pawapay_of(P256).read_callback(headers, BODY)


# --- keys that pawaPay publishes ------------------------------------------------------------------------------------


def published(**keys):
    return [{"id": name, "key": key} for name, key in keys.items()]


@pytest.fixture
async def fetching(operator_by_path, pawapay_of):
    connector = pawapay_of(url=operator_by_path.url, check_timeout_s=5)
    yield connector
    await connector.close()


async def heard(connector, headers, body=BODY):
    await connector.before_callback(headers)
    return connector.read_callback(headers, body)


async def test_keys_are_fetched_when_a_callback_names_one(operator_by_path, fetching):
    operator_by_path.at(KEYS, published(a=pem(P256), b=pem(RSA)))
    assert await heard(fetching, signed(keyid="a"))
    assert await heard(
        fetching, signed(keyid="b", **dict(zip(("alg", "sign"), ALGORITHMS["RSA PSS"], strict=False)))
    )
    [seen] = operator_by_path.requests
    assert (seen.verb, seen.path, seen.headers["authorization"]) == ("GET", KEYS, "Bearer t0ken")


async def test_a_key_without_its_frame_is_read_too(operator_by_path, fetching):
    body = "".join(line for line in pem(P256).splitlines() if "-----" not in line)
    operator_by_path.at(KEYS, published(a=body))
    assert await heard(fetching, signed(keyid="a"))


async def test_a_callback_signed_with_anothers_keyid_is_refused(operator_by_path, fetching):
    operator_by_path.at(KEYS, published(a=pem(P256), b=pem(OTHER)))
    with pytest.raises(BadCallback, match="forged"):
        await heard(fetching, signed(keyid="b"))


async def test_strangers_cannot_make_us_ask_more_than_once_a_minute(operator_by_path, fetching, clock):
    operator_by_path.at(KEYS, published(a=pem(P256)))
    for name in "xyz":
        with pytest.raises(BadCallback, match="not known"):
            await heard(fetching, signed(keyid=name))
    assert len(operator_by_path.requests) == 1
    clock.advance(MINUTE)
    with pytest.raises(BadCallback):
        await heard(fetching, signed(keyid="x"))
    assert len(operator_by_path.requests) == 2
    assert await heard(fetching, signed(keyid="a"))
    assert len(operator_by_path.requests) == 2


async def test_a_key_that_was_withdrawn_is_trusted_no_longer(operator_by_path, fetching, clock):
    operator_by_path.at(KEYS, published(a=pem(P256)), published(b=pem(OTHER)))
    assert await heard(fetching, signed(keyid="a"))
    clock.advance(MINUTE)
    assert await heard(
        fetching, signed(keyid="b", sign=raw(OTHER, hashes.SHA256(), 32), created=clock.now() // SECOND)
    )
    with pytest.raises(BadCallback):
        await heard(fetching, signed(keyid="a"))


@pytest.mark.parametrize("answer", [(500, b""), b"<html>", [], HANG_UP])
async def test_an_answer_without_keys_takes_none_away(operator_by_path, fetching, clock, answer):
    operator_by_path.at(KEYS, published(a=pem(P256)), answer)
    assert await heard(fetching, signed(keyid="a"))
    clock.advance(MINUTE)
    with pytest.raises(BadCallback):
        await heard(fetching, signed(keyid="unknown"))
    assert await heard(fetching, signed(keyid="a"))


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (401, published(a=pem(P256))),
        b"<html>",
        [],
        published(a="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        published(a="not base64 é"),
        published(a=pem(ed25519.Ed25519PrivateKey.generate())),
        [{"id": 1, "key": None}],
        HANG_UP,
    ],
    ids=["down", "refused", "HTML", "none", "no key", "no base64", "another kind", "wrong types", "cut off"],
)
async def test_without_keys_a_signed_callback_is_refused_and_an_unsigned_one_is_a_hint(
    operator_by_path, fetching, answer
):
    operator_by_path.at(KEYS, answer)
    with pytest.raises(BadCallback):
        await heard(fetching, signed(keyid="a"))
    assert await heard(fetching, {})


async def test_an_unsigned_callback_asks_for_no_keys(operator_by_path, fetching):
    await heard(fetching, {})
    assert not operator_by_path.requests


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "CHANGE", pem(ed25519.Ed25519PrivateKey.generate()), pem(ec.generate_private_key(ec.SECP521R1()))])  # fmt: skip
def test_a_configured_key_that_cannot_verify_is_refused(key):
    with pytest.raises(ValueError, match="public_keys"):
        PawaPay("https://api.pawapay.io", "t", callback_url=URL, public_keys=[key])


def test_signatures_cannot_be_required_without_the_address_that_they_cover():
    with pytest.raises(ValueError, match="callback_url"):
        PawaPay("https://api.pawapay.io", "t", signed_callbacks="required")
    with pytest.raises(BadCallback, match="callback_url"):
        PawaPay("https://api.pawapay.io", "t", public_keys=[pem(P256)]).read_callback(signed(), BODY)
