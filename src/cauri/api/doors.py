"""The two doors of the merchant API as raw ASGI: ``POST /v2/payment`` and ``POST /v2/payment/check``.

The order of the checks is the contract's (section 5): the first that fails is the answer.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from cauri.api import errors
from cauri.api.asgi import (
    Answer,
    Disconnected,
    Head,
    Receive,
    Scope,
    Send,
    read_capped,
    read_head,
    send_answer,
    send_preflight,
)
from cauri.api.auth import KeyRing, Opened
from cauri.domain.errors import (
    CauriError,
    FaultyFields,
    PaymentNotFound,
    TooManyRequests,
    UnknownApikey,
    UnknownSite,
    UnsupportedMediaType,
)
from cauri.domain.payment import Payment
from cauri.domain.site import Site
from cauri.wire import answers
from cauri.wire.answers import ResponseIds
from cauri.wire.bodies import media_type_known, read_body
from cauri.wire.callers import Addresses, Buckets
from cauri.wire.fields import Faults, Fields
from cauri.wire.requests import CheckRequest, Credentials, read_check, read_credentials, read_payment

if TYPE_CHECKING:
    from cauri.lifecycle import Lifecycle

log = structlog.get_logger("cauri.api")

Act = Callable[[Scope, Head, Fields], Awaitable[bytes]]


class Doors:
    """``payment_url_base`` is the gateway's public URL with ``/payment/`` at its end."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        payment_url_base: str,
        requests_of_key: Buckets,
        failures_of_address: Buckets,
        addresses: Addresses,
    ) -> None:
        self._lifecycle = lifecycle
        self._store = lifecycle.store
        self._payment_url_base = payment_url_base
        self._keys = KeyRing(lifecycle.store, lifecycle.clock)
        self._requests_of_key = requests_of_key
        self._failures_of_address = failures_of_address
        self._addresses = addresses
        self.response_id = ResponseIds(lifecycle.clock)

    async def payment(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /v2/payment``."""
        await self._serve(scope, receive, send, self._open)

    async def check(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /v2/payment/check``."""
        await self._serve(scope, receive, send, self._check)

    async def elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any other path under ``/v2``."""
        if scope["method"] == "OPTIONS":
            await send_preflight(send, scope["headers"])
            return
        language = read_head(scope["headers"]).accept_language
        await send_answer(send, errors.answer_to_path(language, self.response_id()))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, act: Act) -> None:
        headers = scope["headers"]
        if scope["method"] == "OPTIONS":
            await send_preflight(send, headers)
            return
        head = read_head(headers)
        if scope["method"] != "POST":
            await send_answer(send, errors.answer_to_method(head.accept_language, self.response_id()))
            return
        try:
            answer = Answer(200, await self._admitted(scope, receive, head, act))
        except Disconnected:
            return
        except CauriError as error:
            answer = self._refused(scope, head, error)
        except Exception as error:
            answer = self._broken(scope, head, error)
        await send_answer(send, answer)

    async def _admitted(self, scope: Scope, receive: Receive, head: Head, act: Act) -> bytes:
        """Rows 1 to 3 and the reading of the body, then what the door does."""
        body = await read_capped(receive, head.content_length)
        if not media_type_known(head.content_type):
            raise UnsupportedMediaType(head.content_type)
        if not self._failures_of_address.untouched:
            self._failures_of_address.check(self._addresses.of(scope))
        return await act(scope, head, read_body(head.content_type, body))

    async def _open(self, scope: Scope, head: Head, body: Fields) -> bytes:
        faults: Faults = []
        who = read_credentials(body, faults)
        asked = read_payment(body, faults, head.idempotency_keys)
        site = await self._site_of(scope, who, faults)
        if asked is None:
            raise FaultyFields(*faults)
        payment = await self._lifecycle.open(site, asked)
        return answers.created(payment, self._payment_url_base + payment.token, self.response_id())

    async def _check(self, scope: Scope, head: Head, body: Fields) -> bytes:
        faults: Faults = []
        who = read_credentials(body, faults)
        asked = read_check(body, faults)
        site = await self._site_of(scope, who, faults)
        if asked is None:
            raise FaultyFields(*faults)
        payment = await self._look_up(site, asked)
        return answers.checked(payment, site, self.response_id())

    async def _site_of(self, scope: Scope, who: Credentials, faults: Faults) -> Site:
        """Rows 3 (a known key's rate), 4, 5 and 6, in that order. A faulty request asks the store nothing."""
        opened = self._keys.remembered(who.apikey)
        if opened is not None:
            self._requests_of_key.take(opened.key_hash)
        if faults:
            raise FaultyFields(*faults)
        if opened is None:
            opened = await self._first_seen(scope, who.apikey)
        site = opened.sites.get(who.site_id)
        if site is None:
            raise UnknownSite(who.site_id)
        return site

    async def _first_seen(self, scope: Scope, apikey: str) -> Opened:
        """A key that this process does not remember."""
        opened = await self._keys.open(apikey)
        if opened is not None:
            self._requests_of_key.take(opened.key_hash)
            return opened
        address = self._addresses.of(scope)
        self._failures_of_address.take(address)
        log.info("unknown_apikey", address=address)
        raise UnknownApikey

    async def _look_up(self, site: Site, asked: CheckRequest) -> Payment:
        """By ``transaction_id`` first, then by each token; another site's token is an unknown payment."""
        if asked.transaction_id is not None:
            payment = await self._store.payment_by_transaction(site.site_id, asked.transaction_id)
            if payment is not None:
                return payment
        for token in asked.tokens:
            payment = await self._store.payment_by_token(token)
            if payment is not None and payment.site_id == site.site_id:
                return payment
        raise PaymentNotFound

    def _refused(self, scope: Scope, head: Head, error: CauriError) -> Answer:
        if type(error) not in errors.ROWS:
            return self._broken(scope, head, error)
        if isinstance(error, TooManyRequests):
            log.debug("too_many_requests", path=scope["path"], retry_after_s=error.retry_after_s)
        return errors.answer_to(error, head.accept_language, self.response_id())

    def _broken(self, scope: Scope, head: Head, error: Exception) -> Answer:
        """Our bug. The log has where it happened, not the error's text, which may quote keys or numbers."""
        response_id = self.response_id()
        frames = traceback.extract_tb(error.__traceback__)
        log.error(
            "request_failed",
            error_id=response_id,
            path=scope["path"],
            error=type(error).__name__,
            at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        )
        return errors.answer_to_bug(head.accept_language, response_id)
