# mypy: disable-error-code="import-untyped"
"""What both shops do: be notified of 100 payments, eight times each, by eight threads at once; then hear a late failure."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from cauri_shop.notification import SIGNED_FIELDS, x_token

PAYMENTS, EQUAL, THREADS, SEED = 100, 8, 8, 20261123
APIKEY, SITE_ID, SECRET = "bench-apikey", "445160", "bench-secret-key"
FORM = "application/x-www-form-urlencoded"

Notify = Callable[[str, bool], int]
"""Tells the shop of this payment, as failed or not; gives the HTTP status that it answers."""


@dataclass(frozen=True, slots=True)
class Counted:
    """``hook_ran``: deliveries in all. ``overwritten``: paid orders that are not paid any more after a late failure."""

    version: str
    hook_ran: int
    orders_delivered: int
    delivered_again: int
    seconds: float
    trouble: int
    overwritten: int


def notification(transaction_id: str) -> tuple[bytes, str]:
    """The body, the same each time, and its x-token."""
    fields = {**dict.fromkeys(SIGNED_FIELDS, ""), "cpm_site_id": SITE_ID, "cpm_trans_id": transaction_id}
    return urlencode(fields).encode(), x_token(SECRET, fields.values())


def run(
    version: str, names: Sequence[str], notify: Notify, paid: Callable[[], int], gateway_url: str
) -> dict[str, Any]:
    """Tells the shop; counts what it delivered. ``paid``: how many orders its own record has as paid now."""
    from bench.shop.goods.models import Delivered

    tasks = list(names) * EQUAL
    random.Random(SEED).shuffle(tasks)
    with ThreadPoolExecutor(THREADS) as pool:
        began = time.perf_counter()
        answers = list(pool.map(lambda name: notify(name, False), tasks))
        seconds = time.perf_counter() - began
        counts = Counter(Delivered.objects.values_list("order_ref", flat=True))
        before = paid()
        httpx.post(f"{gateway_url}/says", content=b"600").raise_for_status()
        answers += list(pool.map(lambda name: notify(name, True), names))
        httpx.post(f"{gateway_url}/says", content=b"00").raise_for_status()
    return asdict(
        Counted(
            version=version,
            hook_ran=counts.total(),
            orders_delivered=len(counts),
            delivered_again=sum(many > 1 for many in counts.values()),
            seconds=seconds,
            trouble=sum(status >= 400 for status in answers),
            overwritten=before - paid(),
        )
    )
