"""``cauri sandbox``, ``cauri pay`` and the operator's commands, as a user runs them."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.conftest import Cauri

_numbers = count(1)


def open_payment(facts: dict[str, str], **fields: Any) -> dict[str, Any]:
    body = {
        "apikey": facts["apikey"],
        "site_id": facts["site_id"],
        "transaction_id": f"T{next(_numbers)}",
        "amount": 1500,
        "currency": "XOF",
        "description": "Trois cafés",
        "return_url": "http://127.0.0.1:9/return",
        **fields,
    }
    answer = requests.post(facts["payment_endpoint"], json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return {**body, **answer.json()["data"]}


def check(facts: dict[str, str], transaction_id: str) -> str:
    body = {"apikey": facts["apikey"], "site_id": facts["site_id"], "transaction_id": transaction_id}
    return str(requests.post(facts["check_endpoint"], json=body, timeout=10).json()["code"])


PAYERS = [
    pytest.param("+2250102324373", [], 0, "paid", "00", id="the guide's paying number pays"),
    pytest.param("+2250749012966", [], 1, "refused", "600", id="the guide's failing number fails"),
    pytest.param("+2250102324602", [], 1, "refused", "602", id="a number ending in 602 has no money"),
    pytest.param(
        "+2250102324129",
        ["--timeout", "3"],
        2,
        "waiting",
        "623",
        id="an operator that never answers keeps it waiting",
    ),
    pytest.param("+2250102324373", ["--cancel"], 1, "refused", "627", id="cancel on the first page"),
    pytest.param("+22607345678", [], 0, "paid", "00", id="Orange Burkina asks a code"),
    pytest.param("+22607345671", ["--otp", "000000"], 1, "refused", "604", id="the code 000000 is wrong"),
    pytest.param(
        "+2250749012345", ["--method", "WAVECI"], 0, "paid", "00", id="Wave is paid on its own page"
    ),
]


def test_the_customer_can_be_played_to_every_end(cauri: Cauri) -> None:
    facts = cauri.start("--memory", "--operator-delay", "0")
    for payer in PAYERS:
        phone, options, status, word, code = payer.values
        payment = open_payment(facts)
        played = cauri.run("pay", payment["payment_url"], "--phone", phone, *options)  # type: ignore[arg-type]
        assert (played.returncode, check(facts, payment["transaction_id"])) == (status, code), (
            played.stdout + played.stderr
        )
        assert played.stdout.strip().splitlines()[-1].startswith(f"{word}: ")


def test_a_sandbox_keeps_its_state_in_its_data_folder(cauri: Cauri) -> None:
    facts = cauri.start("--data", "state", "--operator-delay", "0")
    payment = open_payment(facts)
    assert cauri.run("pay", payment["payment_url"], "--phone", "+2250102324373").returncode == 0
    cauri.stop()
    again = cauri.start("--data", "state")
    assert check(again, payment["transaction_id"]) == "00"
    shown = cauri.run(
        "payment", "show", facts["site_id"], payment["transaction_id"], "--data", "state"
    ).stdout
    assert [word for word in ("opened", "sent", "paid") if word in shown] == ["opened", "sent", "paid"]
    assert "0102324373" not in shown
    assert "••••••••73" in shown


def test_a_sandbox_in_memory_leaves_nothing_behind(cauri: Cauri) -> None:
    open_payment(cauri.start("--memory"))
    cauri.stop()
    assert [path.name for path in cauri.folder.iterdir()] == ["ready.json"]


def test_the_sandbox_prints_urls_and_keys_and_takes_those_given(cauri: Cauri) -> None:
    facts = cauri.start(
        "--memory",
        "--site-id",
        "77",
        "--apikey",
        "my-key",
        "--secret-key",
        "my-secret",
        "--public-url",
        "http://shop.test:1",
    )
    assert facts["payment_endpoint"] == "http://shop.test:1/v2/payment"
    printed = cauri.stop()
    for text in ("http://shop.test:1/v2/payment", "77", "my-key", "my-secret"):
        assert text in printed


def test_a_developer_chooses_who_serves_a_method(cauri: Cauri) -> None:
    choices = ("--method", "OM=orange_webpay_ci", "--method", "waveci=WAVE_CI")
    facts = cauri.start("--memory", "--operator-delay", "0", *choices)
    assert facts["methods"]["OM"] == "orange_webpay_ci"  # type: ignore[index]
    assert facts["methods"]["WAVECI"] == "wave_ci"  # type: ignore[index]
    assert facts["methods"]["OMSN"] == "pawapay"  # type: ignore[index]
    assert "EXPRESSOSN" not in facts["methods"]
    payment = open_payment(facts)
    played = cauri.run("pay", payment["payment_url"], "--phone", "+2250700000001")
    assert "gone to the operator's page" in played.stdout
    assert (played.returncode, check(facts, payment["transaction_id"])) == (0, "00")
    books = requests.get(f"{facts['operators_url']}/_control/books", timeout=10).json()
    assert [debit["dialect"] for debit in books["debits"]] == ["orange-webpay"]


def test_keys_and_numbers_never_reach_the_log_or_the_database_in_clear(cauri: Cauri) -> None:
    facts = cauri.start(
        "--data",
        "state",
        "--operator-delay",
        "0",
        "--apikey",
        "very-secret-apikey",
        "--secret-key",
        "very-secret-hmac",
    )
    payment = open_payment(facts, customer_name="Zéphirine", notify_url="http://127.0.0.1:9/notify")
    assert cauri.run("pay", payment["payment_url"], "--phone", "+2250102324373").returncode == 0
    log = cauri.stop().split("Ctrl-C stops it.")[1]
    kept = (cauri.folder / "state" / "cauri.sqlite3").read_bytes()
    for secret in ("very-secret-apikey", "very-secret-hmac"):
        assert secret not in log
        assert secret.encode() not in kept
    for personal in ("0102324373", "Zéphirine"):
        assert personal not in log


def test_a_second_process_on_the_same_file_refuses_to_start(cauri: Cauri) -> None:
    cauri.start("--data", "state")
    second = cauri.run("sandbox", "--port", "0", "--operators-port", "0", "--data", "state")
    assert second.returncode == 2
    assert "another process already serves" in second.stderr


def test_a_taken_port_is_told_in_words(cauri: Cauri) -> None:
    port = cauri.start("--memory")["base_url"].rsplit(":", 1)[1]
    second = cauri.run("sandbox", "--memory", "--port", port)
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr


def test_a_key_that_was_rotated_away_is_good_again_when_the_sandbox_is_started_with_it(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data")
    payment = open_payment(facts)
    assert cauri.run("site", "rotate-key", facts["site_id"], "--grace-hours", "0").returncode == 0
    cauri.stop()
    assert check(cauri.start("--data", "cauri-data"), payment["transaction_id"]) == "662"


NONSENSE = [
    pytest.param(["sandbox", "--memory", "--data", "x"], "--memory keeps nothing", id="memory and a folder"),
    pytest.param(["sandbox", "--database", "mysql://x"], "postgresql://", id="an unknown database"),
    pytest.param(
        ["sandbox", "--data", "ready.json", "--port", "0", "--operators-port", "0"],
        "cannot be used as data folder",
        id="a file as data folder",
    ),
    pytest.param(
        ["sandbox", "--memory", "--ready-file", "absent/x.json"],
        "--ready-file: there is no folder",
        id="a ready file nowhere",
    ),
    pytest.param(
        ["sandbox", "--memory", "--public-url", "foo"],
        "--public-url: 'foo' is no http(s) address",
        id="a public URL that is none",
    ),
    pytest.param(["sandbox", "--memory", "--site-id", "a b"], "--site-id", id="a site_id with a blank"),
    pytest.param(
        ["sandbox", "--memory", "--apikey", ""], "--apikey: must not be empty", id="an empty apikey"
    ),
    *(
        pytest.param(["sandbox", "--memory", "--method", choice], words, id=f"method {choice}")
        for choice, words in {
            "OM": "write METHOD=CONNECTOR, such as OM=orange_webpay_ci",
            "=pawapay": "write METHOD=CONNECTOR",
            "OMCX=pawapay": "there is no payment method OMCX; did you mean OMC",
            "FLOOZ=wave_ci": "--method FLOOZ=wave_ci: FLOOZ is served by moov_3pp_ci",
            "OM=nobody": "OM is served by orange_webpay_ci or pawapay",
            "EXPRESSOSN=pawapay": "EXPRESSOSN is served by no connector",
        }.items()
    ),
    pytest.param(
        ["sandbox", "--memory", "--method", "OM=pawapay", "--method", "om=orange_webpay_ci"],
        "OM is given twice",
        id="a method that is chosen twice",
    ),
    pytest.param(
        ["migrate", "--data", ".", "--database", "foo"],
        "--database: must begin with",
        id="a database that is none",
    ),
    pytest.param(["payment", "show", "1", "2"], "there is no instance", id="no instance here"),
    pytest.param(["payment", "show", "1", "\udcff"], "is not UTF-8", id="bytes that are no text"),
    pytest.param(["site", "add", "Awa", "--apikey", "\udcff"], "is not UTF-8", id="a key that is no text"),
    pytest.param(
        ["site", "list", "--config", "absent.toml"], "there is no such file", id="an absent settings file"
    ),
    pytest.param(["pay", "not-a-url", "--phone", "+2250102324373"], "http", id="a payment_url that is none"),
    pytest.param(
        ["pay", "http://127.0.0.1:9/payment/x", "--phone", "+2250102324373"],
        "127.0.0.1:9",
        id="a gateway that is not there",
    ),
]


@pytest.mark.parametrize(("arguments", "words"), NONSENSE)
def test_nonsense_on_the_command_line_is_told_in_words(
    cauri: Cauri, arguments: list[str], words: str
) -> None:
    (cauri.folder / "ready.json").write_text("{}")
    done = cauri.run(*arguments)
    assert done.returncode in (2, 3)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_sites_are_added_shown_changed_and_their_keys_rotated_while_the_gateway_runs(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    added = cauri.run(
        "site", "add", "Chez Koffi", "--site-id", "900", "--set", "attempts_max=1", "--currencies", "XOF"
    )
    keys = dict(re.findall(r"^(apikey|secret key|site_id) +(\S+)$", added.stdout, re.MULTILINE))
    own = {**facts, "site_id": "900", "apikey": keys["apikey"]}
    payment = open_payment(own)
    cauri.run("pay", payment["payment_url"], "--phone", "+2250102324602")
    assert check(own, payment["transaction_id"]) == "602"
    rotated = cauri.run("site", "rotate-key", "900", "--grace-hours", "0")
    new_key = re.search(r"apikey +(\S+)", rotated.stdout)[1]  # type: ignore[index]
    assert check({**own, "apikey": new_key}, payment["transaction_id"]) == "602"
    shown = cauri.run("site", "show", "900").stdout
    assert "attempts_max         1" in shown
    assert keys["apikey"] not in shown
    assert keys["secret key"] not in shown
    assert "900" in cauri.run("site", "list").stdout
    assert cauri.run("site", "set", "900", "--status", "closed").returncode == 0
    assert "closed" in cauri.run("site", "show", "900").stdout
    audit = cauri.run("admin", "audit").stdout
    assert [audit.count(what) for what in ("addSite", "rotateKey", "changeSite")] == [1, 1, 1]
    assert "900: status=closed" in audit
    assert not any(key in audit for key in (new_key, *(keys[name] for name in ("apikey", "secret key"))))


BAD_SITES = [
    pytest.param(
        ["add", "X", "--currencies", "EUR"], "EUR is no currency of ours", id="a currency we do not know"
    ),
    pytest.param(["add", " "], "a site needs a name", id="an empty name"),
    pytest.param(["add", "X", "--set", "attempts_max=0"], "attempts_max", id="no attempts at all"),
    pytest.param(["add", "X", "--set", "colour=red"], "NAME=VALUE", id="a setting we do not know"),
    pytest.param(["add", "X", "--site-id", "445160"], "exists already", id="a site that exists"),
    pytest.param(["add", "X", "--apikey", ""], "--apikey: must not be empty", id="an empty apikey"),
    pytest.param(["set", "445160"], "nothing to change", id="a change of nothing"),
    pytest.param(["show", "1"], "there is no site 1", id="a site that does not exist"),
]


def test_bad_sites_are_refused_in_words(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    for row in BAD_SITES:
        arguments, words = row.values
        done = cauri.run("site", *arguments)  # type: ignore[misc]
        assert done.returncode == 2, arguments
        assert words in done.stderr, done.stderr


def test_an_attempt_that_no_rule_can_end_is_listed_and_closed_by_a_person(cauri: Cauri) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    paid, failed = open_payment(facts), open_payment(facts)
    for payment in (paid, failed):
        cauri.run("pay", payment["payment_url"], "--phone", "+2250102324129", "--timeout", "1")
    assert cauri.run("reconcile", "list").stdout.strip() == "nothing to reconcile"
    assert paid["transaction_id"] in cauri.run("reconcile", "list", "--minutes", "0").stdout
    site = facts["site_id"]
    close = ("reconcile", "close", site)
    done = cauri.run(
        *close,
        paid["transaction_id"],
        "--paid",
        "MP99",
        "--who",
        "Fatou",
        "--why",
        "in the statement of 23/11",
    )
    assert done.returncode == 0, done.stderr
    assert "is now 00 SUCCES; the shop will be notified" in done.stdout
    assert (
        cauri.run(
            *close, failed["transaction_id"], "--failed", "600", "--why", "not in the statement"
        ).returncode
        == 0
    )
    assert check(facts, paid["transaction_id"]) == "00"
    shown = cauri.run("payment", "show", site, paid["transaction_id"]).stdout
    assert "by Fatou" in shown
    assert "in the statement of 23/11" in shown
    again = cauri.run(*close, paid["transaction_id"], "--failed", "600", "--why", "changed my mind")
    assert again.returncode == 2
    assert "no attempt in flight" in again.stderr
    audit = cauri.run("admin", "audit").stdout
    assert audit.count("closeAttempt") == 3
    assert f"{site} {paid['transaction_id']}" in audit


BAD_CLOSES = [
    pytest.param(
        ["445160", "nope", "--paid", "X", "--why", "y"], "has no payment nope", id="an unknown payment"
    ),
    pytest.param(["445160", "T", "--why", "y"], "either --paid", id="no decision"),
    pytest.param(
        ["445160", "T", "--paid", "X", "--failed", "600", "--why", "y"], "either --paid", id="two decisions"
    ),
    pytest.param(["445160", "T", "--failed", "623", "--why", "y"], "--failed 623", id="a waiting code"),
    pytest.param(["445160", "T", "--failed", "600", "--why", " "], "--why", id="no reason"),
    pytest.param(["445160", "T", "--paid", " ", "--why", "y"], "--paid", id="no reference"),
]


def test_bad_decisions_are_refused_in_words(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    for row in BAD_CLOSES:
        arguments, words = row.values
        done = cauri.run("reconcile", "close", *arguments)  # type: ignore[misc]
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_a_schema_of_another_version_is_refused_with_the_remedy(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    cauri.stop()
    file = sqlite3.connect(cauri.folder / "cauri-data" / "cauri.sqlite3")
    file.execute("INSERT INTO schema_version (version) VALUES (999)")
    file.commit()
    file.close()
    assert "upgrade Cauri" in cauri.run("site", "list").stderr


def test_the_demo_delivers_an_order_and_says_so(repository: Path) -> None:
    ports = ("--port", "0", "--operators-port", "0", "--shop-port", "0")
    command = [sys.executable, "-m", "cauri", "demo", "--once", *ports]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^ +(\d+\.\d+) s  (\S+)", done.stdout, re.MULTILINE)
    wanted = ["initialised", "page", "number", "prompted", "approved", "notified", "checked", "delivered"]
    assert [word for _, word in told if word in wanted] == wanted
    at = {word: float(when) for when, word in told}
    assert at["approved"] - at["prompted"] > 0.2, done.stdout  # the simulated customer takes a second


def test_the_demo_without_its_shop_says_what_is_missing(cauri: Cauri) -> None:
    done = cauri.run("demo", "--once")
    assert done.returncode == 2
    assert "--shop" in done.stderr
