"""Connections that take only so much for one answer, whatever it is: who answers must not keep this process busy.

What counts as an answer's body is capped where it is read. Interim answers (100 Continue) and what stands between the pieces of a chunked
body never come there, and could be sent without end until the time-out: tens of thousands of heads in each megabyte, one after the other,
while nobody else in this process is served.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError

# Well above the part of a body that is read, so that a long answer still ends by its status.
RECEIVED_MAX = 1024 * 1024
# Reading a head costs more than its few bytes.
INTERIM_COST = 16 * 1024


class BoundedConnector(aiohttp.TCPConnector):
    """A TCPConnector whose connections end where one answer has brought more than RECEIVED_MAX."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # aiohttp has no public door for the protocol of its connections; its version is pinned, and tests flood it.
        kind: type[ResponseHandler] = _Bounded
        self._factory = partial(kind, loop=asyncio.get_running_loop())


class _Bounded(ResponseHandler):
    _left = RECEIVED_MAX

    def set_response_params(self, **params: Any) -> None:
        """A request is about to be sent: what comes now is its answer."""
        self._left = RECEIVED_MAX
        super().set_response_params(**params)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head was read."""
        if data[0].code < 200:
            self._left -= INTERIM_COST
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            super().data_received(data)
            return
        self.set_exception(HttpProcessingError(code=400, message="more than 1 MiB, and no end of it"))
        if self.transport is not None:
            self.transport.abort()
