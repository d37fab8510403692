"""Who may call: subscriptions per product, API users with their keys, tokens that live an hour."""

import base64
import binascii
import hmac
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cauri.simulator.answers import json_answer
from cauri.simulator.dialects.mtn.rules import Refused, malformed

TOKEN_S = 3600


@dataclass(frozen=True)
class Environment:
    """One country's instance of MTN's platform. `numbers` are its subscribers'; the sandbox takes any."""

    name: str
    currency: str
    decimals: int
    numbers: re.Pattern[str]


ENVIRONMENTS: Mapping[str, Environment] = {
    name: Environment(name, currency, decimals, re.compile(numbers))
    for name, currency, decimals, numbers in (
        ("sandbox", "EUR", 2, r"[0-9]{8,15}"),
        ("mtnivorycoast", "XOF", 0, r"225[0-9]{10}"),
        ("mtncameroon", "XAF", 0, r"237[0-9]{9}"),
        ("mtnguineaconakry", "GNF", 0, r"224[0-9]{9}"),
        ("mtnbenin", "XOF", 0, r"229[0-9]{8}(?:[0-9]{2})?"),
        ("mtncongo", "XAF", 0, r"242[0-9]{9}"),
    )
}
"""X-Target-Environment → its currency. mtncongo is Brazzaville; MTN has no wallet in the DRC."""


@dataclass(frozen=True)
class MtnAccount:
    """One subscription to one product in one environment, and the API user that came with it.

    `environment` is a name of `ENVIRONMENTS`. `api_user` (a UUIDv4), `api_key` and `callback_host` (a bare
    host) are what the partner portal hands out; the sandbox makes its own by provisioning, so there they may
    be left out. `callback_scheme` is `http` in the sandbox and `https` elsewhere; say `http` for a gateway on
    this machine. `product` other than `collection` makes a key that provisions but is refused by
    /collection. `polls_per_second` 10 enforces MTN's cap on status queries, by the simulator's clock.

    Raises ValueError for an unknown environment or half an API user.
    """

    subscription_key: str
    environment: str = "sandbox"
    product: str = "collection"
    api_user: str | None = None
    api_key: str | None = None
    callback_host: str | None = None
    callback_scheme: str | None = None
    polls_per_second: int | None = None

    def __post_init__(self) -> None:
        if self.environment not in ENVIRONMENTS:
            raise ValueError(
                f"environment must be one of {', '.join(ENVIRONMENTS)}, not {self.environment!r}"
            )
        if (self.api_user is None) != (self.api_key is None):
            raise ValueError("api_user and api_key go together")
        if self.api_user is None and self.environment != "sandbox":
            raise ValueError(f"only the sandbox provisions: {self.environment} needs api_user and api_key")

    @property
    def scheme(self) -> str:
        return self.callback_scheme or ("http" if self.environment == "sandbox" else "https")


@dataclass
class User:
    """An API user. `tokens` → the moment (ms) each ends."""

    user_id: str
    environment: Environment
    callback_host: str | None
    api_key: str | None = None
    tokens: dict[str, int] = field(default_factory=dict)


class Accounts:
    """Everybody's credentials. They outlive a reset of the simulator: only payments are forgotten."""

    def __init__(self, accounts: Iterable[MtnAccount]) -> None:
        self._by_key: dict[str, MtnAccount] = {}
        self._users: dict[str, User] = {}
        for account in accounts:
            if account.subscription_key in self._by_key:
                raise ValueError("each account needs a subscription key of its own")
            self._by_key[account.subscription_key] = account
            if account.api_user is not None:
                environment = ENVIRONMENTS[account.environment]
                user_id = account.api_user.lower()
                self._users[user_id] = User(user_id, environment, account.callback_host, account.api_key)

    def subscription(self, key: str | None, product: str | None) -> MtnAccount:
        """The account of a subscription key; `product` None takes any. Raises `Refused` (401)."""
        if not key:
            raise _access_denied(
                "missing subscription key. Make sure to include subscription key when making requests to an API."
            )
        account = self._by_key.get(key)
        if account is None or (product is not None and account.product != product):
            raise _access_denied(
                "invalid subscription key. Make sure to provide a valid key for an active subscription."
            )
        return account

    def provisioner(self, key: str | None) -> MtnAccount:
        """A subscription of the sandbox, of whatever product. Raises `Refused` (401)."""
        account = self.subscription(key, None)
        if account.environment != "sandbox":
            raise _access_denied("invalid subscription key. Provisioning exists in the sandbox only.")
        return account

    def create(self, user_id: str, callback_host: str) -> None:
        if user_id in self._users:
            raise Refused(
                409, "RESOURCE_ALREADY_EXIST", "Duplicated reference id. Creation of resource failed."
            )
        self._users[user_id] = User(user_id, ENVIRONMENTS["sandbox"], callback_host)

    def sandbox_user(self, user_id: str) -> User:
        """Raises `Refused` (404): unknown, or not one of the sandbox."""
        user = self._users.get(user_id.lower())
        if user is None or user.environment.name != "sandbox":
            raise Refused(404, "RESOURCE_NOT_FOUND", "Requested resource was not found.")
        return user

    def new_key(self, user: User) -> str:
        """A new key; the one before and every token made with it stop working."""
        user.api_key = uuid.uuid4().hex
        user.tokens.clear()
        return user.api_key

    def login(self, authorization: str, account: MtnAccount, now: int) -> str:
        """A token for `user:key` of HTTP Basic. Raises `Refused` (401 `login_failed`)."""
        user_id, api_key = _basic(authorization)
        user = self._users.get(user_id.lower())
        known = user.api_key if user is not None else None
        if user is None or known is None or not hmac.compare_digest(known.encode(), api_key.encode()):
            raise _login_failed()
        if user.environment.name != account.environment:
            raise _login_failed()
        user.tokens = {token: end for token, end in user.tokens.items() if end > now}
        token = secrets.token_urlsafe(48)
        user.tokens[token] = now + TOKEN_S * 1000
        return token

    def bearer(self, authorization: str, now: int) -> User:
        """The user of a token that is still good. Raises `Refused` (401)."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() == "bearer" and token:
            for user in self._users.values():
                if user.tokens.get(token, 0) > now:
                    return user
        raise Refused(401, "UNAUTHORIZED", "The access token is missing, unknown or expired.")


def bare_host(value: object) -> str:
    """`providerCallbackHost`: a host and nothing around it. Raises `Refused` (400)."""
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", value
    ):
        raise malformed("providerCallbackHost must be a bare host, without scheme, port or path")
    return value.lower()


def _basic(authorization: str) -> tuple[str, str]:
    kind, _, encoded = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _login_failed() from None
    if kind.lower() != "basic" or not colon:
        raise _login_failed()
    return user, password


def _login_failed() -> Refused:
    return Refused(401, answer=json_answer({"error": "login_failed"}, 401))


def _access_denied(why: str) -> Refused:
    content = {"statusCode": 401, "message": f"Access denied due to {why}"}
    return Refused(401, answer=json_answer(content, 401))
