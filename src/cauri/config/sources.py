"""Where settings come from: the file and the environment, as plain values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cauri.config.values import BadSettings
from cauri.domain.methods import METHODS

ENVIRONMENT_PREFIX = "CAURI_"

# Variables of shops and of tests that share the prefix.
NOT_SETTINGS = frozenset(
    {
        "CAURI_BASE_URL",
        "CAURI_APIKEY",
        "CAURI_SITE_ID",
        "CAURI_SECRET_KEY",
        "CAURI_ADMIN_TOKEN",
        "CAURI_TEST_POSTGRES",
        "CAURI_TEST_SOAK",
    }
)

# Settings that are lists, wherever they stand.
LISTS = frozenset({"trusted_proxies", "webhook_secrets", "public_keys", "ports", "gaps_s", "paid"})


def file_values(path: Path | None) -> dict[str, Any]:
    """What the settings file says; nothing where there is to be none. Raises BadSettings where it cannot be read."""
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


def environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the ``CAURI_*`` variables say, a table for each ``__``; every value is still a text, or a list of texts."""
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
    if path == ["methods"]:
        names = [part.strip() for part in text.split(",") if part.strip()]
        return names[0] if len(names) == 1 else names
    if name in LISTS or path == ["bounds"]:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def merge(values: dict[str, Any], over: Mapping[str, Any]) -> None:
    for name, value in over.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), dict):
            merge(values[name], value)
        else:
            values[name] = value
