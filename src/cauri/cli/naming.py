"""What a command names: a site, a payment."""

from __future__ import annotations

from cauri.cli.instance import Trouble
from cauri.domain.payment import Payment
from cauri.domain.site import Site
from cauri.store import Store


async def site_named(store: Store, site_id: str, option: str = "") -> Site:
    """``option``: where it was named, such as ``--site``. Raises Trouble where there is no such site."""
    site = await store.site(site_id)
    if site is None:
        where = f"{option}: " if option else ""
        raise Trouble(f"{where}there is no site {site_id}: 'cauri site list' names those there are")
    return site


async def payment_named(store: Store, site_id: str, transaction_id: str) -> Payment:
    """Raises Trouble where the site has no such payment."""
    payment = await store.payment_by_transaction(site_id, transaction_id)
    if payment is None:
        raise Trouble(f"site {site_id} has no payment {transaction_id}")
    return payment
