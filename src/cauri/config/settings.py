"""Everything an instance can be told, as types with their defaults."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.config.operators import OperatorsSettings
from cauri.config.values import Count, Port, Secret, Text
from cauri.domain.money import DEFAULT_BOUNDS, Bounds
from cauri.domain.notifying import NotificationSettings


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Per process; 0 is no limit (contract section 8)."""

    rate_per_key: Count = 200
    failed_auth_per_address: Count = 30
    page_posts_per_address: Count = 60
    attempt_gap_s: Count = 5


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an instance can be told; ``cauri.example.toml`` says what each is for."""

    public_url: Text
    database: Text
    secret: Secret
    operators: OperatorsSettings
    host: Text = "127.0.0.1"
    port: Port = 8080
    workers: Annotated[int, Meta(ge=1)] = 1
    trusted_proxies: tuple[str, ...] = ()
    private_notify_urls: bool = False
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    limits: Limits = Limits()
    notifications: NotificationSettings = NotificationSettings()
    methods: dict[str, str] = {}
    bounds: dict[str, Annotated[list[int], Meta(min_length=2, max_length=2)]] = {}

    @property
    def bounds_table(self) -> dict[tuple[str, str], Bounds]:
        """The contract's bounds with this instance's own over them."""
        own = {(key[:2], key[3:]): Bounds(low, high) for key, (low, high) in self.bounds.items()}
        return {**DEFAULT_BOUNDS, **own}
