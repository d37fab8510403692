"""The merchants' door, assembled: the two raw endpoints, the operators' callbacks, the documentation, the health."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount, Route

from cauri.api.asgi import App, Receive, Scope, Send
from cauri.api.docs import Docs
from cauri.api.doors import Doors
from cauri.api.health import Health
from cauri.api.operators import CallbackDoor
from cauri.wire.callers import Addresses, Buckets

if TYPE_CHECKING:
    from cauri.lifecycle import Lifecycle

PREFIX = "/v2"


class Api:
    """``routes`` for Starlette; ``door`` for whoever dispatches before it."""

    def __init__(self, doors: Doors, routes: list[BaseRoute]) -> None:
        self._hot: dict[str, App] = {"/v2/payment": doors.payment, "/v2/payment/check": doors.check}
        self._elsewhere: App = doors.elsewhere
        self.routes = [Mount(PREFIX, app=self.under_prefix), *routes]

    def door(self, path: str) -> App | None:
        """Who answers this path of the merchant API, None for a path that is not under ``/v2``. Doubled slashes count as one."""
        door = self._hot.get(path)
        if door is not None:
            return door
        path = collapsed(path)
        if path == PREFIX or path.startswith(PREFIX + "/"):
            return self._hot.get(path, self._elsewhere)
        return None

    async def under_prefix(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self.door(scope["path"]) or self._elsewhere
        await door(scope, receive, send)


def collapsed(path: str) -> str:
    """The path with every run of slashes as one: a published client sends ``//v2/payment/check``."""
    while "//" in path:
        path = path.replace("//", "/")
    return path


def build(
    lifecycle: Lifecycle,
    public_url: str,
    connectors: Collection[str],
    *,
    rate_per_key: int = 0,
    failed_auth_per_address: int = 0,
    trusted_proxies: Iterable[str] = (),
) -> Api:
    """``public_url``: where customers reach the gateway. ``connectors``: the names operators may call back.

    ``rate_per_key`` requests a second and ``failed_auth_per_address`` failures a minute, 0 for no limit. Raises ValueError where
    ``trusted_proxies`` holds something that is neither an address nor a network.
    """
    base = public_url.rstrip("/")
    clock = lifecycle.clock
    doors = Doors(
        lifecycle,
        f"{base}/payment/",
        requests_of_key=Buckets(clock, rate_per_key, per_s=1),
        failures_of_address=Buckets(clock, failed_auth_per_address, per_s=60),
        addresses=Addresses(trusted_proxies),
    )
    docs = Docs(base)
    callbacks = CallbackDoor(lifecycle, connectors)
    health = Health(lifecycle.store)
    return Api(
        doors,
        [
            Route("/operators/{name}/callback", callbacks.__call__, methods=["POST", "PUT"]),
            Route("/operators/{name}/callback/{path:path}", callbacks.__call__, methods=["POST", "PUT"]),
            Route("/openapi.json", docs.openapi, methods=["GET"]),
            Route("/docs", docs.page, methods=["GET"]),
            Route("/healthz", health.__call__, methods=["GET"]),
        ],
    )
