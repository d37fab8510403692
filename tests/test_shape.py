"""The house keeps its shape: who may import whom, total tables, and rules that a reader would not see broken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cauri.domain.codes import FAILURES, Code, Kind
from cauri.domain.payment import ATTEMPT_MOVES, PAYMENT_MOVES, AttemptStatus, PaymentStatus
from cauri.operators.card_page import CardPage
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.mtn import Mtn
from cauri.operators.orange_ompreq import OrangeOmpreq
from cauri.operators.orange_webpay import OrangeWebPay
from cauri.operators.pawapay import PawaPay
from cauri.operators.paygate import PayGate
from cauri.operators.wave import Wave

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "cauri"

EVERYONE = {"domain", "clock"}
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "clock": set(),
    "store": set(),
    "operators": set(),
    "wire": set(),
    "lifecycle": {"store", "operators"},
    "notifier": {"store", "wire", "loops.base"},
    "loops": {"lifecycle", "store"},
    "api": {"lifecycle", "store", "wire", "notifier"},
    "checkout": {"lifecycle", "store", "wire"},
    "customer": set(),
    "listening": {"notifier", "wire"},
    "event_loop": set(),
    "config": set(),
    "keys": set(),
    "logs": set(),
    "workers": set(),
    "serving": {"api"},
}
MAY_IMPORT_ALL = {"app", "cli", "connectors", "sandbox", "simulated", "__main__"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, as a dotted path below ``cauri``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cauri":
            below = (node.module or "").partition(".")[2]
            yield from [below] if below else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.partition(".")[2] for alias in node.names if alias.name.split(".")[0] == "cauri"
            )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_what_the_design_lets_it(path: Path) -> None:
    room = room_of(path)
    if room in MAY_IMPORT_ALL or room == "__init__":
        return
    allowed = {"clock"} if room == "simulator" else EVERYONE | ALLOWED[room]
    if room in ("domain", "clock"):
        allowed = set()
    for name in imports_of(path):
        if name in ("", "__version__") or name.split(".")[0] == room:
            continue
        assert any(name == each or name.startswith(each + ".") for each in allowed), (
            f"{path.name} imports cauri.{name}"
        )


def test_config_is_imported_by_the_assembly_and_the_command_line_only() -> None:
    for path in modules():
        if room_of(path) not in {*MAY_IMPORT_ALL, "config"}:
            assert not any(name.split(".")[0] == "config" for name in imports_of(path)), path


def test_the_shop_library_and_the_gateway_never_import_each_other() -> None:
    for path in modules():
        assert "cauri_shop" not in path.read_text(encoding="utf-8"), path
    for path in (ROOT / "sdk/python/src").rglob("*.py"):
        names = [
            node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        ]
        assert not any((name or "").split(".")[0] == "cauri" for name in names), path


def test_only_the_wire_spells_the_merchants_fields() -> None:
    for path in modules():
        if room_of(path) not in ("wire", "simulator"):
            assert "cpm_" not in path.read_text(encoding="utf-8"), (
                f"{path} spells cpm_*: that belongs to wire"
            )


def test_only_the_store_speaks_sql() -> None:
    words = ("SELECT ", "INSERT INTO", "UPDATE payment", "DELETE FROM")
    for path in modules():
        if room_of(path) != "store":
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in words), path


def test_only_one_file_knows_whose_loop_it_is() -> None:
    """uvloop's own closes descriptors twice: decision 13."""
    importing = [
        path.name
        for path in modules()
        if re.search(r"^\s*(import|from) uvloop\b", path.read_text("utf-8"), re.M)
    ]
    assert importing == ["event_loop.py"]


def test_time_and_chance_come_from_the_clock_only() -> None:
    forbidden = {
        ("time", "time"),
        ("time", "time_ns"),
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("uuid", "uuid4"),
        ("random", "random"),
    }
    for path in modules():
        if room_of(path) in ("clock", "simulator"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in forbidden, f"{path}:{node.lineno}"


def test_no_engine_code_knows_that_it_is_a_sandbox() -> None:
    for path in modules():
        if room_of(path) in MAY_IMPORT_ALL | {"simulator"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.If):
                assert "sandbox" not in ast.unparse(node.test).lower(), f"{path}:{node.lineno}"


def test_product_code_validates_without_assert_and_swallows_nothing() -> None:
    for path in [*modules(), *(ROOT / "sdk/python/src").rglob("*.py"), *(ROOT / "examples").glob("*/*/*.py")]:
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: assert vanishes under -O"
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) == "Exception"
            ):
                assert not all(isinstance(step, ast.Pass) for step in node.body), (
                    f"{path}:{node.lineno} swallows everything"
                )


def test_rooms_stay_small() -> None:
    """A ratchet: a file of more than 400 lines has two subjects, a function of more than 60 does two things."""
    for path in [*modules(), *(ROOT / "sdk/python/src").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, f"{path} is too long"
        assert path.stem not in {"utils", "helpers", "common", "manager", "service", "misc"}, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, (
                    f"{path}:{node.lineno} {node.name} is too long"
                )


def test_there_are_22_codes_and_each_is_paid_refused_or_waiting() -> None:
    assert len(Code) == 22
    assert [code for code in Code if code.kind is Kind.PAID] == [Code.SUCCESS]
    assert {code.number for code in Code if code.kind is Kind.WAITING} == {"623", "662", "663", "664"}
    assert len(FAILURES) == 17


def test_the_tables_of_moves_are_total() -> None:
    assert set(PAYMENT_MOVES) == set(PaymentStatus)
    assert set(ATTEMPT_MOVES) == set(AttemptStatus)


@pytest.mark.parametrize(
    "connector", [PawaPay, Moov3pp, Mtn, Wave, PayGate, OrangeWebPay, OrangeOmpreq, CardPage]
)
def test_each_connector_says_when_it_gives_up_on_silence(connector: type) -> None:
    assert connector.silence is not None  # type: ignore[attr-defined]


def test_every_statement_says_in_a_sentence_what_it_does() -> None:
    text = (SOURCE / "store/queries.sql").read_text(encoding="utf-8")
    for block in text.split("\n-- name: ")[1:]:
        assert block.splitlines()[1].startswith("-- "), block.splitlines()[0]


def test_no_text_of_the_repository_names_a_registry_host_or_a_machine_path() -> None:
    hosts = ("pypi.org/simple", "registry.npmjs", "files.pythonhosted", "deb.debian.org", "/root/", "/work/")
    for pattern in ("**/*.py", "**/*.md", "**/*.toml", "Makefile", "constraints.txt"):
        for path in ROOT.glob(pattern):
            if any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts):
                continue
            if path == Path(__file__):
                continue
            text = path.read_text(encoding="utf-8")
            assert not any(host in text for host in hosts), path
