"""The site's settings, from environment variables; the gateway's defaults are the sandbox's public ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CURRENCY = "XOF"


@dataclass(frozen=True)
class Settings:
    """`url` is how donors reach this site, `database` a file, `goal` in whole francs."""

    gateway: str
    apikey: str = field(repr=False)
    site_id: str
    secret_key: str = field(repr=False)
    url: str
    database: Path
    goal: int


class BadSetting(Exception):
    """A setting cannot be used; the text names it and says what to write."""


def settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings. Raises BadSetting."""
    goal = env.get("DONS_GOAL", "2500000")
    if not (goal.isascii() and goal.isdigit() and int(goal) > 0):
        raise BadSetting("DONS_GOAL must be a number of francs greater than 0, such as 2500000")
    return Settings(
        gateway=env.get("CAURI_BASE_URL", "http://127.0.0.1:8080"),
        apikey=env.get("CAURI_APIKEY", "cauri-sandbox-apikey"),
        site_id=env.get("CAURI_SITE_ID", "445160"),
        secret_key=env.get("CAURI_SECRET_KEY", "cauri-sandbox-secret-key"),
        url=env.get("DONS_URL", "").rstrip("/"),
        database=Path(env.get("DONS_DB", str(HERE.parent / "dons.sqlite3"))),
        goal=int(goal),
    )
