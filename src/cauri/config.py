"""Settings: the file, then the environment (``CAURI_*``), then flags. Read once, frozen, and complete or refused.

``CAURI_DATABASE`` sets ``database``; a double underscore goes into a table: ``CAURI_OPERATORS__PAWAPAY__TOKEN``.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from cauri.domain.methods import METHODS
from cauri.domain.money import DEFAULT_BOUNDS, Bounds

ENVIRONMENT_PREFIX = "CAURI_"

# Variables of shops and of tests that share the prefix.
NOT_SETTINGS = frozenset(
    {"CAURI_BASE_URL", "CAURI_APIKEY", "CAURI_SITE_ID", "CAURI_SECRET_KEY", "CAURI_TEST_POSTGRES"}
)
PLACEHOLDER = "CHANGE-ME"

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
Secret = Annotated[str, Meta(min_length=16)]


class PawaPaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``token`` is the API token of pawaPay's dashboard."""

    token: Text
    base_url: Text = "https://api.pawapay.io"


class Moov3ppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Address and account come with the contract; ``hash_header`` for the older gateways that want it."""

    base_url: Text
    username: Text
    password: Text
    hash_header: bool = False


class OperatorsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pawapay: PawaPaySettings | None = None
    moov_3pp: Moov3ppSettings | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Per process; 0 is no limit (contract section 8)."""

    rate_per_key: Count = 200
    failed_auth_per_address: Count = 30
    page_posts_per_address: Count = 60
    attempt_gap_s: Count = 5


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an instance can be told; ``cauri.example.toml`` says what each is for."""

    public_url: Text
    database: Text
    secret: Secret
    operators: OperatorsSettings
    host: Text = "127.0.0.1"
    port: Port = 8080
    workers: Annotated[int, Meta(ge=1)] = 1
    trusted_proxies: tuple[str, ...] = ()
    private_notify_urls: bool = False
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    limits: Limits = Limits()
    methods: dict[str, str] = {}
    bounds: dict[str, Annotated[list[int], Meta(min_length=2, max_length=2)]] = {}

    @property
    def bounds_table(self) -> dict[tuple[str, str], Bounds]:
        """The contract's bounds with this instance's own over them."""
        own = {(key[:2], key[3:]): Bounds(low, high) for key, (low, high) in self.bounds.items()}
        return {**DEFAULT_BOUNDS, **own}


class BadSettings(ValueError):
    """``faults``: one line for each missing or wrong setting, each saying what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(path: Path | None, environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """The settings of this file, overridden by the environment, overridden by the flags that are not None. Raises BadSettings."""
    values = _file(path)
    _merge(values, _environment(os.environ if environment is None else environment))
    values.update({name: value for name, value in flags.items() if value is not None})
    return read(values)


def read(values: Mapping[str, Any]) -> Settings:
    """Settings from plain values, all faults at once. Raises BadSettings."""
    faults: list[str] = []
    fields = _fields(Settings, values, "", faults)
    if faults:
        raise BadSettings(faults)
    settings = Settings(**fields)
    faults = _contradictions(settings)
    if faults:
        raise BadSettings(faults)
    return settings


def _fields(
    struct: type[msgspec.Struct], values: Mapping[str, Any], path: str, faults: list[str]
) -> dict[str, Any]:
    known = {field.name: field for field in msgspec.structs.fields(struct)}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {path}{near[0]}?" if near else ""
            faults.append(f"{path}{name}: there is no such setting{hint}")
    fields: dict[str, Any] = {}
    for name, field in known.items():
        if name not in values:
            if field.required:
                faults.append(
                    f"{path}{name}: missing; {_REMEDIES.get(path + name, 'set it in the file or the environment')}"
                )
            continue
        if isinstance(values[name], str) and PLACEHOLDER in values[name]:
            faults.append(
                f"{path}{name}: still says {PLACEHOLDER}; {_REMEDIES.get(path + name, 'fill it in')}"
            )
            continue
        table = _table_of(field.type)
        if table is not None and isinstance(values[name], Mapping):
            inner = _fields(table, values[name], f"{path}{name}.", faults)
            if not any(fault.startswith(f"{path}{name}.") for fault in faults):
                fields[name] = table(**inner)
            continue
        try:
            fields[name] = msgspec.convert(values[name], field.type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{path}{name}: {str(error)[0].lower()}{str(error)[1:]}")
    return fields


def _table_of(kind: Any) -> type[msgspec.Struct] | None:
    """The settings table that a field holds, if it holds one."""
    for each in (kind, *getattr(kind, "__args__", ())):
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


_REMEDIES = {
    "public_url": "the address customers reach the gateway at, such as https://pay.example.com",
    "database": "postgresql://user:password@host/name, or sqlite:////var/lib/cauri/cauri.sqlite3",
    "secret": "at least 16 random characters that seal the sites' secret keys; keep it with the backups",
    "operators": "at least one [operators.NAME] table with its credentials",
}


def _contradictions(settings: Settings) -> list[str]:
    """What is well formed and still cannot work."""
    faults = [
        *_url_faults("public_url", settings.public_url),
        *_operator_faults(settings),
        *_bounds_faults(settings),
    ]
    if not settings.database.startswith(("postgresql://", "postgres://", "sqlite:///")):
        faults.append("database: must begin with postgresql:// or sqlite:///")
    elif settings.workers > 1 and settings.database.startswith("sqlite"):
        faults.append("workers: SQLite has one serving process; set workers = 1 or use PostgreSQL")
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy, strict=False)
        except ValueError:
            faults.append(
                f"trusted_proxies: {proxy!r} is neither an address nor a network such as 10.0.0.0/8"
            )
    return faults


def _operator_faults(settings: Settings) -> list[str]:
    operators = settings.operators
    named = {name for name in ("pawapay", "moov_3pp") if getattr(operators, name) is not None}
    faults = [] if named else ["operators: none is configured; add an [operators.NAME] table"]
    for name in sorted(named):
        faults += _url_faults(f"operators.{name}.base_url", getattr(operators, name).base_url)
    for method, connector in settings.methods.items():
        if method not in METHODS:
            faults.append(f"methods.{method}: no such payment method")
        if connector not in named:
            faults.append(f"methods.{method}: {connector!r} is not a configured operator")
    return faults


def _bounds_faults(settings: Settings) -> list[str]:
    faults = []
    for key, (low, high) in settings.bounds.items():
        if (key[:2], key[3:]) not in DEFAULT_BOUNDS:
            faults.append(f"bounds.{key}: write COUNTRY_CURRENCY, such as CI_XOF")
        elif not 0 < low <= high:
            faults.append(f"bounds.{key}: the low bound must be positive and not above the high one")
    return faults


def _url_faults(name: str, url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return [f"{name}: {url!r} is no http(s) address"]
    if parts.query or parts.fragment:
        return [f"{name}: must have neither ? nor #"]
    return []


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadSettings(
            [f"{path}: there is no such file; begin with a copy of cauri.example.toml"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings([f"{path}: cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings([f"{path}: not TOML: {error}"]) from None


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS:
            table = values
            *path, last = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
            for step in path:
                table = table.setdefault(step, {})
            table[_cased(path, last)] = _read_text(path, last, text)
    return values


_METHOD_NAMES = {method.lower(): method for method in METHODS}


def _cased(path: list[str], name: str) -> str:
    """Environment names have no case of their own; payment methods and bounds do."""
    match path:
        case ["methods"]:
            return _METHOD_NAMES.get(name, name)
        case ["bounds"]:
            return name.upper()
        case _:
            return name


def _read_text(path: list[str], name: str, text: str) -> Any:
    """Lists are written with commas in the environment."""
    if name == "trusted_proxies" or path == ["bounds"]:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _merge(values: dict[str, Any], over: Mapping[str, Any]) -> None:
    for name, value in over.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = value
