"""Test this URL: a GET without data, then a signed POST of a payment that does not exist, through the same door as deliveries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from cauri.clock import Clock, new_id
from cauri.domain.codes import Code
from cauri.domain.payment import Payment, PaymentRequest, PaymentStatus
from cauri.domain.site import Site
from cauri.notifier.addresses import ForbiddenAddress, check_literal
from cauri.notifier.advice import Circumstances, Level, Line, Seen, Timing, advice
from cauri.notifier.causes import EXPECTED, fault_of
from cauri.notifier.faults import Fault
from cauri.notifier.sender import ANSWER_BYTES_MAX, Answer, Sender, verifying
from cauri.wire.notification import Message, message

TEST_PREFIX = "cauri-test-"
DESCRIPTION = "Test de notification : aucun paiement (notification test: no payment)"
READ_BYTES = 16 * 1024
HOPS_MAX = 5


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``told``: whether a notification would reach the shop. ``transaction_id``: the one that was posted."""

    site_id: str
    url: str
    transaction_id: str
    told: bool
    ping: Seen
    post: Seen
    advice: list[Line]


async def try_url(sender: Sender, clock: Clock, site: Site, url: str) -> Tried:
    """Takes up to three times the sender's time-out. Never raises for what the network, the shop or the URL does.

    The payment is written nowhere: check answers 404 for it, so that no shop can deliver an order for it.
    """
    now = clock.now()
    payment = nobodys_payment(site, now)
    trial = _Trial(sender, await asyncio.to_thread(verifying, _NotingTls))
    ping = await trial.ping(url)
    post = await trial.seen("POST", url, message(payment, site, at=now, number=1))
    about = Circumstances(
        format=site.settings.notification_format,
        signed=site.secret_key is not None,
        in_clear=_in_clear(url),
        site_id=site.site_id,
    )
    lines = advice(ping, post, about)
    return Tried(
        site_id=site.site_id,
        url=url,
        transaction_id=payment.transaction_id,
        told=not any(line.level is Level.BAD for line in lines),
        ping=_shortened(ping),
        post=_shortened(post),
        advice=lines,
    )


def nobodys_payment(site: Site, now: int) -> Payment:
    """A waiting payment under a name that no shop has given, known to no store."""
    return Payment(
        slot=0,
        site_id=site.site_id,
        transaction_id=TEST_PREFIX + new_id()[:16],
        token=new_id(),
        amount=100,
        currency=site.currencies[0] if site.currencies else "XOF",
        status=PaymentStatus.WAITING,
        code=Code.WAITING_PAYMENT,
        created_at=now,
        expires_at=now,
        request=PaymentRequest(description=DESCRIPTION, return_url="", signature=new_id()),
    )


class _Trial:
    """The requests of one test."""

    def __init__(self, sender: Sender, tls: _NotingTls) -> None:
        self._sender = sender
        self._tls = tls

    async def ping(self, url: str) -> Seen:
        """The GET; where it is redirected, the way is followed under the same rules to learn the final address."""
        ping = hop = await self.seen("GET", url)
        final = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._sender.timeout_s):
                for _ in range(HOPS_MAX):
                    if hop.location is None:
                        break
                    final = hop.location
                    hop = await self.seen("GET", final)
        return msgspec.structs.replace(ping, final=final)

    async def seen(self, method: str, url: str, body: Message | None = None) -> Seen:
        """One request on a connection of its own, so that each of its steps is there to be timed."""
        watch = _Watch()
        self._tls.note = watch.note
        session = self._sender.new_session(tls=self._tls, traces=[watch.traces()])
        try:
            answer = await self._sender.request(method, url, body, session=session, keep=READ_BYTES)
        except EXPECTED as error:
            fault, detail = fault_of(error, self._sender.timeout_s)
            exact = watch.more_exactly(fault)
            return Seen(method=method, fault=exact, detail=str(detail), timing=watch.timing())
        finally:
            await session.close()
        return _of_answer(method, url, answer, watch.timing())


class _NotingTls(ssl.SSLContext):
    """Notes when a handshake begins; aiohttp tells only when connecting has ended altogether."""

    note: Callable[[str], None]

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        self.note("tls begun")
        return super().wrap_bio(*args, **options)


def _joined(url: str, location: str) -> str:
    try:
        return str(URL(url).join(URL(location)))
    except ValueError:
        return location


def _of_answer(method: str, url: str, answer: Answer, timing: Timing) -> Seen:
    location = _header(answer, "Location") if 300 <= answer.status < 400 else ""
    return Seen(
        method=method,
        status=answer.status,
        content_type=_header(answer, "Content-Type"),
        location=_joined(url, location) if location else None,
        allow=_header(answer, "Allow"),
        text=answer.text,
        cut=answer.cut,
        timing=timing,
    )


def _header(answer: Answer, name: str) -> str:
    """As it can be shown: a shop may send bytes that are no text, or ones that write to a terminal."""
    value = answer.headers.get(name, "")
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in value)


def _shortened(seen: Seen) -> Seen:
    return msgspec.structs.replace(seen, text=seen.text[:ANSWER_BYTES_MAX])


def _in_clear(url: str) -> bool:
    """Whether others can read along: http to another machine."""
    with suppress(ValueError):
        address = URL(url)
        host = address.raw_host or ""
        try:
            check_literal(host)
        except ForbiddenAddress:
            return False
        return address.scheme == "http" and not host.rstrip(".").endswith("localhost")
    return False


class _Watch:
    """Notes when each step of one request begins and ends."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._marks: dict[str, float] = {}

    def note(self, mark: str) -> None:
        self._marks.setdefault(mark, self._clock())

    def traces(self) -> aiohttp.TraceConfig:
        traces = aiohttp.TraceConfig()
        traces.on_request_start.append(self._noting("begun"))
        traces.on_dns_resolvehost_start.append(self._noting("name asked"))
        traces.on_dns_resolvehost_end.append(self._noting("name known"))
        traces.on_connection_create_start.append(self._noting("connecting"))
        traces.on_connection_create_end.append(self._noting("connected"))
        traces.on_request_end.append(self._noting("answered"))
        return traces

    def timing(self) -> Timing:
        """The steps so far, up to now."""
        self.note("ended")
        dialling = "name known" if "name known" in self._marks else "connecting"
        return Timing(
            dns=self._between("name asked", "name known"),
            connect=self._between(dialling, "tls begun" if "tls begun" in self._marks else "connected"),
            tls=self._between("tls begun", "connected"),
            first_byte=self._between("connected", "answered"),
            whole=self._between("begun", "ended") or 0,
        )

    def more_exactly(self, fault: Fault) -> Fault:
        """A time-out, told by the step that was under way."""
        if fault not in (Fault.TIME, Fault.CONNECT_TIME) or "connected" in self._marks:
            return fault
        if "name asked" in self._marks and "name known" not in self._marks:
            return Fault.NAME
        return Fault.TLS_TIME if "tls begun" in self._marks else Fault.CONNECT_TIME

    def _between(self, first: str, second: str) -> int | None:
        if first not in self._marks or second not in self._marks:
            return None
        return round((self._marks[second] - self._marks[first]) * 1000)

    def _noting(self, mark: str) -> Callable[[Any, Any, Any], Any]:
        async def noted(*_: Any) -> None:
            self.note(mark)

        return noted
