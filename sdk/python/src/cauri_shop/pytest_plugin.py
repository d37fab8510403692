"""The pytest plugin pytest-cauri: real payments in a shop's own tests, offline.

Install `cauri-shop[test]`, and `cauri` under any Python 3.11 or newer (the shop's own may be older). Then:

    def test_an_order_is_paid(cauri, pay, notifications):
        checkout = cauri.checkout()
        started = checkout.start(transaction_id="CMD-1", amount=1500, currency="XOF", description="Pagne",
                                 return_url="https://boutique.example/return", notify_url=notifications.url)
        assert pay(started.payment_url, phone="+2250102324373").paid
        assert notifications.wait()[0].transaction_id == "CMD-1"
        assert checkout.check("CMD-1").matches(amount=1500, currency="XOF")
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Notifications, Pay, Receiver, Sandbox

# Imported where they are needed: pytest loads this file in each of a shop's runs, payments or none.


@pytest.fixture(scope="session")
def cauri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox on free ports, in memory, one per session and xdist worker: base_url, site_id, apikey, secret_key, checkout().

    It runs in a process of its own. Where the command `cauri` is missing, tests are skipped with the remedy; with CI
    set in the environment they fail instead.
    """
    from .testing.sandbox import SandboxMissing, SandboxTrouble, running

    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(running(tmp_path_factory.mktemp("cauri")))
        except SandboxMissing as missing:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(str(missing))
        except SandboxTrouble as trouble:
            pytest.fail(str(trouble), pytrace=False)
        yield sandbox


@pytest.fixture(scope="session")
def pay() -> Pay:
    """Plays the customer: `pay(payment_url, phone="+2250102324373", method=None, otp="123456", cancel=False, timeout=10.0)`.

    Gives how it ended (`.paid`, `.state`, `.text`, `.return_url`, `.return_form`). Its docstring says which numbers
    fail. It blocks: in an asynchronous test, `await asyncio.to_thread(pay, payment_url)`.
    """
    from .testing import payer

    return payer.pay


@pytest.fixture(scope="session")
def cauri_receiver(cauri: Sandbox) -> Iterator[Receiver]:
    """The server behind `notifications`, one per session: its base_url may be your shop's public address in tests."""
    from .testing import Receiver

    with cauri.checkout() as checkout:
        receiver = Receiver(checkout)
        yield receiver
        receiver.close()


@pytest.fixture
def notifications(cauri_receiver: Receiver) -> Notifications:
    """What the sandbox posted during this test to `notifications.url`, each verified by its x-token.

    `notifications.wait(n=1)` gives all as soon as there are n; `.all`, `.of(transaction_id)`, `.refused`; of each
    `.body` and `.headers`, to hand to your shop's own door.
    """
    from .testing import Notifications

    return Notifications(cauri_receiver)
