"""``POST /admin/sites/{site}/try-url``: would this notify_url be told? The same that ``cauri site try-url`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from cauri.api.admin.door import Call, Door, site_named
from cauri.clock import Clock
from cauri.notifier.sender import Sender
from cauri.notifier.trying import Tried, try_url

if TYPE_CHECKING:
    from cauri.store import Store


class TryUrlBody(msgspec.Struct, frozen=True):
    """The address to test."""

    url: Annotated[str, Meta(min_length=1, max_length=2048, examples=["https://shop.example/notify"])]


class TryDoor:
    """The sender has the rules of deliveries: it cannot be made to call the gateway's own network."""

    def __init__(self, store: Store, sender: Sender, clock: Clock) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock

    def doors(self) -> list[Door]:
        return [
            Door(
                method="POST",
                path="/sites/{site}/try-url",
                operation="tryUrl",
                scope="sites:test",
                summary="Test a notify_url",
                description="A GET, then a signed POST of a payment that does not exist; times and advice. It may take 40 s.",
                body=TryUrlBody,
                answer=Tried,
                act=self._try,
                example={"url": "https://shop.example/notify"},
            )
        ]

    async def _try(self, call: Call) -> Tried:
        site = await site_named(self._store, call.path["site"])
        body: TryUrlBody = call.body
        return await try_url(self._sender, self._clock, site, body.url)
