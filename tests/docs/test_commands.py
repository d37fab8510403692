"""Every command of ``cauri`` is told of somewhere a reader looks, and none is told of that does not exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from cauri.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.fr.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}


def commands(group: Any, path: str) -> list[str]:
    """Every command that does something, as a reader types it."""
    found: list[str] = []
    for name in group.list_commands(None):
        command, typed = group.get_command(None, name), f"{path} {name}"
        found += commands(command, typed) if hasattr(command, "list_commands") else [typed]
    return found


ALL = commands(typer.main.get_command(app), "cauri")


@pytest.mark.parametrize("command", ALL)
def test_every_command_is_documented(command: str) -> None:
    assert any(command in text for text in TEXTS.values()), command


@pytest.mark.parametrize("page", TEXTS)
def test_no_page_names_a_command_that_does_not_exist(page: str) -> None:
    groups = {command.rsplit(" ", 1)[0] for command in ALL} | {"cauri"}
    for typed in re.findall(r"`(cauri(?: [a-z-]+)+)", TEXTS[page]):
        words = typed.split(" ")
        starts = {" ".join(words[:length]) for length in range(1, len(words) + 1)}
        assert starts & (set(ALL) | (groups - {"cauri"})), f"{page}: {typed}"
