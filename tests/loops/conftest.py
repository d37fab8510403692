"""The shop of the histories, whose clock stands still."""

from __future__ import annotations

from tests.lifecycle.conftest import client, receiver, shop, timed_gateway

__all__ = ["client", "receiver", "shop", "timed_gateway"]
