"""``cauri serve`` and ``cauri migrate``, as an administrator runs them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from tests.cli.conftest import Cauri
from tests.conftest import NewDatabase
from tests.ports import free_port

SETTINGS = """
public_url = "http://127.0.0.1:{port}"
database = "{database}"
secret = "0123456789abcdef"
port = {port}
workers = {workers}

[operators.pawapay]
token = "t"
base_url = "http://127.0.0.1:9/pawapay"
"""


def configured(folder: Path, database: str, workers: int = 1) -> int:
    port = free_port()
    (folder / "cauri.toml").write_text(SETTINGS.format(port=port, database=database, workers=workers))
    return port


def served(cauri: Cauri, port: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cauri", "serve"],
        cwd=cauri.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    cauri.processes.append(process)
    wait_for_health(port, process)
    return process


def wait_for_health(port: int, process: subprocess.Popen[str]) -> None:
    while True:
        if process.poll() is not None:
            raise AssertionError(process.stdout.read() if process.stdout else "")
        try:
            if requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)


def opened(port: int, apikey: str, site_id: str, transaction_id: str) -> requests.Response:
    body = {
        "apikey": apikey,
        "site_id": site_id,
        "transaction_id": transaction_id,
        "amount": 500,
        "currency": "XOF",
        "description": "d",
        "return_url": "https://shop.example/return",
    }
    return requests.post(f"http://127.0.0.1:{port}/v2/payment", json=body, timeout=10)


def test_serve_names_each_missing_or_wrong_setting_and_starts_nothing(cauri: Cauri) -> None:
    (cauri.folder / "cauri.toml").write_text('port = "x"\nprot = 1\n')
    done = cauri.run("serve")
    assert done.returncode == 2
    for name in ("port:", "prot:", "public_url:", "database:", "secret:", "operators:"):
        assert f"  {name}" in done.stderr


async def test_serve_asks_for_migrate_first_then_takes_payments(
    cauri: Cauri, new_database: NewDatabase, engine: str
) -> None:
    database = await new_database(engine)
    port = configured(cauri.folder, database)
    refused = cauri.run("serve")
    assert refused.returncode == 2
    assert "run 'cauri migrate'" in refused.stderr
    assert "applied: 1" in cauri.run("migrate").stdout
    assert "nothing to do" in cauri.run("migrate").stdout
    assert cauri.run("site", "add", "Chez Awa", "--site-id", "1", "--apikey", "key").returncode == 0
    served(cauri, port)
    answer = opened(port, "key", "1", "T1")
    assert answer.json()["code"] == "201", answer.text
    assert answer.json()["data"]["payment_url"].startswith(f"http://127.0.0.1:{port}/payment/")
    cauri.stop()


@pytest.mark.parametrize(
    ("command", "mistake", "said"),
    [
        ("serve", "no server", "Connect"),
        ("serve", "no role", '"nobody"'),
        ("migrate", "no database", '"none" does not exist'),
        ("sandbox", "no database", '"none" does not exist'),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_words(
    cauri: Cauri, postgres_url: str, command: str, mistake: str, said: str
) -> None:
    server, _, query = postgres_url.partition("?")
    root = server.rsplit("/", 1)[0]
    url = {
        "no server": "postgresql://nobody@127.0.0.1:9/none",
        "no database": f"{root}/none?{query}",
        "no role": f"{re.sub('//[^@/]*@?', '//nobody@', root)}/none?{query}",
    }[mistake]
    configured(cauri.folder, url)
    sandbox = ("sandbox", "--database", url, "--port", "0", "--operators-port", "0")
    done = cauri.run(*(sandbox if command == "sandbox" else (command,)))
    assert done.returncode == 2, done.stderr
    assert "the database cannot be used" in done.stderr
    assert (said in done.stderr, "that 'database'" in done.stderr) == (True, True), done.stderr
    assert "Traceback" not in done.stderr


async def test_several_workers_share_a_socket_and_a_dead_one_is_replaced(
    cauri: Cauri, new_database: NewDatabase
) -> None:
    port = configured(cauri.folder, await new_database("postgres"), workers=2)
    cauri.run("migrate")
    cauri.run("site", "add", "Chez Awa", "--site-id", "1", "--apikey", "key")
    process = served(cauri, port)
    workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    os.kill(workers[0].pid, signal.SIGKILL)
    while len(alive := living_children(process.pid)) < 2 or workers[0] in alive:
        time.sleep(0.05)
    for number in range(20):
        assert opened(port, "key", "1", f"T{number}").json()["code"] == "201"
    assert "worker_died" in cauri.stop()


def living_children(pid: int) -> list[psutil.Process]:
    return [each for each in psutil.Process(pid).children() if lives(each)]


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_workers_whose_parent_was_killed_stop_and_leave_the_port_to_the_next(
    cauri: Cauri, new_database: NewDatabase
) -> None:
    port = configured(cauri.folder, await new_database("postgres"), workers=2)
    cauri.run("migrate")
    process = served(cauri, port)
    workers = living_children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.wait()
    while any(map(lives, workers)):
        time.sleep(0.05)
    served(cauri, port)


def test_a_database_that_the_public_admin_token_opens_is_not_served(cauri: Cauri) -> None:
    cauri.start("--data", "state")
    cauri.stop()
    port = configured(cauri.folder, f"sqlite:///{cauri.folder / 'state' / 'cauri.sqlite3'}")
    refused = cauri.run("serve")
    assert refused.returncode == 2
    assert "cauri admin token revoke sandbox" in refused.stderr
    assert cauri.run("admin", "token", "revoke", "sandbox").returncode == 0
    served(cauri, port)
    headers = {"Authorization": "Bearer cauri-sandbox-admin-token"}
    url = f"http://127.0.0.1:{port}/admin/deliveries"
    assert requests.get(url, headers=headers, timeout=10).status_code == 401


def test_the_same_file_is_not_served_twice(cauri: Cauri) -> None:
    port = configured(cauri.folder, f"sqlite:///{cauri.folder / 'cauri.sqlite3'}")
    cauri.run("migrate")
    served(cauri, port)
    second = cauri.run("serve", "--port", "0")
    assert second.returncode == 2
    assert "SQLite has one serving process" in second.stderr


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_that_is_none_is_told_in_words(cauri: Cauri, port: str) -> None:
    done = cauri.run("sandbox", "--memory", "--port", port)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
