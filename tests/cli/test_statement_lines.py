"""Statements as operators and banks write them, and as they should not: what each line is read as."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cauri.cli.instance import Trouble
from cauri.cli.statement import BadLine, Statement, amount_of
from cauri.config import StatementSettings
from cauri.lifecycle.reconciling import Line
from cauri.operators.orange_webpay.words import order_id_of

USUAL: dict[str, Any] = {
    "reference": "ref",
    "amount": "amount",
    "currency": "currency",
    "status": "status",
    "paid": ("PAID",),
    "date": "date",
}


def read(tmp_path: Path, content: bytes | str, **settings: Any) -> list[Line | BadLine]:
    file = tmp_path / "statement.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    statement = Statement(file, StatementSettings(**{**USUAL, **settings}))
    try:
        return list(statement.lines())
    finally:
        statement.close()


HEAD = "ref,amount,currency,status,date\n"
ROW = "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77,1500,XOF,PAID,2026-11-23 10:00:00\n"


def the_line(found: list[Line | BadLine]) -> Line:
    (line,) = found
    assert isinstance(line, Line), line
    return line


@pytest.mark.parametrize("written", [str, str.upper, order_id_of, lambda ref: order_id_of(ref).lower()])
def test_our_reference_is_known_in_every_spelling_that_an_operator_has(
    tmp_path: Path, written: Callable[[str], str]
) -> None:
    """Orange's Web Payment has room for 30 characters: its order_id is our reference in base32."""
    reference, rest = ROW[:36], ROW[36:]
    assert the_line(read(tmp_path, HEAD + written(reference) + rest)).reference == reference


def test_a_plain_line(tmp_path: Path) -> None:
    assert the_line(read(tmp_path, HEAD + ROW)) == Line(
        number=2,
        reference="5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
        operator_id=None,
        amount=Decimal(1500),
        currency="XOF",
        paid=True,
        word="PAID",
        at=1_795_428_000_000,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + (HEAD + ROW).encode(),
        (HEAD + ROW).encode("utf-16"),
        b"\xfe\xff" + (HEAD + ROW).encode("utf-16-be"),
        (HEAD + ROW).replace("\n", "\r\n").encode(),
        ("\n\nBank of Ouagadougou;;\nPrinted 2026-11-24,,\n\n" + HEAD + ROW).encode(),
        (HEAD + ROW + "\n,,,,\n").encode(),
        (' "ref" , amount ,currency,status,date\n' + ROW).replace(' "ref" ', "ref").encode(),
        (HEAD + ROW.replace("PAID", " paid ").replace("5b3f", "5B3F")).encode(),
        (HEAD + ROW.replace("1500", '"1,500.00"')).encode(),
    ],
    ids=[
        "utf-8 bom",
        "utf-16 le",
        "utf-16 be",
        "crlf",
        "preamble",
        "empty lines",
        "blanks",
        "case",
        "thousands",
    ],
)
def test_the_same_line_in_other_clothes(tmp_path: Path, content: bytes) -> None:
    line = the_line(read(tmp_path, content))
    assert (line.reference, line.amount, line.paid, line.at) == (
        "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
        1500,
        True,
        1_795_428_000_000,
    )


def test_a_french_statement(tmp_path: Path) -> None:
    text = "Réf;Montant;Statut;Date;Heure\nABC-1;1 500,00;Réussi;23/11/2026;10:00\n"
    line = the_line(
        read(
            tmp_path,
            text.encode("cp1252"),
            reference=None,
            operator_id="Réf",
            amount="Montant",
            currency=None,
            currency_is="XOF",
            status="Statut",
            paid=("réussi",),
            date="Date",
            time="Heure",
            date_format="%d/%m/%Y %H:%M",
            timezone="Africa/Douala",
            delimiter=";",
            encoding="cp1252",
            decimal_sign=",",
        )
    )
    assert (line.operator_id, line.amount, line.currency, line.paid) == ("ABC-1", 1500, "XOF", True)
    assert line.at == 1_795_428_000_000 - 3_600_000


@pytest.mark.parametrize(
    ("text", "sign", "amount"),
    [
        ("1500", ".", "1500"),
        ("+1500", ".", "1500"),
        ("1500.50", ".", "1500.50"),
        ("1,500", ".", "1500"),
        ("1,500,000.00", ".", "1500000"),
        ("1.500,00", ",", "1500"),
        ("1\u202f500", ",", "1500"),
        ("1\u00a0500\u00a0000,5", ",", "1500000.5"),
        ("1'500.00", ".", "1500"),
        ("1,50", ".", None),
        ("1,5000", ".", None),
        ("1,500 000", ".", None),
        ("1.500.00", ".", None),
        ("-1500", ".", None),
        ("(1500)", ".", None),
        ("1500 XOF", ".", None),
        ("1e3", ".", None),
        ("NaN", ".", None),
        ("", ".", None),
        ("٣", ".", None),
        ("9" * 50, ".", None),
    ],
)
def test_amounts_are_read_exactly_or_not_at_all(text: str, sign: str, amount: str | None) -> None:
    if amount is None:
        with pytest.raises(ValueError, match="no amount"):
            amount_of(text, sign)
    else:
        assert amount_of(text, sign) == Decimal(amount)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("ref,1500,XOF,PAID\n", "columns"),
        ("ref,abc,XOF,PAID,2026-11-23 10:00:00\n", "amount"),
        ("ref,1500,XOF,PAID,23/11/2026\n", "date"),
        ("ref,1500,XOF,PAID,9999999-11-23 10:00:00\n", "date"),
        ("ref,1500,,PAID,2026-11-23 10:00:00\n", "currency"),
        (",1500,XOF,PAID,2026-11-23 10:00:00\n", "neither"),
        ("a\0b,1500,XOF,PAID,2026-11-23 10:00:00\n", "cannot be read"),
        (f"{'x' * 300},1500,XOF,PAID,2026-11-23 10:00:00\n", "cannot be read"),
        (f'"{"x" * 200_000}",1500,XOF,PAID,2026-11-23 10:00:00\n', "CSV"),
        ("TOTAL,,,,\n", "amount"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(tmp_path: Path, row: str, why: str) -> None:
    first, bad, last = read(tmp_path, HEAD + ROW + row + ROW)
    assert isinstance(first, Line)
    assert isinstance(bad, BadLine), bad
    assert bad.number == 3
    assert why in bad.why
    assert isinstance(last, Line)
    assert last.number == 4


def test_bytes_of_another_encoding_are_a_bad_line(tmp_path: Path) -> None:
    good, bad = read(
        tmp_path, (HEAD + ROW).encode() + "réf,1500,XOF,PAID,2026-11-23 10:00:00\n".encode("cp1252")
    )
    assert isinstance(good, Line)
    assert isinstance(bad, BadLine)
    assert "encoding" in bad.why


def test_a_quote_that_is_never_closed_ends_in_a_bad_line(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + ROW + '"never closed,' + "x" * 200_000)
    assert isinstance(found[0], Line)
    assert all(isinstance(each, BadLine) for each in found[1:])
    assert len(found) > 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "ref"),
        ("ref;amount;currency;status;date\n", "ref;amount"),
        ("ref,ref,amount,currency,status,date\n", "twice"),
        ("ref,amount,currency,status\n", "column date"),
        ("\n" * 60 + HEAD, "no header"),
        ("\x1b[2Jref\x07,amount\n", "is ?[2Jref? | amount."),
    ],
)
def test_without_its_header_nothing_is_read(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(Trouble) as trouble:
        read(tmp_path, content)
    assert words in str(trouble.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be read"):
        Statement(tmp_path / "nowhere.csv", StatementSettings(**USUAL))
    with pytest.raises(Trouble, match="cannot be read"):
        Statement(tmp_path, StatementSettings(**USUAL))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"reference": None}, "reference"),
        ({"currency": None}, "currency"),
        ({"currency_is": "EUR"}, "currency_is"),
        ({"status": None}, "paid"),
        ({"paid": ()}, "paid"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"delimiter": ","} | {"decimal_sign": ","}, "decimal_sign"),
        ({"encoding": "utf-9"}, "encoding"),
        ({"timezone": "Africa/Atlantis"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
    ],
)
def test_settings_that_cannot_work_are_told(settings: dict[str, Any], fault: str) -> None:
    assert [each.partition(":")[0] for each in StatementSettings(**{**USUAL, **settings}).faults()] == [fault]
    assert StatementSettings(**USUAL).faults() == []
