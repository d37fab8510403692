"""uvicorn's HTTP/1.1 protocol, except that an offer to change protocol is ignored and its request read as it is.

Java's HttpClient, which the guide's Java sample uses, sends ``Upgrade: h2c`` with every first request over plain http. httptools then takes
the body for bytes of the new protocol, and the application sees an empty one. RFC 9110 section 7.8: a server may ignore Upgrade.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from itertools import chain
from typing import cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cauri.api.one_write import OneWrite

_OFFER = (b"upgrade", b"http2-settings")

HEAD_BYTES_MAX = 64 * 1024
REQUEST_WITHIN_S = 30


class H2cSafeProtocol(HttpToolsProtocol):
    """Pass it as ``uvicorn.Config(http=H2cSafeProtocol)``.

    When the parser has read a head that offers a protocol nobody here speaks, the request is not started; the same head without the
    offer, and then all that followed it, go to a fresh parser. The parser itself finds where heads begin and end, so that neither split
    segments nor pipelined requests nor a body that mentions ``Upgrade: h2c`` can be misread; requests without an offer cost one look.
    """

    _offer_ignored = False
    _under_way = False  # a request has begun and has not come whole
    _head_came = False
    _head_bytes = 0
    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        self._out = OneWrite(transport)
        super().connection_made(cast("Transport", self._out))
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        size = len(data)
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                message = "Invalid HTTP request received."
                self.logger.warning(message)
                self.send_400_response(message)
            except httptools.HttpParserUpgrade as upgrade:
                if self._offer_ignored:
                    data = self._head_without_offer() + data[upgrade.args[0] :]
                    continue
                self._upgraded()
            if self._under_way:
                self._wait_for_rest(size)
            return

    def on_message_begin(self) -> None:
        self._under_way, self._head_came, self._head_bytes = True, False, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_came = True
        self._offer_ignored = self.parser.should_upgrade() and self._offer_to_ignore()
        if not self._offer_ignored:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offer_ignored:
            self._under_way = False
            if self._deadline is not None:
                self._request_came()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        self._out.flush()
        super().on_response_complete()

    def _wait_for_rest(self, size: int) -> None:
        """Most requests come whole in one segment; only the others are timed, and their heads counted."""
        if not self._head_came:
            self._head_bytes += size
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse_head()
        if self._deadline is None:
            self._expect_request()

    def _expect_request(self) -> None:
        """A caller that sends nothing, or drips, holds its connection only so long."""
        self._deadline = self.loop.call_later(REQUEST_WITHIN_S, self.transport.close)

    def _request_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse_head(self) -> None:
        """RFC 6585: the head is larger than anybody needs."""
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()

    def _offer_to_ignore(self) -> bool:
        return not self._should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)

    def _head_without_offer(self) -> bytes:
        """The head that was just read, once more, for a parser that has not seen it."""
        start = b"%s %s HTTP/%s\r\n" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        kept = ((name, b": ", value, b"\r\n") for name, value in self.headers if name not in _OFFER)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._offer_ignored = False
        return b"".join(chain([start], chain.from_iterable(kept), [b"\r\n"]))

    def _upgraded(self) -> None:
        """As uvicorn does: WebSocket where it is spoken, else a line in the log."""
        if self._should_upgrade():
            self.handle_websocket_upgrade()
        else:
            self._unsupported_upgrade_warning()
