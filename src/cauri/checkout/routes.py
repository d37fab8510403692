"""The doors of the hosted page. A GET never changes anything: whoever previews the link changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cauri.checkout.assets import Assets, read_assets
from cauri.checkout.desk import Desk
from cauri.checkout.door import Counter, Door, Handler
from cauri.checkout.language import language_of
from cauri.checkout.rendering import Renderer
from cauri.checkout.state_door import answer_state
from cauri.clock import Clock
from cauri.lifecycle import Lifecycle
from cauri.wire.callers import Addresses, Buckets


def build(
    lifecycle: Lifecycle,
    *,
    public_url: str,
    page_posts_per_address: int,
    trusted_proxies: Sequence[str],
    clock: Clock,
) -> list[BaseRoute]:
    """``page_posts_per_address``: forms a minute, 0 = no limit. ``trusted_proxies``: who may set X-Forwarded-For."""
    base = urlsplit(public_url).path.rstrip("/")
    assets = Assets(read_assets(), base)
    renderer = Renderer(base, assets.urls)
    addresses = Addresses(trusted_proxies)
    counter = Counter(renderer, Buckets(clock, page_posts_per_address, per_s=60), addresses)
    desk = Desk(lifecycle, renderer, addresses)

    def door(path: str, **handlers: Handler) -> Route:
        return Route(path, Door(counter, handlers))

    async def state(request: Request) -> Response:
        return await answer_state(lifecycle, request)

    async def no_page(request: Request) -> Response:
        return counter.show(request, counter.trouble(request, "no_page", 404))

    async def slash(request: Request) -> Response:
        language = language_of(request.query_params, request.headers)
        return RedirectResponse(renderer.path(request.path_params["token"], language=language), 308)

    return [
        door("/payment/{token}", GET=desk.show),
        door("/payment/{token}/", GET=slash),
        door("/payment/{token}/number", POST=desk.number, GET=desk.back_to_page),
        door("/payment/{token}/pay", POST=desk.pay, GET=desk.back_to_page),
        door("/payment/{token}/code", POST=desk.code, GET=desk.back_to_page),
        door("/payment/{token}/cancel", POST=desk.cancel, GET=desk.back_to_page),
        door("/payment/{token}/leave", POST=desk.leave, GET=desk.back_to_page),
        door("/payment/{token}/state", GET=state),
        door("/payment", GET=no_page),
        door("/payment/{rest:path}", GET=no_page, POST=no_page),
        Route("/static/{name}", assets.show, methods=["GET"]),
    ]
