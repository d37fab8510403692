"""Wave's business wallets: their API keys, where their webhooks go, and how either side proves itself."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from cauri.simulator.answers import BODY_MAX
from cauri.simulator.dialects.wave.rules import Refused

TOLERANCE_S = 300
_SIGNATURE = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64})+)")

KEY_PROBLEMS = {
    "api-key-revoked": (401, "Your API key has been revoked."),
    "invalid-wallet": (403, "Your wallet cannot be used with this API."),
    "disabled-wallet": (403, "Your wallet has been temporarily disabled."),
    "unauthorized-wallet": (403, "Your wallet is not authorised to use this API."),
}
"""What may be wrong with a key that Wave knows."""


@dataclass(frozen=True)
class WaveWebhook:
    """One registered URL. Exactly one way of proof: `signing_secrets` sign with `Wave-Signature` (two during
    a rotation: one `v1` each), `shared_secret` is sent as a bearer token.

    Raises ValueError unless there is exactly one.
    """

    url: str
    signing_secrets: tuple[str, ...] = ()
    shared_secret: str | None = None

    def __post_init__(self) -> None:
        if bool(self.signing_secrets) == bool(self.shared_secret):
            raise ValueError("a webhook has either signing_secrets or a shared_secret")


@dataclass(frozen=True)
class WaveAccount:
    """One business wallet. `currency` is the wallet's; `default_payer` stands in the launch page's number
    field where a session names no payer. `request_secrets` make request signing compulsory for this key.
    `problem` is one of `KEY_PROBLEMS`: every call is answered with it.

    Raises ValueError for an unknown problem.
    """

    api_key: str
    business_name: str = "Cauri sandbox"
    currency: str = "XOF"
    default_payer: str = "+2250700000001"
    webhooks: tuple[WaveWebhook, ...] = ()
    request_secrets: tuple[str, ...] = ()
    problem: str | None = None

    def __post_init__(self) -> None:
        if self.problem is not None and self.problem not in KEY_PROBLEMS:
            raise ValueError(f"problem must be one of {', '.join(KEY_PROBLEMS)}, not {self.problem!r}")


class Accounts:
    def __init__(self, accounts: Iterable[WaveAccount]) -> None:
        self._accounts = tuple(accounts)
        if len({account.api_key for account in self._accounts}) != len(self._accounts):
            raise ValueError("each account needs an API key of its own")

    async def caller(self, request: Request, now: int) -> WaveAccount:
        """The account of the request's bearer key. Raises `Refused`: 401, 403."""
        account = self._of(request.headers.get("authorization", ""))
        if account.problem is not None:
            status, message = KEY_PROBLEMS[account.problem]
            raise Refused(status, account.problem, message)
        if account.request_secrets:
            body = await request.body()
            if not is_signed(request.headers.get("wave-signature", ""), body, account.request_secrets, now):
                raise Refused(401, "invalid-auth", "The Wave-Signature of the request cannot be verified.")
        return account

    def _of(self, authorization: str) -> WaveAccount:
        if not authorization:
            raise Refused(401, "missing-auth-header", "Your request should include an HTTP auth header.")
        kind, _, key = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise Refused(401, "invalid-auth", "Your HTTP auth header can't be processed.")
        if not key.strip():
            raise Refused(401, "api-key-not-provided", "Your request should include an API key.")
        for account in self._accounts:
            if hmac.compare_digest(account.api_key.encode(), key.strip().encode()):
                return account
        raise Refused(401, "no-matching-api-key", "The key you provided doesn't exist in our system.")


def signature_header(secrets: tuple[str, ...], body: bytes, now: int) -> str:
    """`t=…,v1=…[,v1=…]`: HMAC-SHA256 over the time and the raw body with nothing in between."""
    moment = str(now // 1000)
    return ",".join([f"t={moment}", *(f"v1={_digest(secret, moment, body)}" for secret in secrets)])


def is_signed(header: str, body: bytes, secrets: tuple[str, ...], now: int) -> bool:
    found = _SIGNATURE.fullmatch(header)
    if found is None or abs(now // 1000 - int(found[1])) > TOLERANCE_S or len(body) > BODY_MAX:
        return False
    given = found[2].removeprefix(",v1=").split(",v1=")
    return any(
        hmac.compare_digest(_digest(secret, found[1], body), one) for secret in secrets for one in given
    )


def _digest(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), moment.encode() + body, hashlib.sha256).hexdigest()
