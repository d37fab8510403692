"""Keys: the sandbox's, which are public knowledge; how keys and tokens are kept; the instance's own secret beside its data."""

from __future__ import annotations

import base64
import hashlib
import secrets
from pathlib import Path

SANDBOX_SITE_ID = "445160"
SANDBOX_APIKEY = "cauri-sandbox-apikey"
SANDBOX_SECRET_KEY = "cauri-sandbox-secret-key"  # noqa: S105 — public knowledge
SANDBOX_ADMIN_TOKEN = "cauri-sandbox-admin-token"  # noqa: S105 — public knowledge


def hash_of(key: str) -> str:
    """How an apikey or an admin token is kept: its SHA-256, hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_admin_token() -> str:
    """Text that nobody guesses, and that tells a reader of a leaked file what it is."""
    return f"cauri_admin_{secrets.token_urlsafe(32)}"


def webhook_secret(secret_key: str) -> str:
    """A site's secret key as the libraries of Standard Webhooks take it: ``whsec_`` and the base64 of its UTF-8."""
    return "whsec_" + base64.b64encode(secret_key.encode()).decode()


def kept_secret(folder: Path) -> str:
    """The instance's own secret, made once and kept beside its data; nobody else may read it."""
    path = folder / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()
