"""Every snippet of the READMEs that a reader is to copy runs as printed against a sandbox; only URL and keys are others.

Markers, as HTML comments before the code block: ``run`` (a reader runs it), ``file: NAME`` (a reader saves it), ``run: WORDS``
(a reader runs it, and pays at the URL that it prints after these words).
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.sandbox_process import SandboxProcess, reader_environment, start

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.fr.md")
RUN_S = 60

_BLOCK = re.compile(r"^<!-- (run|file)(?:: (.+?))? -->\n```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Snippet(NamedTuple):
    kind: str
    words: str
    language: str
    text: str


def snippets(name: str) -> list[Snippet]:
    return [Snippet(*found) for found in _BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process, found = start(tmp_path_factory.mktemp("sandbox"))
    yield found
    process.terminate()
    process.communicate()


def run(command: list[str], folder: Path) -> str:
    """What it printed; it must succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=reader_environment(),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_and_pay(command: list[str], words: str, folder: Path) -> str:
    """What a program printed that waits for its reader to pay at the URL that it prints after these words."""
    process = subprocess.Popen(
        command, cwd=folder, env=reader_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith(words), first
        url = first.split()[-1]
        assert "paid" in run(["cauri", "pay", url, "--phone", "+2250102324373"], folder)
        rest, _ = process.communicate(timeout=RUN_S)
        assert process.returncode == 0, rest
        return first + rest
    finally:
        process.kill()


def play(readme: str, sandbox: SandboxProcess, folder: Path) -> list[str]:
    """Does what the README says, from top to bottom; what each snippet printed."""
    printed = []
    for snippet in snippets(readme):
        text = sandbox.substituted(snippet.text)
        shell = snippet.language == "sh"
        command = ["bash", "-euc", text] if shell else [sys.executable, "-c", text]
        if snippet.kind == "file":
            (folder / snippet.words).write_text(text, encoding="utf-8")
        elif snippet.words:
            printed.append(run_and_pay(command, snippet.words, folder))
        else:
            printed.append(run(command, folder))
    return printed


@pytest.mark.parametrize("readme", READMES)
def test_a_reader_takes_a_first_payment_by_copying_what_the_readme_prints(
    readme: str, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    opened, paid, checked, shop, library = play(readme, sandbox, tmp_path)
    assert json.loads(opened)["code"] == "201"
    assert "paid: Paiement réussi." in paid
    answer = json.loads(checked)
    assert (answer["code"], answer["data"]["status"], answer["data"]["amount"]) == ("00", "ACCEPTED", "1500")
    assert "00 SUCCES" in shop
    assert "\n".join(shop.splitlines()[-2:]) in (ROOT / readme).read_text(encoding="utf-8")
    assert library.split()[0].startswith(f"{sandbox.url}/payment/")
    assert library.split()[1:] == ["PaymentState.WAITING", "662"]


def test_both_languages_print_the_same_snippets_and_links() -> None:
    english, french = (snippets(name) for name in READMES)
    assert [(one.kind, one.language) for one in english] == [(one.kind, one.language) for one in french]
    links = [
        {
            link.replace(".fr.md", ".md")
            for link in re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
        }
        - {"README.md"}
        for name in READMES
    ]
    assert links[0] == links[1]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_our_pages_leads_somewhere() -> None:
    pages = [ROOT / name for name in READMES] + sorted((ROOT / "docs").rglob("*.md"))
    for page in pages:
        for link in re.findall(r"\]\(((?!https?:)[^)\s]+)", page.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_every_test_that_a_page_names_exists() -> None:
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for path, name in re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", page.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (
                f"{page.name}: {name}"
            )


def test_every_library_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "decisions" / "0001-libraries.md").read_text(encoding="utf-8")
    for line in [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]:
        name = re.split(r"[^\w-]", line)[0]
        assert name == "cauri" or re.search(rf"^\|[^|]*\b{re.escape(name)}\b", reasons, re.MULTILINE), name
