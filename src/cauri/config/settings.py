"""Everything an instance can be told, as types with their defaults."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.config.operators import OperatorsSettings
from cauri.config.statements import StatementSettings
from cauri.config.values import Count, Port, Secret, Text
from cauri.domain.money import DEFAULT_BOUNDS, Bounds
from cauri.domain.notifying import NotificationSettings


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """0 is no limit (contract section 8). All but the prompts, which the database counts, are per process."""

    rate_per_key: Count = 200
    failed_auth_per_address: Count = 30
    page_posts_per_address: Count = 60
    attempt_gap_s: Count = 5
    prompts_per_number_and_address: Count = 5
    prompts_per_number: Count = 20


class Routing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a connector is passed over: ``breaker_failures`` 0 never, ``availability_every_s`` 0 asks no operator."""

    breaker_failures: Count = 5
    breaker_open_s: Annotated[int, Meta(ge=1)] = 30
    availability_every_s: Count = 60


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
    routing: Routing = Routing()
    methods: dict[str, str | tuple[str, ...]] = {}
    statements: dict[str, StatementSettings] = {}
    bounds: dict[str, Annotated[list[int], Meta(min_length=2, max_length=2)]] = {}

    @property
    def bounds_table(self) -> dict[tuple[str, str], Bounds]:
        """The contract's bounds with this instance's own over them."""
        own = {(key[:2], key[3:]): Bounds(low, high) for key, (low, high) in self.bounds.items()}
        return {**DEFAULT_BOUNDS, **own}
