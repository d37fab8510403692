"""A gateway in production, told to call a shop in its own network."""

from __future__ import annotations

import pytest

from cauri.store.migrate import migrate
from tests.conftest import NewDatabase
from tests.lifecycle.second import second_gateway
from tests.lifecycle.shopping import Shop
from tests.running import Running


@pytest.mark.parametrize("allowed", [False, True])
async def test_only_the_setting_opens_private_addresses(
    shop: Shop, engine: str, new_database: NewDatabase, allowed: bool
) -> None:
    database = await new_database(engine)
    async with second_gateway(
        shop.running, loops=False, database=database, private_notify_urls=allowed
    ) as production:
        await migrate(production.gateway.store.engine)
        sandbox = _Like(production.gateway, production.url, shop.running)
        site = await Running(sandbox, engine, "", "", "").new_site()  # type: ignore[arg-type]
        buyer = await Shop(site, shop.receiver, shop.client).opens()
        await buyer.post("cancel")
        await production.gateway.notifier.tick(shop.clock.now())
        await production.gateway.notifier.idle()
        [delivery] = (await buyer.timeline()).deliveries
    assert len(shop.receiver.posts[buyer.path]) == (1 if allowed else 0)
    assert delivery.error == (None if allowed else "refused: 127.0.0.1 is not a public address")
    assert (delivery.next_try_at is None) == allowed


class _Like:
    """What ``Running`` needs of a sandbox."""

    def __init__(self, gateway: object, url: str, running: Running) -> None:
        self.gateway, self.url, self.clock = gateway, url, running.clock
        self.operators_url = running.simulator_url
