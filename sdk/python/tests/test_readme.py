"""What the READMEs and the migration pages show is what the library does.

Markers, as HTML comments before a code block: `run` (it is run as printed), `file: NAME` and `append: NAME` (a reader saves
it; `test_readme_shops.py` runs what comes of it). Only the gateway's address is another.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from readme_blocks import DOCS, README, Block, blocks

import cauri_shop

pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not beside these tests")
_EVERY = [block for page in DOCS for block in blocks(page)]
_PYTHON = [block for block in _EVERY if block.language == "python"]


def _tree(block: Block) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(block.text, str(block), "exec", flags)
    assert isinstance(tree, ast.Module)
    return tree


@pytest.mark.parametrize("block", _PYTHON, ids=str)
def test_every_python_block_compiles(block):
    compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", _PYTHON, ids=str)
def test_every_name_imported_from_the_library_is_there(block):
    for node in ast.walk(_tree(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cauri_shop":
            if node.module == "cauri_shop":
                assert {alias.name for alias in node.names} <= set(cauri_shop.__all__)
            else:
                assert importlib.util.find_spec(node.module), node.module


@pytest.mark.parametrize(
    "page", [page for page in DOCS if page.name.startswith("README")], ids=lambda page: page.name
)
def test_the_blocks_that_say_so_run_as_printed(page, gateway, capsys):
    marked = [block for block in blocks(page) if block.kind == "run"]
    assert marked
    for block in marked:
        assert "http://127.0.0.1:8080" in block.text
        exec(compile(block.text.replace("http://127.0.0.1:8080", gateway.url), str(block), "exec"), {})
        printed = capsys.readouterr().out.split()
        assert printed[0].startswith(f"{gateway.url}/payment/")
        assert printed[1:] == ["PaymentState.WAITING", "662"]


def test_both_languages_show_the_same_code():
    english, french = ([(b.kind, b.name, _without_words(b)) for b in blocks(page)] for page in DOCS[:2])
    assert english == french


def _without_words(block: Block) -> str:
    """The code without comments; the texts of a shop are French in both."""
    if block.language != "python":
        return block.language
    return ast.dump(_tree(block))


def test_every_error_is_drawn_in_both_languages():
    for page in DOCS[:2]:
        text = page.read_text(encoding="utf-8")
        for name in cauri_shop.__all__:
            if isinstance(getattr(cauri_shop, name), type) and issubclass(
                getattr(cauri_shop, name), Exception
            ):
                assert name in text, (page.name, name)


def test_every_setting_is_named_in_both_languages():
    conf = pytest.importorskip("cauri_shop.django.conf")
    for page in DOCS[:2]:
        text = page.read_text(encoding="utf-8")
        assert [name for name in conf.DEFAULTS if f"`{name}`" not in text] == [], page.name


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#]+)(?:#([^)]*))?\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
            assert not anchor or anchor in _anchors(page.parent / target), f"{target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_guides_sample_fails_as_the_migration_page_says():
    page = next(page for page in DOCS if page.name == "migrate.md")
    sample = next(block for block in blocks(page) if "postPaymentProcessing" in block.text).text
    delivered, cancelled = [], []
    names = {
        "deliver": delivered.append,
        "cancel_order": cancelled.append,
        "is_already_paid": delivered.__contains__,
    }

    def told(message: str) -> None:
        scope = {**names, "verifyPaymentStatus": lambda *args: {"code": "00", "message": message}}
        exec(compile(sample, "guide", "exec"), scope)
        scope["postPaymentProcessing"]({"cpm_trans_id": "17", "cpm_site_id": "445160"})

    for message in ("SUCCES", "PAYMENT_FAILED", "WAITING_CUSTOMER_PAYMENT"):
        with pytest.raises(NameError, match="trans_status"):
            told(message)
    assert (delivered, cancelled) == ([], [])
    told("SUCCESS")
    assert delivered == ["17"]
