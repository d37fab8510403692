"""`cauri sandbox` as a subprocess. Cauri itself is never imported: it may live under another Python than the shop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ..checkout import AsyncCheckout, Checkout

START_S = 30.0
STOP_S = 15.0

_GUARD = Path(__file__).with_name("guard.py")
_ARGUMENTS = ("sandbox", "--memory", "--port", "0", "--operators-port", "0", "--operator-delay", "0")
_REMEDY = (
    'install it under Python 3.11 or newer (pip install "cauri"), in this environment or on the PATH; or let '
    "CAURI_PYTHON name the Python that has it, such as CAURI_PYTHON=/opt/cauri/bin/python"
)


class SandboxMissing(Exception):
    """There is no `cauri` command; the text says how to get one."""


class SandboxTrouble(Exception):
    """The sandbox did not start; the text holds its last words."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: where it is, and the keys of its ready site. It keeps nothing."""

    base_url: str
    operators_url: str
    site_id: str
    apikey: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """CAURI_BASE_URL, CAURI_SITE_ID, CAURI_APIKEY and CAURI_SECRET_KEY, for a shop that reads them."""
        return {
            "CAURI_BASE_URL": self.base_url, "CAURI_SITE_ID": self.site_id, "CAURI_APIKEY": self.apikey,
            "CAURI_SECRET_KEY": self.secret_key,
        }  # fmt: skip

    @property
    def django(self) -> dict[str, str]:
        """The same as keys of Django's setting: `settings.CAURI_SHOP = {**settings.CAURI_SHOP, **cauri.django}`."""
        return {name.replace("CAURI_", ""): value for name, value in self.environment.items()}

    def checkout(self, **options: Any) -> Checkout:
        """A Checkout of its site, to close or to use in a `with`; `options` are those of `Checkout`."""
        made = Checkout(*self._account, **_direct(options, httpx.Client))
        made._owned |= "client" not in options
        return made

    def async_checkout(self, **options: Any) -> AsyncCheckout:
        """The same for asyncio."""
        made = AsyncCheckout(*self._account, **_direct(options, httpx.AsyncClient))
        made._owned |= "client" not in options
        return made

    @property
    def _account(self) -> tuple[str, str, str, str]:
        return self.apikey, self.site_id, self.secret_key, self.base_url


def _direct(options: dict[str, Any], client: type[Any]) -> dict[str, Any]:
    if {"client", "proxy"} & set(options):
        return options
    # No proxy of the environment lies between a test and its own machine; plain http need not load certificates.
    return {"client": client(trust_env=False, verify=False), **options}


def find_command(environment: Mapping[str, str], beside: Path) -> list[str]:
    """How to call `cauri`: CAURI_PYTHON first, then beside this Python (`beside`, a folder), then PATH.

    Raises SandboxMissing.
    """
    python = environment.get("CAURI_PYTHON", "")
    if python:
        found = shutil.which(python, path=environment.get("PATH", ""))
        if found is None:
            raise SandboxTrouble(
                f"CAURI_PYTHON={python} is no program: name a Python that has cauri, or unset it"
            )
        return [found, "-m", "cauri"]
    for folder in (str(beside), environment.get("PATH", "")):
        command = shutil.which("cauri", path=folder)
        if command is not None:
            return [command]
    raise SandboxMissing(f"the command cauri is missing: {_REMEDY}")


@contextmanager
def running(folder: Path) -> Iterator[Sandbox]:
    """A sandbox on free ports, ended at the end of the block, or with this process. `folder` takes its log.

    Raises SandboxMissing, SandboxTrouble.
    """
    command = find_command(os.environ, Path(sys.executable).parent)
    ready, log = folder / "ready.json", folder / "sandbox.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", str(_GUARD), *command, *_ARGUMENTS, "--ready-file", str(ready)],
            # Its own session: Ctrl-C is pytest's, which then ends the sandbox. Its own folder: no ./cauri is imported.
            stdin=subprocess.PIPE, stdout=lines, stderr=lines, env=_environment(), cwd=folder, start_new_session=True,
        )  # fmt: skip
    try:
        yield _sandbox(process, ready, log, command)
    finally:
        _end(process)


def _environment() -> dict[str, str]:
    # PYTHONPATH, PYTHONWARNINGS and their like are meant for the shop's Python, not for Cauri's.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {"CAURI_LOG_LEVEL": "warning", **kept}


def _sandbox(process: subprocess.Popen[bytes], ready: Path, log: Path, command: list[str]) -> Sandbox:
    deadline = time.monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None:
            raise SandboxTrouble(
                f"{' '.join(command)} sandbox ended before it was ready.\n{_last_words(log)}"
            )
        if time.monotonic() > deadline:
            raise SandboxTrouble(
                f"{' '.join(command)} sandbox was not ready in {START_S:.0f} s.\n{_last_words(log)}"
            )
        time.sleep(0.01)
    facts = json.loads(ready.read_text(encoding="utf-8"))
    return Sandbox(**{name: facts[name] for name in Sandbox.__dataclass_fields__})


def _last_words(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:].strip() or "It said nothing."


def _end(process: subprocess.Popen[bytes]) -> None:
    """The guard ends the sandbox when its standard input closes, and then itself."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
