"""The real site as a process and a donor's browser; `cauri` and `pay` come with cauri-shop's pytest plugin."""

from __future__ import annotations

import os
import queue
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

DONS = Path(__file__).resolve().parents[1]


class Site:
    """`python -m dons` on a free port, and everything it prints."""

    def __init__(self, database: Path, environment: dict[str, str]) -> None:
        self.database, self.printed = database, []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DONS_", "CAURI_"))}
        self.environment = {**kept, **environment, "PYTHONPATH": str(DONS), "PYTHONDONTWRITEBYTECODE": "1"}
        self.start()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dons", *arguments], env=self.environment, text=True, capture_output=True, timeout=30,
            check=False,
        )  # fmt: skip

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dons", "--port", "0", "--database", str(self.database)], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=[self.process.stdout, lines], daemon=True).start()
        line = lines.get(timeout=30)
        assert line.startswith("dons ready on "), line
        self.url = line.split()[3].rstrip("/")
        self.donor = httpx.Client(base_url=self.url, timeout=30)

    def _read(self, stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            self.printed.append(line.rstrip("\n"))
            lines.put(line.rstrip("\n"))
        lines.put("(the site stopped)")

    def give(self, **typed: str) -> httpx.Response:
        """Fills in the form of the home page and presses the button."""
        page = self.donor.get("/").text
        ref = re.search(r'name="ref" value="([0-9a-f]+)"', page)[1]
        return self.donor.post("/donner", data={"ref": ref, "amount": "2000", **typed})

    def total(self) -> dict[str, int]:
        return self.donor.get("/total.json").json()

    def text(self, path: str) -> str:
        return unescape(self.donor.get(path).text)

    def come_back(self, form: dict[str, str]) -> str:
        """The gateway's page sends the donor back by a form; gives the page that follows."""
        answer = self.donor.post("/merci", data=form)
        assert answer.status_code == 303
        return self.text(answer.headers["location"])

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.donor.close()


@pytest.fixture
def own_site(tmp_path: Path, cauri: Any) -> Iterator[Site]:
    """A site that a test may stop and start."""
    site = Site(tmp_path / "dons.sqlite3", {**cauri.environment, "DONS_GOAL": "10000"})
    yield site
    site.kill()


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory, cauri: Any) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("dons") / "dons.sqlite3", {**cauri.environment, "DONS_GOAL": "10000"})
    yield site
    site.kill()


@pytest.fixture
def site(running_site: Site) -> Site:
    """A site that nobody has given to, and a donor who has not been there."""
    for (table,) in running_site.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        running_site.rows(f"DELETE FROM {table}")
    running_site.donor.cookies.clear()
    return running_site
