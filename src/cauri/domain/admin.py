"""Admin tokens: what each may do, for which sites, until when; and the record of what was done with them."""

from __future__ import annotations

import msgspec

SCOPES: dict[str, str] = {
    "deliveries:read": "list deliveries and look at one",
    "deliveries:write": "replay notifications, look after parked addresses",
    "payments:read": "a payment's history, attempts and deliveries; phone numbers masked",
    "notifications:read": "which notifications are due or parked",
    "notifications:listen": "the notifications themselves, signed, with all that the shop is told: for `cauri listen`",
    "endpoints:read": "which notify_url hosts are in trouble",
    "metrics:read": "the metrics, for Prometheus",
    "audit:read": "what was done with admin tokens",
    "operators:read": "how the operators stand: breakers, availability, bounds, success rates",
    "surpluses:read": "money that came after a payment's end",
    "surpluses:write": "say that such money was given back",
    "sites:test": "send a test to a site's notify_url",
}
"""Every scope and what it opens."""

LABEL_MAX = 64


class AdminToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is kept: its SHA-256, never itself. ``sites`` None: all. Times in milliseconds UTC, None for never."""

    token_hash: str
    label: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None

    def live(self, now: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def sees(self, site_id: str) -> bool:
        return self.sites is None or site_id in self.sites


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One write that was asked for, done or refused. ``label`` is the token's, empty where none was recognised.

    ``what`` is the operation, ``target`` what it was asked of, ``result`` the HTTP status and code, "begun" while it runs.
    """

    audit_id: str
    at: int
    label: str
    address: str
    what: str
    target: str
    result: str
