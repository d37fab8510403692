"""Tables for a terminal: columns as wide as they need, the last cut at the terminal's edge; whole where nobody looks on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """One line for the head and one for each row. What a cell may not write to a terminal is escaped."""
    cells = [[_shown(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)]
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return [_cut(_line(row, widths), edge) for row in cells]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    fixed = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*fixed, row[-1]]).rstrip()


def _cut(line: str, edge: int) -> str:
    return line if not edge or len(line) <= edge else f"{line[: edge - 1]}…"


def _shown(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
