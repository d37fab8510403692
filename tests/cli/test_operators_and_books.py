"""``cauri operators``, ``cauri surplus`` and ``cauri reconcile import`` as a person types them, beside a running sandbox."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import UTC, datetime

import pytest
import requests

from tests.cli.conftest import Cauri
from tests.cli.test_sandbox import check, open_payment

COLUMNS = """
[statements.moov_3pp_ci]
reference = "Request ID"
operator_id = "Trans ID"
amount = "Montant"
currency_is = "XOF"
status = "Statut"
paid = ["SUCCES"]
date = "Date"
date_format = "%d/%m/%Y"
delimiter = ";"
"""
HEAD = "Date;Trans ID;Request ID;Montant;Statut\n"


def references(cauri: Cauri) -> list[str]:
    """Of all attempts, oldest first."""
    with sqlite3.connect(cauri.folder / "cauri-data" / "cauri.sqlite3") as file:
        return [row[0] for row in file.execute("SELECT reference FROM attempt ORDER BY started_at")]


def statement(cauri: Cauri, *rows: str) -> None:
    today = datetime.now(UTC).strftime("%d/%m/%Y")
    (cauri.folder / "columns.toml").write_text(COLUMNS)
    (cauri.folder / "moov.csv").write_text(HEAD + "".join(f"{today};{row}\n" for row in rows))


def test_a_statement_brings_in_what_was_missed_and_a_surplus_is_given_back(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    site = facts["site_id"]
    cauri.run("site", "set", site, "--set", "attempts_max=1")
    refused, waiting = open_payment(facts), open_payment(facts)
    cauri.run("pay", refused["payment_url"], "--phone", "+2250102324602")
    cauri.run("pay", waiting["payment_url"], "--phone", "+2250102324129", "--timeout", "1")
    first, second = references(cauri)
    with sqlite3.connect(cauri.folder / "cauri-data" / "cauri.sqlite3") as file:
        amounts = [row[0] for row in file.execute("SELECT amount FROM attempt ORDER BY started_at")]
    statement(
        cauri, f"MP1;{first};{amounts[0]};SUCCES", f"MP2;{second};{amounts[1]};SUCCES", "MP3;;lots;SUCCES"
    )
    run = ("reconcile", "import", "moov.csv", "--operator", "moov_3pp_ci", "--columns", "columns.toml")

    done = cauri.run(*run)
    assert done.returncode == 1, done.stderr
    assert "line 4 cannot be read: amount 'lots'" in done.stdout
    assert refused["transaction_id"] in done.stdout
    assert "nothing was changed; --apply" in done.stdout
    assert check(facts, waiting["transaction_id"]) == "623"

    done = cauri.run(*run, "--apply", "--who", "Fatou")
    assert (done.returncode, "recorded: 2" in done.stdout) == (1, True), done.stdout
    assert check(facts, waiting["transaction_id"]) == "00"
    assert check(facts, refused["transaction_id"]) == "602"

    statement(cauri, f"MP1;{first};{amounts[0]};SUCCES", f"MP2;{second};{amounts[1]};SUCCES")
    done = cauri.run(*run, "--apply")
    assert (done.returncode, "recorded: 0" in done.stdout) == (0, True), done.stdout

    listed = cauri.run("surplus", "list").stdout
    assert listed.startswith(first)
    assert refused["transaction_id"] in listed
    assert json.loads(cauri.run("surplus", "list", "--json").stdout)["surpluses"][0]["operator_id"] == "MP1"
    assert "to be given back" in cauri.run("payment", "show", site, refused["transaction_id"]).stdout
    done = cauri.run("surplus", "refunded", first, "--why", "Moov refund R-12", "--who", "Fatou")
    assert done.returncode == 0, done.stderr
    assert cauri.run("surplus", "list").stdout.strip() == "no surplus to give back"
    assert "by Fatou: Moov refund R-12" in cauri.run("surplus", "list", "--all").stdout
    again = cauri.run("surplus", "refunded", first, "--why", "again")
    assert (again.returncode, "already, by Fatou" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("decision", "words"), [("--failed=600", "has failed"), ("--paid=MP9", "are a surplus to be given back")]
)
def test_a_decision_about_an_attempt_that_outlived_its_payment_says_so(
    cauri: Cauri, decision: str, words: str
) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    payment = open_payment(facts)
    for number, code in (("0102324602", "662"), ("0102324129", "623")):
        form = {"country": "CI", "method": "FLOOZ", "number": number}
        requests.post(f"{payment['payment_url']}/pay", data=form, timeout=10)
        while check(facts, payment["transaction_id"]) != code:
            time.sleep(0.1)
    statement(cauri, f"MP1;{references(cauri)[0]};1500;SUCCES")
    run = ("reconcile", "import", "moov.csv", "--operator", "moov_3pp_ci", "--columns", "columns.toml")
    cauri.run(*run, "--apply")
    assert check(facts, payment["transaction_id"]) == "00"
    close = ("reconcile", "close", facts["site_id"], payment["transaction_id"])
    done = cauri.run(*close, decision, "--why", "by letter")
    assert done.returncode == 0, done.stderr
    assert "had ended and stays 00 SUCCES" in done.stdout
    assert words in done.stdout
    assert ("operator's MP9" in cauri.run("surplus", "list").stdout) is (decision == "--paid=MP9")


def test_operators_are_shown_as_a_table_and_as_json(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    payment = open_payment(facts)
    cauri.run("pay", payment["payment_url"], "--phone", "+2250102324373")
    shown = cauri.run("operators").stdout
    assert "moov_3pp_ci  breaker closed" in shown
    line = next(each for each in shown.splitlines() if each.strip().startswith("FLOOZ "))
    assert "1 sent, 1 paid (100 %)" in line
    found = {
        each["connector"]: each for each in json.loads(cauri.run("operators", "--json").stdout)["operators"]
    }
    flooz = next(each for each in found["moov_3pp_ci"]["methods"] if each["method"] == "FLOOZ")
    assert (flooz["hour"]["paid"], flooz["day"]["paid_share"], flooz["unended"]) == (1, 1.0, 0)
    assert len(found["pawapay"]["processes"]) == 1


def test_limits_of_a_site_are_set_and_shown(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data")
    site = facts["site_id"]
    assert (
        cauri.run(
            "site", "set", site, "--set", "daily_number_max=3", "--set", "monthly_amount_max=500000"
        ).returncode
        == 0
    )
    shown = cauri.run("site", "show", site).stdout
    assert "daily_number_max     3" in shown
    assert "monthly_amount_max   500000" in shown
    assert "weekly_amount_max    0" in shown
    bad = cauri.run("site", "set", site, "--set", "daily_number_max=-1")
    assert (bad.returncode, "daily_number_max" in bad.stderr) == (2, True)


BAD_IMPORTS = [
    pytest.param(
        ["nowhere.csv", "--operator", "moov_3pp_ci", "--columns", "columns.toml"], "nowhere.csv", id="no file"
    ),
    pytest.param(
        ["moov.csv", "--operator", "pawapay", "--columns", "columns.toml"],
        "[statements.pawapay]",
        id="no table",
    ),
    pytest.param(["moov.csv", "--operator", "moov_3pp_ci"], "[statements.moov_3pp_ci]", id="nobody says how"),
    pytest.param(
        ["moov.csv", "--operator", "moov_3pp_ci", "--columns", "no.toml"], "no.toml", id="no columns"
    ),
    pytest.param(
        ["moov.csv", "--operator", "moov_3pp_ci", "--columns", "moov.csv"], "--columns moov.csv", id="no TOML"
    ),
    pytest.param(
        ["moov.csv", "--operator", "moov_3pp_ci", "--columns", "bad.toml"], "paid", id="a bad table"
    ),
    pytest.param(
        ["columns.toml", "--operator", "moov_3pp_ci", "--columns", "columns.toml"],
        "no header",
        id="no statement",
    ),
]


def test_bad_imports_are_refused_in_words(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    statement(cauri)
    (cauri.folder / "bad.toml").write_text(COLUMNS.replace('paid = ["SUCCES"]', ""))
    for row in BAD_IMPORTS:
        arguments, words = row.values
        done = cauri.run("reconcile", "import", *arguments)  # type: ignore[misc]
        assert (done.returncode, words in done.stderr) == (2, True), (arguments, done.stderr)
    assert "--site: there is no site nowhere" in cauri.run("surplus", "list", "--site", "nowhere").stderr
    for arguments, words in ((["nope", "--why", "x"], "no surplus nope"), (["x", "--why", " "], "--why")):
        done = cauri.run("surplus", "refunded", *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
