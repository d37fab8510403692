"""pawaPay's signed callbacks, judged by an independent implementation of RFC 9421; providers' terms that change."""

import hashlib
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from cauri.clock import ManualClock

from .conftest import Sim, Start
from .listener import Heard, Listener, listening

PHONE = "2250700000001"
COVERED = ("@method", "@authority", "@path", "signature-date", "content-digest", "content-type")
ALGORITHMS = {
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "ecdsa-p384-sha384": algorithms.ECDSA_P384_SHA384,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
}


@dataclass
class Signed:
    sim: Sim
    merchant: Listener

    async def callback(self) -> Heard:
        await self.sim.deposit(PHONE, "ORANGE_CIV")
        return await self.merchant.next()

    async def lever(self, **body: Any) -> Any:
        status, answer = await self.sim.post("/_control/pawapay/signatures", body)
        assert status == 200, answer
        return answer

    async def keys(self) -> dict[str, str]:
        _, keys = await self.sim.pawapay("/public-key/http")
        return {one["id"]: one["key"] for one in keys}


@pytest.fixture
async def signed(start: Start) -> AsyncIterator[Signed]:
    async with listening() as merchant, start(pawapay_callback_url=f"{merchant.url}/hook/pawapay") as sim:
        yield Signed(sim, merchant)


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Any:
        return load_pem_public_key(self._keys[key_id].encode())

    def resolve_private_key(self, key_id: str) -> Any:
        raise KeyError(key_id)


def verify(heard: Heard, keys: dict[str, str], algorithm: str = "ecdsa-p256-sha256") -> None:
    verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[algorithm], key_resolver=Keys(keys))
    results = verifier.verify(heard, max_age=timedelta(days=1), require_components=COVERED, body=heard.body)
    assert len(results) == 1


@pytest.mark.parametrize("digest", ["sha-256", "sha-512"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_callback_is_signed_so_that_others_can_verify_it(
    signed: Signed, algorithm: str, digest: str
) -> None:
    await signed.lever(algorithm=algorithm, digest=digest)
    heard = await signed.callback()
    verify(heard, await signed.keys(), algorithm)
    name, _, value = heard.headers["content-digest"].partition("=")
    assert name == digest
    assert b64decode(value.strip(":")) == hashlib.new(digest.replace("-", ""), heard.body).digest()
    assert heard.headers["signature-input"].startswith("sig-pp=(")
    assert {"signature-date", "accept-signature", "accept-digest"} <= set(heard.headers)


@pytest.mark.parametrize("change", ["body", "path", "signature-date"])
async def test_what_was_tampered_with_does_not_verify(signed: Signed, change: str) -> None:
    heard = await signed.callback()
    if change == "body":
        heard.body = heard.body.replace(b"COMPLETED", b"FAILED")
    elif change == "path":
        heard.url = heard.url.replace("/hook/", "/other/")
    else:
        heard.headers["signature-date"] = "2020-01-01T00:00:00Z"
    with pytest.raises(InvalidSignature):
        verify(heard, await signed.keys())


def base_of(heard: Heard) -> bytes:
    """The signature base, written by hand from the header's own list."""
    parameters = heard.headers["signature-input"].removeprefix("sig-pp=")
    host, _, path = heard.url.removeprefix("http://").partition("/")
    values = {"@method": heard.method, "@authority": host, "@path": "/" + path, **heard.headers}
    lines = [f'"{name}": {values[name]}' for name in COVERED]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


@pytest.mark.parametrize(("encoding", "size"), [("raw", 64), ("der", None)])
async def test_an_ecdsa_signature_is_written_raw_or_as_der(
    signed: Signed, encoding: str, size: int | None
) -> None:
    await signed.lever(encoding=encoding)
    heard = await signed.callback()
    signature = b64decode(heard.headers["signature"].removeprefix("sig-pp=:").removesuffix(":"))
    (pem,) = (await signed.keys()).values()
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    if size is not None:
        assert len(signature) == size
        verify(heard, await signed.keys())
    else:
        assert signature[0] == 0x30
        public.verify(signature, base_of(heard), ec.ECDSA(hashes.SHA256()))


async def test_a_forged_signature_is_by_another_key(signed: Signed) -> None:
    await signed.lever(forged=True, encoding="der")
    heard = await signed.callback()
    signature = b64decode(heard.headers["signature"].removeprefix("sig-pp=:").removesuffix(":"))
    public = load_pem_public_key(next(iter((await signed.keys()).values())).encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    with pytest.raises(BadSignature):
        public.verify(signature, base_of(heard), ec.ECDSA(hashes.SHA256()))


async def test_keys_can_be_renewed_and_signatures_switched_off(signed: Signed) -> None:
    before = await signed.keys()
    await signed.lever(new_keys=True)
    after = await signed.keys()
    assert set(before) != set(after)
    verify(await signed.callback(), after)
    await signed.lever(encoding="off")
    assert "signature" not in (await signed.callback()).headers
    _, conf = await signed.sim.pawapay("/active-conf")
    assert conf["signatureConfiguration"]["signedCallbacks"] is False
    await signed.sim.post("/_control/reset")
    assert "signature" in (await signed.callback()).headers


async def test_a_signature_is_of_the_moment_of_each_try(start: Start) -> None:
    async with listening() as merchant:
        merchant.answers = [500]
        async with start(clock=ManualClock(), pawapay_callback_url=merchant.url) as sim:
            await sim.deposit(PHONE, "ORANGE_CIV")
            first = await merchant.next()
            while not (await sim.get("/_control/callbacks"))[1]["callbacks"]:
                pass
            await sim.post("/_control/clock", {"advance_s": 5})
            second = await merchant.next()
            assert first.body == second.body
            assert first.headers["signature-input"] != second.headers["signature-input"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"encoding": "hex"}, "encoding"), ({"algorithm": "hmac"}, "algorithm"), ({"digest": "md5"}, "digest"),
     ({"forged": "yes"}, "forged"), ({"colour": 1}, "colour"), ([], "body")],
)  # fmt: skip
async def test_a_lever_that_means_nothing_is_refused(signed: Signed, body: Any, field: str) -> None:
    status, answer = await signed.sim.post("/_control/pawapay/signatures", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)


async def terms(sim: Sim, provider: str) -> dict[str, Any]:
    _, conf = await sim.pawapay("/active-conf")
    return {
        one["currency"]: one["operationTypes"]["DEPOSIT"]
        for country in conf["countries"]
        for each in country["providers"]
        if each["provider"] == provider
        for one in each["currencies"]
    }


async def test_a_closed_provider_says_so_and_rejects(sim: Sim) -> None:
    await sim.post("/_control/pawapay/provider", {"provider": "ORANGE_CIV", "status": "CLOSED"})
    _, answer = await sim.deposit(PHONE, "ORANGE_CIV")
    assert (answer["status"], answer["failureReason"]["failureCode"]) == (
        "REJECTED",
        "PROVIDER_TEMPORARILY_UNAVAILABLE",
    )
    assert (await terms(sim, "ORANGE_CIV"))["XOF"]["status"] == "CLOSED"
    _, available = await sim.pawapay("/availability?country=CIV")
    states = {one["provider"]: one["operationTypes"][0]["status"] for one in available[0]["providers"]}
    assert (states["ORANGE_CIV"], states["MTN_MOMO_CIV"]) == ("CLOSED", "OPERATIONAL")
    await sim.post("/_control/reset")
    assert (await sim.deposit(PHONE, "ORANGE_CIV"))[1]["status"] == "ACCEPTED"


async def test_bounds_can_be_changed_by_currency(sim: Sim) -> None:
    change = {"provider": "ORANGE_COD", "currency": "USD", "min_amount": "5", "max_amount": 10}
    assert (await sim.post("/_control/pawapay/provider", change))[0] == 200
    told = await terms(sim, "ORANGE_COD")
    assert (told["USD"]["minAmount"], told["USD"]["maxAmount"], told["CDF"]["minAmount"]) == (
        "5",
        "10",
        "100",
    )
    for amount, status in (("4.99", "REJECTED"), ("5", "ACCEPTED"), ("10.01", "REJECTED")):
        _, answer = await sim.deposit("243890000001", "ORANGE_COD", currency="USD", amount=amount)
        assert answer["status"] == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "provider"),
        ({"provider": "MOOV_CIV"}, "provider"),
        ({"provider": "ORANGE_CIV", "status": "OPEN"}, "status"),
        ({"provider": "ORANGE_CIV", "currency": "USD"}, "currency"),
        ({"provider": "ORANGE_CIV", "min_amount": -1}, "min_amount"),
        ({"provider": "ORANGE_CIV", "min_amount": "3000000"}, "min_amount"),
        ({"provider": "ORANGE_CIV", "max_amount": "many"}, "max_amount"),
    ],
)
async def test_terms_that_mean_nothing_are_refused(sim: Sim, body: Any, field: str) -> None:
    status, answer = await sim.post("/_control/pawapay/provider", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)
    assert (await terms(sim, "ORANGE_CIV"))["XOF"]["maxAmount"] == "2000000"


async def test_an_open_deposit_can_be_in_reconciliation_until_it_is_settled(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    lever = "/_control/pawapay/reconciliation"
    assert (await slow_sim.post(lever, {"reference": deposit_id}))[0] == 200
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "IN_RECONCILIATION"
    slow_sim.clock.advance(10_000)
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert (await slow_sim.post(lever, {"reference": deposit_id}))[0] == 404
    assert (await slow_sim.post(lever, {"reference": 5}))[0] == 400
