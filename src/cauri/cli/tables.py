"""Lines for a terminal: a table's are cut at its edge, others folded there; both are whole where nobody looks on."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, margin: str = "") -> list[str]:
    """One line for the head and one for each row. What a cell may not write to a terminal is escaped."""
    cells = [[_shown(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)]
    return [_cut(margin + _line(row, widths), _edge()) for row in cells]


def folded(line: str, indent: int) -> str:
    """The line in as many as the terminal needs for it, broken between words; the further ones begin further in."""
    edge = _edge()
    if not edge or len(line) <= edge:
        return line
    further = " " * indent
    return textwrap.fill(
        line, edge, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def _edge() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    fixed = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*fixed, row[-1]]).rstrip()


def _cut(line: str, edge: int) -> str:
    return line if not edge or len(line) <= edge else f"{line[: edge - 1]}…"


def _shown(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
