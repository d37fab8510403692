"""The shops of the README, saved as a reader would and run by the commands it prints, deliver once under eight equal notifications."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest
from readme_blocks import README, save_files

pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not beside these tests")
SECRET = b"cauri-sandbox-secret-key"
FIELDS = [
    "cpm_site_id",
    "cpm_trans_id",
    "cpm_trans_date",
    "cpm_amount",
    "cpm_currency",
    "signature",
    "payment_method",
    "cel_phone_num",
    "cpm_phone_prefixe",
    "cpm_language",
    "cpm_version",
    "cpm_payment_config",
    "cpm_page_action",
    "cpm_custom",
    "cpm_designation",
    "cpm_error_message",
]
_TELL = re.compile(r"(def deliver\(event\):.*\n)")


class Shop:
    """A README's shop in a folder, with its hook told to print that it ran."""

    def __init__(self, folder: Path, gateway_url: str) -> None:
        self.folder, self.said = folder, deque[str]()
        self.env = {
            **os.environ,
            "CAURI_BASE_URL": gateway_url,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not say {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def tell_deliveries(self, name: str) -> None:
        path = self.folder / name
        text, found = _TELL.subn(
            r'\1    print("DELIVERED", flush=True)' + "\n", path.read_text(encoding="utf-8")
        )
        assert found == 1
        path.write_text(text, encoding="utf-8")

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, *command: str) -> Iterator[str]:
        """The URL that the server prints; it was given port 0."""
        server = subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            url = None
            for line in server.stdout:
                self.said.append(line)
                found = re.search(r"http://127\.0\.0\.1:[1-9]\d*", line)
                if found:
                    url = found[0]
                    break
            assert url, "".join(self.said)
            reader = Thread(target=self.said.extend, args=(server.stdout,), daemon=True)
            reader.start()
            yield url
        finally:
            server.terminate()
            server.wait(30)
        reader.join(30)


def notification(transaction_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """The 16 fields and their x-token."""
    fields = {**dict.fromkeys(FIELDS, ""), "cpm_site_id": "445160", "cpm_trans_id": transaction_id}
    signed = hmac.new(SECRET, "".join(fields.values()).encode(), hashlib.sha256).hexdigest()
    return fields, {"x-token": signed}


def pay_and_notify_eight_times(gateway, url: str, pressed: httpx.Response) -> None:
    assert pressed.status_code == 303, pressed.text
    assert pressed.headers["Location"].startswith(f"{gateway.url}/payment/")
    (transaction_id,) = gateway.payments
    assert gateway.payments[transaction_id]["return_url"].endswith("/cauri/return")
    gateway.settle(transaction_id, ("00", "SUCCES"))
    fields, token = notification(transaction_id)

    def notify(_: int) -> int:
        return httpx.post(f"{url}/cauri/notify", data=fields, headers=token, timeout=60).status_code

    assert httpx.post(f"{url}/cauri/notify", data=fields, headers={"x-token": "0" * 64}).status_code == 401
    with ThreadPoolExecutor(8) as eight:
        assert list(eight.map(notify, range(8))) == [200] * 8
    back = httpx.post(f"{url}/cauri/return", data={"transaction_id": transaction_id}, follow_redirects=True)
    assert "Merci !" in back.text


def django_shop(folder: Path, gateway_url: str) -> Shop:
    shop = Shop(folder, gateway_url)
    shop.run("-m", "django", "startproject", "boutique", ".")
    shop.run("manage.py", "startapp", "shop")
    save_files(README, folder, "boutique/", "shop/")
    shop.run("manage.py", "makemigrations", "shop")
    return shop


def test_the_django_shop(tmp_path, gateway):
    pytest.importorskip("django")
    shop = django_shop(tmp_path, gateway.url)
    shop.tell_deliveries("shop/payments.py")
    shop.run("manage.py", "migrate")
    assert "no issues" in shop.run("manage.py", "check")
    order = (
        "from shop.models import Order; print(Order.objects.create(email='awa@example.org', total=1500).pk)"
    )
    assert shop.run("manage.py", "shell", "-c", order).split()[-1] == "1"
    with (
        shop.serving("manage.py", "runserver", "--noreload", "0") as url,
        httpx.Client(base_url=url) as browser,
    ):
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/orders/1/").text)[1]
        pressed = browser.post("/orders/1/pay", data={"csrfmiddlewaretoken": token})
        pay_and_notify_eight_times(gateway, url, pressed)
        assert "Commande 1 : paid" in browser.get("/orders/1/").text
        again = browser.post("/orders/1/pay", data={"csrfmiddlewaretoken": token})
        assert (again.status_code, again.headers["Location"]) == (302, "/orders/1/")
    printed = "".join(shop.said)
    assert (printed.count("DELIVERED"), printed.count("Subject: Merci !")) == (1, 1)
    assert "effects: 0 done" in shop.run("manage.py", "reconcile_payments")


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
def test_the_flask_and_fastapi_shops(framework, tmp_path, gateway):
    needed = {"flask": ("flask", "sqlalchemy"), "fastapi": ("fastapi", "sqlalchemy", "uvicorn", "aiosqlite")}
    for module in needed[framework]:
        pytest.importorskip(module)
    shop = Shop(tmp_path, gateway.url)
    save_files(README, tmp_path, "models.py", f"{framework}_shop.py")
    shop.replace("models.py", "http://127.0.0.1:8080", gateway.url)
    shop.tell_deliveries(f"{framework}_shop.py")
    command = {
        "flask": ("-m", "flask", "--app", "flask_shop", "run", "--port", "0"),
        "fastapi": ("-m", "uvicorn", "fastapi_shop:app", "--port", "0"),
    }[framework]
    with shop.serving(*command) as url:
        shop.run(
            "-c",
            "from models import Order; from sqlalchemy import create_engine; from sqlalchemy.orm import Session\n"
            "with Session(create_engine('sqlite:///shop.sqlite3')) as s: s.add(Order(total=1500)); s.commit()",
        )
        pay_and_notify_eight_times(gateway, url, httpx.post(f"{url}/orders/1/pay"))
        assert httpx.post(f"{url}/orders/1/pay").status_code == 409
    assert "".join(shop.said).count("DELIVERED") == 1
    if framework == "flask":
        assert "asked about 0" in shop.run("-m", "flask", "--app", "flask_shop", "cauri", "reconcile")


def test_the_django_shops_own_test(tmp_path):
    """The test that the README gives its reader, in front of a real sandbox."""
    pytest.importorskip("pytest_django")
    if (
        not os.environ.get("CAURI_PYTHON")
        and shutil.which("cauri", path=str(Path(sys.executable).parent)) is None
    ):
        pytest.skip("no cauri here; CAURI_PYTHON may name a Python that has it")
    shop = django_shop(tmp_path, "http://127.0.0.1:9")
    save_files(README, tmp_path, "test_payments.py")
    told = shop.run(
        "-m", "pytest", "-p", "no:cacheprovider", "-q", "--ds", "boutique.settings", "test_payments.py"
    )
    assert "1 passed" in told, told
