"""The same shop as in the histories, and what is heard of one payment."""

from __future__ import annotations

from tests.lifecycle.conftest import client, receiver, shop, timed_gateway

__all__ = ["client", "receiver", "shop", "timed_gateway"]
