"""What the commands print on a terminal of 100 columns: nothing runs over its edge, nothing that was folded is lost."""

import os
import pty
import subprocess
import sys

import pytest
import requests

from tests.cli.conftest import Cauri

COLUMNS = 100


def on_a_terminal(cauri: Cauri, *arguments: str) -> list[str]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "cauri", *arguments, "--data", "state"]
    with subprocess.Popen(command, cwd=cauri.folder, stdout=theirs, env=environment):
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    return shown.decode().splitlines()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""


@pytest.fixture
def untold(cauri: Cauri) -> str:
    """A payment in flight whose shop cannot be told."""
    facts = cauri.start("--data", "state")
    keys = {"apikey": facts["apikey"], "site_id": facts["site_id"], "transaction_id": "CMD-A-LONG-NAME-0001"}
    order = {"amount": 1500, "currency": "XOF", "description": "d", "return_url": "http://127.0.0.1:9/r"}
    notify = {"notify_url": "http://127.0.0.1:9/notify"}
    opened = requests.post(facts["payment_endpoint"], json=keys | order | notify, timeout=30).json()
    cauri.run("pay", opened["data"]["payment_url"], "--phone", "+2250700000129", "--timeout", "2")
    return keys["transaction_id"]


def test_nothing_runs_over_the_edge_of_a_terminal(cauri: Cauri, untold: str) -> None:
    for arguments, words in (
        (("payment", "show", "445160", untold), "connection refused: nothing listens there"),
        (("reconcile", "list", "--minutes", "0"), "last word: PROCESSING"),
        (("operators",), "a person closes what it leaves open"),
        (("deliveries", "list"), untold),
    ):
        lines = on_a_terminal(cauri, *arguments)
        assert [line for line in lines if len(line) > COLUMNS] == [], arguments
        assert words in " ".join(" ".join(lines).split()), lines


def test_a_line_is_whole_where_a_program_reads_it(cauri: Cauri, untold: str) -> None:
    shown = cauri.run("payment", "show", "445160", untold, "--data", "state").stdout
    assert [line for line in shown.splitlines() if "connection refused" in line and "; next try" in line]
