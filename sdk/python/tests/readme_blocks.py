"""The code blocks of the pages for shops, with their markers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).resolve().parents[1]
README = _ROOT / "README.md"
DOCS = [README, _ROOT / "README.fr.md", *sorted((_ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(
    r"(?:^<!-- (run|file|append)(?:: (\S+))? -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    page: str
    line: int
    kind: str
    name: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Every fenced block; `kind` is empty where no marker stands before it."""
    if not page.exists():
        return []
    text = page.read_text(encoding="utf-8")
    return [
        Block(page.name, text.count("\n", 0, found.start(4)), *(group or "" for group in found.groups()))
        for found in _BLOCK.finditer(text)
    ]


def save_files(page: Path, folder: Path, *prefixes: str) -> None:
    """Writes the blocks marked `file` and `append` whose names begin so, as a reader would."""
    for block in blocks(page):
        if block.kind in ("file", "append") and block.name.startswith(prefixes):
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text(encoding="utf-8") + "\n" if block.kind == "append" else ""
            path.write_text(before + block.text, encoding="utf-8")
