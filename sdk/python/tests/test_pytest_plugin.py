"""pytest-cauri as a shop uses it: suites of their own, run by pytest in processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cauri_shop.testing.sandbox import SandboxMissing, SandboxTrouble, find_command

pytest_plugins = ["pytester"]

TESTS = Path(__file__).parent
# What a strict shop has: every warning is an error, an unclosed socket too.
STRICT = "[pytest]\naddopts = --strict-markers -p pytest-cauri -p no:cacheprovider\nfilterwarnings = error\n"


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch):
    """Those installed here take seconds to load in each run."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


SHOP_SUITE = """
import pytest

@pytest.fixture
def start(cauri, notifications):
    with cauri.checkout() as checkout:
        def start(name, **changed):
            wanted = dict(transaction_id=name, amount=1500, currency="XOF", description="Pagne",
                          return_url="https://boutique.example/return", notify_url=notifications.url)
            return checkout.start(**{**wanted, **changed}).payment_url
        start.check = checkout.check
        yield start

@pytest.mark.parametrize(("name", "phone", "more", "code"), [
    ("guide", "+2250102324373", {}, "00"), ("orange", "002250700000001", {}, "00"), ("national", "0102324373", {}, "00"),
    ("elsewhere", "+22670000001", {}, "00"), ("wave", "+2250700000001", {"method": "waveci"}, "00"),
    ("code", "+22607000001", {}, "00"), ("wrong-code", "+22607000001", {"otp": "000000"}, "604"),
    ("no-money", "+2250100000602", {}, "602"), ("cancelled", "+2250102324373", {"cancel": True}, "627"),
])
def test_a_number_decides(start, pay, notifications, name, phone, more, code):
    ended = pay(start(name), phone=phone, **more)
    status = start.check(name)
    assert (status.code, ended.state, ended.paid) == (code, status.state, code == "00")
    told = notifications.of(name)
    assert told, "the end was told before pay() came back"
    assert all(one.verified and one.headers["x-token"] == one.x_token for one in told)
    assert ended.return_form["transaction_id"] == name
    assert notifications.refused == [] and len(notifications) == len(notifications.all) and name in repr(notifications)

def test_who_never_answers_is_waiting(start, pay):
    ended = pay(start("never"), phone="+2250100000129", timeout=0.2)
    assert (ended.state.value, ended.text != "", ended.return_url) == ("waiting", True, "")

def test_another_test_sees_nothing_of_it(notifications):
    assert notifications.all == []

@pytest.mark.parametrize(("url", "phone", "more", "why"), [
    ("nonsense", "+2250102324373", {}, "is no http(s) URL"),
    ("http://127.0.0.1:9/payment/x", "+2250102324373", {}, "cannot reach 127.0.0.1:9"),
    ("{base}/docs", "+2250102324373", {}, "is no payment page of Cauri"),
    ("{base}/payment/00000000000000000000000000000000", "+2250102324373", {}, "the page says (HTTP 404)"),
    ("{started}", "12", {}, "the page refuses: "),
    ("{started}", "+2250102324373", {"method": "MPESA"}, "does not offer 'MPESA'; it offers "),
])
def test_what_cannot_be_paid_says_why(cauri, start, pay, request, url, phone, more, why):
    from cauri_shop.testing import CannotPay
    started = start(f"bad-{request.node.callspec.indices['url']}") if "{started}" in url else ""
    with pytest.raises(CannotPay) as told:
        pay(url.format(base=cauri.base_url, started=started), phone=phone, **more)
    assert why in str(told.value)

@pytest.mark.parametrize(("body", "headers", "status"), [
    (b"", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
    (b"cpm_trans_id=CMD-1&cpm_site_id=445160", {"Content-Type": "application/x-www-form-urlencoded", "x-token": "00"}, 401),
    (b"cpm_trans_id=CMD-1&cpm_site_id=445160", {"Content-Type": "application/x-www-form-urlencoded", "x-token": "\\xe9"}, 401),
    (b"\\xff\\x00", {"Content-Type": "application/json"}, 400), (b"{}", {"Content-Type": "text/plain"}, 400),
    (b"x" * 70_000, {"Content-Type": "application/json"}, 400),
])
def test_the_receiver_refuses_what_is_not_signed_and_nonsense(notifications, body, headers, status):
    import httpx
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    with httpx.Client(trust_env=False, verify=False) as client:
        assert client.post(notifications.url, content=body, headers=raw).status_code == status
        assert client.get(notifications.url).status_code == client.head(notifications.base_url).status_code == 200
    assert notifications.all == [] and len(notifications.refused) == 1
    with pytest.raises(AssertionError, match="1 notification.* expected within 0.05 s; came: none; refused: "):
        notifications.wait(timeout=0.05)

def test_where_it_is_and_its_keys(cauri):
    assert cauri.environment["CAURI_BASE_URL"] == cauri.base_url == cauri.django["BASE_URL"]
    assert cauri.django["SECRET_KEY"] not in repr(cauri) and cauri.apikey not in repr(cauri)
"""


def test_a_shop_really_pays_in_its_own_suite(pytester):
    pytester.makeini(STRICT)
    pytester.makepyfile(SHOP_SUITE)
    pytester.runpytest_subprocess("-q", "--durations=3").assert_outcomes(passed=24)


def test_a_django_shop_is_notified_at_the_address_of_its_settings(pytester):
    pytest.importorskip("django")
    pytester.makeini(STRICT + f"pythonpath = {TESTS}\n")
    pytester.makeconftest("""
        import json, os, pytest

        @pytest.fixture(scope="session")
        def scene(cauri, cauri_receiver, tmp_path_factory):
            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path_factory.mktemp("db") / "shop.sqlite3")}
            os.environ["SHOP_DATABASE"] = json.dumps(database)
            from django_shop import scene
            from django.conf import settings
            from django.core.management import call_command
            from django.db import connections
            # The receiver stands at the shop's public address: what comes there, the test hands to the shop.
            settings.CAURI_SHOP = {**settings.CAURI_SHOP, **cauri.django, "PUBLIC_URL": cauri_receiver.base_url}
            call_command("migrate", verbosity=0, run_syncdb=True)
            yield scene
            connections.close_all()
            scene.book.checkout.close()
    """)
    pytester.makepyfile("""
        def test_paid_and_shown(scene, pay, notifications):
            from django.test import Client
            ended = pay(scene.start("o1"))
            for one in notifications.wait() * 3:
                answer = Client().post(one.path, one.body, content_type=one.content_type, headers=one.headers)
                assert answer.status_code == 200
            assert scene.counts("paid") == scene.counts("mail") == {"o1": 1}
            back = Client().post("/cauri/return", ended.return_form)
            assert back.status_code == 303
            assert Client().get(back["Location"]).status_code == 200
    """)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_each_worker_has_its_own_sandbox_and_both_are_gone_afterwards(pytester):
    pytest.importorskip("xdist")
    pytester.makeini(STRICT)
    pytester.makepyfile("""
        import pathlib, pytest

        @pytest.mark.parametrize("n", range(2))
        def test_noted(cauri, pay, worker_id, request, n):
            folder = pathlib.Path(request.config.rootpath)
            (folder / f"{worker_id}.url").write_text(cauri.base_url)
    """)
    pytester.runpytest_subprocess("-q", "-p", "xdist", "-n", "2", "--dist", "each").assert_outcomes(passed=4)
    urls = {file.read_text() for file in pytester.path.glob("*.url")}
    assert len(urls) == 2
    assert not any(answers(url) for url in urls)


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_sandbox_ends_with_a_pytest_that_is_killed(pytester):
    pytester.makeini(STRICT)
    pytester.makepyfile("""
        import pathlib, time

        def test_hangs(cauri, request):
            folder = pathlib.Path(request.config.rootpath)
            (folder / "draft").write_text(cauri.base_url)
            (folder / "draft").rename(folder / "url")
            time.sleep(60)
    """)
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q"], cwd=pytester.path, stdout=subprocess.DEVNULL
    )
    noted = pytester.path / "url"
    eventually(noted.exists)
    url = noted.read_text()
    assert answers(url)
    run.send_signal(signal.SIGKILL)
    run.wait()
    eventually(lambda: not answers(url))


def eventually(holds, seconds=30):
    """Waits for what another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def answers(url):
    # Not by httpx: pytester forgets what a test imports, and httpx imports its parts late.
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port), 5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"CAURI_PYTHON": "/nowhere/python"}, ["*CAURI_PYTHON=/nowhere/python is no program*", "*1 error*"]),
        # A Python that has no cauri: its own last words are shown.
        ({"CAURI_PYTHON": "bare"}, ["*-m cauri sandbox ended before it was ready*", "*No module named*cauri*", "*1 error*"]),
    ],
    ids=["no-such-python", "python-without-cauri"],
)  # fmt: skip
def test_a_wrong_cauri_python_is_an_error_that_says_so(pytester, monkeypatch, environment, told):
    for name, value in environment.items():
        monkeypatch.setenv(name, bare_python(pytester.path) if value == "bare" else value)
    pytester.makeini(STRICT)
    pytester.makepyfile("def test_it(cauri): pass")
    result = pytester.runpytest_subprocess("-q")
    result.stdout.fnmatch_lines(told)
    assert "Traceback" not in result.stdout.str()


def bare_python(folder):
    """A Python of an empty virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "bare")], check=True)
    return str(folder / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python")


@pytest.mark.parametrize(("ci", "outcome"), [("", {"skipped": 1}), ("true", {"errors": 1})])
def test_without_cauri_tests_are_skipped_with_the_remedy_and_fail_in_ci(pytester, monkeypatch, ci, outcome):
    # The plugin under a Python that has everything but cauri beside it.
    environment = {**os.environ, "CI": ci, "PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.pop("CAURI_PYTHON", None)
    pytester.makeini(STRICT)
    pytester.makepyfile("def test_it(cauri): pass")
    python = bare_python(pytester.path)
    run = subprocess.run([python, "-m", "pytest", "-q", "-rs", "-o", "addopts=", "-p", "cauri_shop.pytest_plugin"], env=environment, text=True,
                         cwd=pytester.path, capture_output=True, timeout=60, check=False)  # fmt: skip
    assert "the command cauri is missing: install it under Python 3.11 or newer" in run.stdout
    assert "CAURI_PYTHON" in run.stdout
    assert run.returncode == (1 if "errors" in outcome else 0), run.stdout


def test_the_command_is_looked_for_in_three_places(tmp_path):
    def program(folder, name):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return str(path)

    on_path, beside, python = program("path", "cauri"), program("venv", "cauri"), program("other", "python")
    nowhere, path = tmp_path / "nowhere", str(tmp_path / "path")
    assert find_command({"PATH": path}, nowhere) == [on_path]
    assert find_command({"PATH": path}, tmp_path / "venv") == [beside]
    assert find_command({"PATH": path, "CAURI_PYTHON": python}, tmp_path / "venv") == [python, "-m", "cauri"]
    with pytest.raises(SandboxMissing, match="pip install"):
        find_command({"PATH": str(nowhere), "CAURI_PYTHON": ""}, nowhere)
    with pytest.raises(SandboxTrouble, match="is no program"):
        find_command({"CAURI_PYTHON": str(tmp_path)}, nowhere)


def test_the_plugin_is_an_entry_point_and_loads_nothing_that_a_run_without_payments_needs(
    pytester, monkeypatch
):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    points = [
        point for point in metadata.distribution("cauri-shop").entry_points if point.group == "pytest11"
    ]
    assert [(point.name, point.value) for point in points] == [("pytest-cauri", "cauri_shop.pytest_plugin")]
    pytester.makepyfile("""
        import sys

        def test_lean():
            assert not [name for name in sys.modules if name.startswith(("cauri_shop.testing", "cauri."))]
            assert "cauri" not in sys.modules
    """)
    result = pytester.runpytest_subprocess("-v", "--collect-only", "--trace-config")
    assert "pytest-cauri" in result.stdout.str()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.runpytest_subprocess("-q", "-p", "pytest-cauri").assert_outcomes(passed=1)
