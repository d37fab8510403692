"""What the README shows is what the library does."""

import ast
import re
from pathlib import Path

import pytest

import cauri_shop

README = Path(__file__).resolve().parents[1] / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not beside these tests")


def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)


def test_the_first_payment_runs_as_printed(gateway, capsys):
    first = blocks()[0]
    assert "http://127.0.0.1:8080" in first
    exec(compile(first.replace("http://127.0.0.1:8080", gateway.url), str(README), "exec"), {})
    printed = capsys.readouterr().out.split()
    assert printed[0].startswith(f"{gateway.url}/payment/")
    assert printed[1:] == ["PaymentState.WAITING", "662"]


def test_every_name_the_readme_imports_is_public():
    for block in blocks():
        tree = compile(block, str(README), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "cauri_shop":
                assert {alias.name for alias in node.names} <= set(cauri_shop.__all__)


def test_the_readme_draws_every_error():
    text = README.read_text(encoding="utf-8")
    for name in cauri_shop.__all__:
        if isinstance(getattr(cauri_shop, name), type) and issubclass(getattr(cauri_shop, name), Exception):
            assert name in text, name
