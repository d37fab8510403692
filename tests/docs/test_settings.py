"""cauri.example.toml names every setting, with the default that the code has, and loads once it is filled in."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from cauri.config import BadSettings, Settings, StatementSettings, load, read
from cauri.connectors import operators_of
from cauri.domain.money import COUNTRIES

EXAMPLE = (Path(__file__).parents[2] / "cauri.example.toml").read_text(encoding="utf-8")
GOOD = {
    "public_url": "https://pay.example.com",
    "database": "postgresql://cauri@127.0.0.1/cauri",
    "secret": "0123456789abcdef",
    "token": "of the dashboard",
    "base_url": "https://moov.example.com",
    "username": "cauri",
    "password": "of the contract",
    "subscription_key": "of the product",
    "api_user": "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
    "api_key": "of the portal",
    "auth_token": "of the dashboard",
    "client_id": "of the portal",
    "client_secret": "of the portal",
    "merchant_key": "of the contract",
    "merchant_msisdn": "64000000",
    "key": "of the acquirer",
}
OF_THEIR_OWN = ("methods", "bounds", "statements")
_COMMENTED = re.compile(r"^# (?=(?:\w+ = .|\[[\w.]+\]$))", re.MULTILINE)


def filled(text: str) -> str:
    """With good values where the example says CHANGE-ME."""
    return re.sub(
        r'^(\w+) = "[^"]*CHANGE-ME[^"]*"',
        lambda match: f'{match[1]} = "{GOOD[match[1]]}"',
        text,
        flags=re.MULTILINE,
    )


def tables_of(kind: Any) -> list[type[msgspec.Struct]]:
    return [
        each
        for each in (kind, *get_args(kind))
        if isinstance(each, type) and issubclass(each, msgspec.Struct)
    ]


def leaves(struct: type[msgspec.Struct], path: str = "") -> dict[str, msgspec.structs.FieldInfo]:
    """Every setting by its dotted name."""
    found: dict[str, msgspec.structs.FieldInfo] = {}
    for field in msgspec.structs.fields(struct):
        each = "COUNTRY." if get_origin(field.type) is dict else ""
        for table in [] if field.name in OF_THEIR_OWN else tables_of(field.type):
            found |= leaves(table, f"{path}{field.name}.{each}")
        if not tables_of(field.type) or field.name in OF_THEIR_OWN:
            found[path + field.name] = field
    return found


def flat(values: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The file's values by their dotted names; the tables that take names of their own stay whole, those of a country lose its name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and name not in OF_THEIR_OWN:
            found |= flat(value, f"{path}{'COUNTRY' if name in COUNTRIES else name}.")
        else:
            found[path + name] = value
    return found


def test_it_loads_once_the_change_me_values_are_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "cauri.toml"
    file.write_text(filled(EXAMPLE), encoding="utf-8")
    settings = load(file, {})
    assert settings.public_url == GOOD["public_url"]
    assert settings.operators.pawapay is not None


def test_it_loads_with_every_commented_line_too() -> None:
    settings = read(tomllib.loads(filled(_COMMENTED.sub("", EXAMPLE))))
    assert set(settings.operators.connectors) == {
        "pawapay", "moov_3pp_bf", "mtn_ci", "orange_webpay_ci", "orange_ompreq", "wave_ci", "paygate", "card_page_ci",
    }  # fmt: skip
    assert settings.methods == {"MOOVBF": ("pawapay",)}
    assert set(operators_of(settings).names) == set(settings.operators.connectors)
    assert set(settings.statements) == {"pawapay"}


def test_it_names_everything_that_a_statement_can_be_told() -> None:
    (statement,) = tomllib.loads(_COMMENTED.sub("", EXAMPLE))["statements"].values()
    assert set(statement) == set(StatementSettings.__struct_fields__)
    for field in msgspec.structs.fields(StatementSettings):
        if field.default not in (msgspec.NODEFAULT, None, ()):
            assert statement[field.name] == field.default, field.name


def test_it_is_refused_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "cauri.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    with pytest.raises(BadSettings):
        load(file, {})


def test_it_names_every_setting_and_no_other() -> None:
    assert set(flat(tomllib.loads(_COMMENTED.sub("", EXAMPLE)))) == set(leaves(Settings))


def test_the_commented_values_are_the_defaults_of_the_code() -> None:
    example = flat(tomllib.loads(_COMMENTED.sub("", EXAMPLE)))
    for name, field in leaves(Settings).items():
        if not field.required and name not in OF_THEIR_OWN:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert example[name] == default, name


def test_every_setting_has_its_sentence() -> None:
    lines = EXAMPLE.splitlines()
    for name in set(leaves(Settings)) - {"statements"}:
        last = name.rpartition(".")[2]
        at = [i for i, line in enumerate(lines) if re.match(rf"(# )?(\[{last}\]|{last} =)", line)]
        assert at, name
        assert any(
            re.match(r"# [A-Z\"\[0-9]", line) and " = " not in line.split(":")[0]
            for i in at
            for line in lines[max(0, i - 4) : i]
        ), name
