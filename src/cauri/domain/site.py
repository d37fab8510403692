"""A site: one shop's service, its keys and its settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.domain.codes import Code
from cauri.domain.limits import PayerLimits
from cauri.domain.money import COUNTRIES, CURRENCIES

Limit = Annotated[int, Meta(ge=0, le=10**12)]


class SiteStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a merchant may choose (design, "Settings that matter"). The ``*_max`` are of one number, 0 for no limit."""

    session_minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)] = 30
    attempts_max: Annotated[int, Meta(ge=1, le=20)] = 3
    settlement_days: Annotated[int, Meta(ge=0, le=60)] = 2
    notification_format: Literal["form", "json"] = "form"
    wire_revision: Literal[2021, 2022] = 2021
    success_word: Literal["SUCCES", "SUCCESS"] = "SUCCES"
    daily_number_max: Limit = 0
    daily_amount_max: Limit = 0
    weekly_number_max: Limit = 0
    weekly_amount_max: Limit = 0
    monthly_number_max: Limit = 0
    monthly_amount_max: Limit = 0

    @property
    def payer_limits(self) -> PayerLimits | None:
        """What one number may pay here (807–812); None where nothing is limited."""
        limits = PayerLimits(
            daily_number=self.daily_number_max,
            daily_amount=self.daily_amount_max,
            weekly_number=self.weekly_number_max,
            weekly_amount=self.weekly_amount_max,
            monthly_number=self.monthly_number_max,
            monthly_amount=self.monthly_amount_max,
        )
        return limits if limits.any else None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One shop's service. ``secret_key`` signs its notifications, None: they are not signed; ``old_secret_key`` signs too until
    ``old_secret_until``. Moments in milliseconds UTC."""

    site_id: str
    name: str
    status: SiteStatus = SiteStatus.OPEN
    secret_key: str | None = None
    currencies: tuple[str, ...] = CURRENCIES
    countries: tuple[str, ...] = COUNTRIES
    settings: SiteSettings = SiteSettings()
    created_at: int = 0
    old_secret_key: str | None = None
    old_secret_until: int | None = None

    def signing_keys(self, now: int) -> tuple[str, ...]:
        """The secret keys that notifications are signed with at this moment; none for a site without.

        During a rotation there are two, the old one first: a receiver that knows one secret knows that one.
        """
        if self.secret_key is None:
            return ()
        if self.old_secret_key is None or now >= (self.old_secret_until or 0):
            return (self.secret_key,)
        return (self.old_secret_key, self.secret_key)

    def message_of(self, code: Code) -> str:
        """The code's text as this site's clients expect it (contract: wire_revision, success_word)."""
        if code is Code.SUCCESS:
            return self.settings.success_word
        if code is Code.INSUFFICIENT_BALANCE and self.settings.wire_revision >= 2022:
            return "INSUFFICIENT_BALANCE"
        return code.message
