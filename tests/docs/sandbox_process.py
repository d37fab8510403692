"""A sandbox as a reader of the README starts it, in a process of its own; only ports and keys are others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent

# What the README prints, and what the started sandbox has in its place.
DEFAULTS = {
    "http://127.0.0.1:8080": "url",
    "445160": "site_id",
    "cauri-sandbox-apikey": "apikey",
    "cauri-sandbox-secret-key": "secret_key",
}


@dataclass(frozen=True)
class SandboxProcess:
    url: str
    site_id: str = "990001"
    apikey: str = "the-readers-own-apikey"
    secret_key: str = "the-readers-own-secret"

    def substituted(self, snippet: str) -> str:
        """The snippet with this sandbox's URL and keys."""
        for printed, field in DEFAULTS.items():
            snippet = snippet.replace(printed, getattr(self, field))
        return snippet


def reader_environment() -> dict[str, str]:
    """As after the README's ``export PATH``; nothing of this machine's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAURI_")}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}", "PYTHONUNBUFFERED": "1"}


def start(folder: Path) -> tuple[subprocess.Popen[str], SandboxProcess]:
    """Returns when the sandbox has said that it is ready."""
    keys = SandboxProcess("")
    with (folder / "sandbox.log").open("w") as log:
        process = subprocess.Popen(
            (
                BIN / "cauri",
                "sandbox",
                "--memory",
                "--port",
                "0",
                "--operators-port",
                "0",
                "--operator-delay",
                "0.1",
                "--site-id",
                keys.site_id,
                "--apikey",
                keys.apikey,
                "--secret-key",
                keys.secret_key,
            ),
            cwd=folder,
            env=reader_environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"POST (http://\S+)/v2/payment$", line):
            return process, SandboxProcess(found[1])
    raise AssertionError(f"the sandbox did not start: {(folder / 'sandbox.log').read_text()}")
