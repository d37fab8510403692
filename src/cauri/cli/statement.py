"""Reading an operator's statement: a CSV file of any encoding, delimiter, date and way to write amounts, a line at a time."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from cauri.cli.instance import Trouble
from cauri.config import StatementSettings
from cauri.lifecycle.reconciling import Line
from cauri.operators.orange_webpay.words import reference_of

HEAD_ROWS = 50
"""Banks put a title and an address before the header: it is looked for in so many rows."""

ID_MAX_CHARS = 200
AMOUNT_MAX_CHARS = 40

_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009'’]+")
_SMALLEST = (
    (re.compile(r"%[ScXfsT]"), 1_000),
    (re.compile(r"%M"), 60_000),
    (re.compile(r"%[HI]"), 3_600_000),
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read: where in the file, and why. ``reference``: our own, where at least that can be read."""

    number: int
    why: str
    reference: str | None = None


class Statement:
    """An open statement. ``position`` and ``size`` in bytes tell how far it has been read. Raises Trouble."""

    def __init__(self, path: Path, settings: StatementSettings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise Trouble(f"{path}: cannot be read: {error.strerror}") from None
        self._path = path
        self._rows = csv.reader(self._text(), delimiter=settings.delimiter)

    @property
    def position(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def span(self, first: int, last: int) -> tuple[int, int]:
        """From the first to the last moment that lines of these dates may mean: a date without a time is its whole day."""
        return first, last + _shortest(self._settings.date_format) - 1

    def lines(self) -> Iterator[Line | BadLine]:
        """Every line after the header; empty ones are passed over."""
        places = self._header()
        for row in self._each():
            if isinstance(row, BadLine):
                yield row
            elif any(cell.strip() for cell in row):
                yield self._line(row, places)

    def _text(self) -> io.TextIOWrapper:
        """A byte order mark goes over the setting. Bytes that are not of the encoding stay in their line, which is then bad."""
        start = self._file.read(4)
        self._file.seek(0)
        encoding, errors = self._settings.encoding, "surrogateescape"
        if start.startswith(codecs.BOM_UTF8):
            encoding = "utf-8-sig"
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            errors = "replace"
        return io.TextIOWrapper(self._file, encoding=encoding, errors=errors, newline="")

    def _each(self) -> Iterator[list[str] | BadLine]:
        while True:
            try:
                yield next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadLine(self._rows.line_num, f"not a line of CSV: {error}")

    def _header(self) -> dict[str, int]:
        """Where each column stands. Raises Trouble where one is missing, or there twice."""
        wanted, seen = self._settings.columns, []
        for row in self._each():
            if isinstance(row, BadLine):
                continue
            names = [name.strip() for name in row]
            if set(wanted) <= set(names):
                twice = [name for name in wanted if names.count(name) > 1]
                if twice:
                    raise Trouble(f"{self._path}: the header names {', '.join(twice)} twice")
                return {name: names.index(name) for name in wanted}
            seen.append(names)
            if len(seen) == HEAD_ROWS:
                break
        likely = max(seen, key=lambda names: len(set(names) & set(wanted)), default=[])
        missing = ", ".join(name for name in wanted if name not in likely)
        raise Trouble(
            f"{self._path}: no header with the column{'s' if ',' in missing else ''} {missing}; "
            f"its most likely header is {_printable(' | '.join(likely)[:200]) or 'empty'}. Mend the table [statements.…], its delimiter, "
            "or its encoding"
        )

    def _line(self, row: Sequence[str], places: dict[str, int]) -> Line | BadLine:
        number, settings = self._rows.line_num, self._settings
        if len(row) <= max(places.values()):
            return BadLine(number, f"has {len(row)} columns, the header has more")

        def cell(column: str | None) -> str:
            return "" if column is None else row[places[column]].strip()

        own: str | None = None
        try:
            reference, operator_id = (
                _identifier(cell(settings.reference)),
                _identifier(cell(settings.operator_id)),
            )
            own = _own(reference) if reference else None
            word = cell(settings.status)
            line = Line(
                number=number,
                reference=own,
                operator_id=operator_id,
                amount=amount_of(cell(settings.amount), settings.decimal_sign),
                currency=(cell(settings.currency) or settings.currency_is or "").upper(),
                paid=settings.status is None
                or word.casefold() in {each.casefold() for each in settings.paid},
                word=_printable(word),
                at=self._moment(" ".join(filter(None, (cell(settings.date), cell(settings.time))))),
            )
        except ValueError as error:
            return BadLine(number, str(error), own)
        if line.paid and reference is None and operator_id is None:
            return BadLine(number, "has neither reference nor operator's number")
        return line if line.currency else BadLine(number, "names no currency", own)

    def _moment(self, text: str) -> int:
        try:
            moment = datetime.strptime(text, self._settings.date_format)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
            return round(moment.timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            raise ValueError(f"date {text[:40]!r} is not written as {self._settings.date_format}") from None


def _shortest(date_format: str) -> int:
    """The milliseconds that one date of this format stands for."""
    for sign, milliseconds in _SMALLEST:
        if sign.search(date_format):
            return milliseconds
    return 24 * 3_600_000


def amount_of(text: str, decimal_sign: str) -> Decimal:
    """``1 500``, ``1,500.00``, ``1.500,00``: exactly. Raises ValueError."""
    other = "," if decimal_sign == "." else "."
    bare = _BLANKS.sub(" ", text).strip()
    thousands = rf"[0-9]{{1,3}}(?:([ {re.escape(other)}])[0-9]{{3}})(?:\1[0-9]{{3}})*"
    pattern = rf"\+?(?:[0-9]+|{thousands})(?:{re.escape(decimal_sign)}[0-9]+)?"
    if len(text) > AMOUNT_MAX_CHARS or re.fullmatch(pattern, bare) is None:
        raise ValueError(f"amount {text[:AMOUNT_MAX_CHARS]!r} is no amount with decimal sign {decimal_sign}")
    return Decimal(bare.lstrip("+").replace(" ", "").replace(other, "").replace(decimal_sign, "."))


def _printable(text: str) -> str:
    """A file that is no statement must not write to somebody's terminal what the terminal obeys."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _own(reference: str) -> str:
    """Our reference, also where it stands in the shorter spelling that Orange's Web Payment has room for."""
    try:
        return reference_of(reference.upper())
    except ValueError:
        return reference.lower()


def _identifier(text: str) -> str | None:
    """None where the cell is empty. Raises ValueError for what no operator's number can be."""
    if not text:
        return None
    if len(text) > ID_MAX_CHARS or not text.isprintable() or "\ufffd" in text:
        raise ValueError("a reference that cannot be read: look at the file's encoding")
    return text
