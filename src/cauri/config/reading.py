"""From plain values to settings: complete and without contradiction, or refused with every fault."""

from __future__ import annotations

import difflib
import os
import typing
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cauri.config.settings import Settings
from cauri.config.sources import environment_values, file_values, merge
from cauri.config.values import BadSettings
from cauri.domain.methods import METHODS
from cauri.domain.money import COUNTRIES, DEFAULT_BOUNDS

PLACEHOLDER = "CHANGE-ME"


def load(path: Path | None, environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """The settings of this file, overridden by the environment, overridden by the flags that are not None. Raises BadSettings."""
    values = file_values(path)
    merge(values, environment_values(os.environ if environment is None else environment))
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


def _filling_in(path: str) -> str:
    """What to do with an operator's placeholder: most have a contract with one of them only."""
    table = path.rstrip(".")
    return f"fill it in, or take [{table}] out where you have no such contract" if table else "fill it in"


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
                f"{path}{name}: still says {PLACEHOLDER}; {_REMEDIES.get(path + name, _filling_in(path))}"
            )
            continue
        table = _table_of(field.type)
        if table is not None and isinstance(values[name], Mapping):
            inner = _read_tables(field.type, table, values[name], f"{path}{name}.", faults)
            if inner is not None:
                fields[name] = inner
            continue
        try:
            fields[name] = msgspec.convert(values[name], field.type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{path}{name}: {str(error)[0].lower()}{str(error)[1:]}")
    return fields


def _read_tables(
    kind: Any, table: type[msgspec.Struct], values: Mapping[str, Any], path: str, faults: list[str]
) -> Any:
    """One table, or one for each country; None where it has faults. The environment has no case: ``ci`` is ``CI``."""
    if typing.get_origin(kind) is not dict:
        return _read_table(table, values, path, faults)
    made = {}
    if path == "statements.":
        return _read_statements(table, values, path, faults)
    for country, inner in values.items():
        if country.upper() not in COUNTRIES or not isinstance(inner, Mapping):
            faults.append(f"{path}{country}: must be a table named after a country: {', '.join(COUNTRIES)}")
        else:
            made[country.upper()] = _read_table(table, inner, f"{path}{country}.", faults)
    return None if None in made.values() or len(made) < len(values) else made


def _read_statements(
    table: type[msgspec.Struct], values: Mapping[str, Any], path: str, faults: list[str]
) -> Any:
    """A table for each operator whose statements are read; None where one has faults."""
    made = {
        name: _read_table(table, inner if isinstance(inner, Mapping) else {}, f"{path}{name}.", faults)
        for name, inner in values.items()
    }
    return None if None in made.values() else made


def _read_table(
    table: type[msgspec.Struct], values: Mapping[str, Any], path: str, faults: list[str]
) -> msgspec.Struct | None:
    before = len(faults)
    fields = _fields(table, values, path, faults)
    return table(**fields) if len(faults) == before else None


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
        *_notification_faults(settings),
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
    named = settings.operators.connectors
    faults = [] if named else ["operators: none is configured; add an [operators.NAME] table"]
    for name in sorted(named):
        faults += _url_faults(f"operators.{name}.base_url", getattr(named[name], "base_url"))  # noqa: B009
    for method, chosen in settings.methods.items():
        names = (chosen,) if isinstance(chosen, str) else chosen
        if method not in METHODS:
            faults.append(f"methods.{method}: no such payment method")
        if not names:
            faults.append(f"methods.{method}: name at least one operator, or leave the line out")
        for name in names:
            if name not in named:
                faults.append(f"methods.{method}: {name!r} is not a configured operator")
        if len(set(names)) < len(names):
            faults.append(f"methods.{method}: names an operator twice")
    for name, statement in settings.statements.items():
        if name not in named:
            faults.append(f"statements.{name}: {name!r} is not a configured operator")
        faults += [f"statements.{name}.{fault}" for fault in statement.faults()]
    return faults


def _bounds_faults(settings: Settings) -> list[str]:
    faults = []
    for key, (low, high) in settings.bounds.items():
        if (key[:2], key[3:]) not in DEFAULT_BOUNDS:
            faults.append(f"bounds.{key}: write COUNTRY_CURRENCY, such as CI_XOF")
        elif not 0 < low <= high:
            faults.append(f"bounds.{key}: the low bound must be positive and not above the high one")
    return faults


def _notification_faults(settings: Settings) -> list[str]:
    told = settings.notifications
    faults = []
    if told.per_host > told.at_once:
        faults.append(
            f"notifications.per_host: {told.per_host} is more than at_once = {told.at_once}; one host would take every place"
        )
    if told.probe_gap_s > told.probe_gap_max_s:
        faults.append(
            f"notifications.probe_gap_s: {told.probe_gap_s} is more than probe_gap_max_s = {told.probe_gap_max_s}"
        )
    if told.gaps_s[0] > told.last_try_after_s:
        faults.append("notifications.last_try_after_s: is over before the second try: see gaps_s")
    if told.last_try_after_s > told.keep_days * 86400:
        faults.append(
            "notifications.keep_days: must cover last_try_after_s, or the log ends before the tries do"
        )
    return faults


def _url_faults(name: str, url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return [f"{name}: {url!r} is no http(s) address"]
    if parts.query or parts.fragment:
        return [f"{name}: must have neither ? nor #"]
    return []
