"""The public surface, the return page, and the shape that keeps the core pure."""

import ast
import inspect
from pathlib import Path

import pytest

import cauri_shop
from cauri_shop import AsyncCheckout, CauriError, Checkout, Return, read_return

SOURCE = Path(cauri_shop.__file__).parent


def test_all_is_everything_public_and_sorted_as_ruff_sorts():
    submodules = {path.stem for path in SOURCE.glob("*") if path.suffix in {"", ".py"}}
    public = {
        name for name in vars(cauri_shop) if name.isidentifier() and not name.startswith("_")
    } - submodules
    assert set(cauri_shop.__all__) - {"__version__"} == public
    assert len(cauri_shop.__all__) == len(set(cauri_shop.__all__))


def test_both_shells_have_the_same_operations_written_once():
    for name in ("start", "check", "read_notification", "read_return"):
        assert getattr(Checkout, name) is getattr(AsyncCheckout, name)
        assert inspect.getdoc(getattr(Checkout, name))


def test_only_the_shells_import_a_network_library():
    for path in SOURCE.glob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
        assert path.name == "checkout.py" or not imported & {"httpx", "socket", "ssl", "urllib3", "time"}, (
            path.name
        )


def test_every_error_is_in_the_drawn_tree_and_below_the_root():
    drawn = inspect.getdoc(cauri_shop.errors) or ""
    for name, value in vars(cauri_shop.errors).items():
        if inspect.isclass(value) and issubclass(value, Exception):
            assert issubclass(value, CauriError)
            assert name in drawn
            assert name in cauri_shop.__all__


def test_the_typing_marker_is_in_the_package():
    assert (SOURCE / "py.typed").exists()


@pytest.mark.parametrize(
    ("given", "transaction_id", "token"),
    [
        ({"transaction_id": "CMD-7", "token": "ab"}, "CMD-7", "ab"),
        ({"transaction_id": ["CMD-7", "CMD-8"]}, "CMD-7", None),
        ({"cpm_trans_id": "CMD-7", "payment_token": "ab"}, "CMD-7", "ab"),
        ("?transaction_id=CMD-7&token=ab", "CMD-7", "ab"),
        (b"transaction_id=CMD%2D7&token=", "CMD-7", None),
        ({}, None, None),
        ("", None, None),
        (b"\xff\x00", None, None),
        ({"transaction_id": "A\x00"}, None, None),
        ({"transaction_id": "x" * 300}, None, None),
        ({"transaction_id": 17, "token": []}, None, None),
        ("&".join(f"a{n}=1" for n in range(200)), None, None),
    ],
)
def test_a_return_is_read_from_any_shape_and_nonsense_reads_as_none(given, transaction_id, token):
    back = read_return(given)
    assert (back.transaction_id, back.token) == (transaction_id, token)
    assert Checkout("k", "1").read_return(given) == back


def test_a_return_hides_its_token():
    assert "secret-token" not in repr(Return("CMD-7", "secret-token"))
