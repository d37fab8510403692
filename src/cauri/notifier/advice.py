"""What was seen when a notify_url was tried, and what its developer should do about it. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from cauri.notifier.faults import Fault, fault_of_status, in_words

SLOW_MS = 5_000

# PHP and Flask send a plain OK as text/html too, so that the content type says nothing.
_HTML = re.compile(r"<(!doctype html|html|head|body|form|title)\b", re.IGNORECASE)
_PASSWORD = re.compile(r"type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN = re.compile(r"log-?in|sign-?in|connexion|/auth\b|/sso\b", re.IGNORECASE)
_CSRF = re.compile(r"csrf|xsrf|verification token|authenticity ?token|page expired", re.IGNORECASE)
_SIGNATURE = re.compile(r"x-token|signature|hmac", re.IGNORECASE)
_TLS_PORT = re.compile(
    r"plain http request was sent to https port|speaking plain HTTP to an SSL|HTTP request to an HTTPS server",
    re.IGNORECASE,
)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds that each step took; None where it did not come to that step, or there was none (no name, no TLS)."""

    dns: int | None = None
    connect: int | None = None
    tls: int | None = None
    first_byte: int | None = None
    whole: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what came back: a ``status``, or the ``fault`` for which none came.

    ``location``: where a redirect points; ``final``: where following them ended. ``cut``: the answer was longer than we read.
    """

    method: str
    status: int | None = None
    fault: Fault | None = None
    detail: str = ""
    content_type: str = ""
    location: str | None = None
    final: str | None = None
    allow: str = ""
    text: str = ""
    cut: bool = False
    timing: Timing = Timing()

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_html(self) -> bool:
        return bool(_HTML.search(self.text))

    @property
    def is_login(self) -> bool:
        """Whether the answer leads to, or is, a page that asks who one is."""
        if self.location is not None:
            return bool(_LOGIN.search(self.location))
        return self.is_html and bool(_PASSWORD.search(self.text))


class Level(StrEnum):
    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    BAD = "bad"


class Line(msgspec.Struct, frozen=True):
    """One sentence for the shop's developer. BAD: the shop would not be told."""

    level: Level
    text: str


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What the advice depends on beside the answers. ``in_clear``: http over a network that others can read."""

    format: str
    signed: bool
    in_clear: bool
    site_id: str


def advice(ping: Seen, post: Seen, about: Circumstances) -> list[Line]:
    """What to do, the most important first. The shop would be told where no line is BAD."""
    lines = _of_post(ping, post, about)
    if not any(line.level is Level.BAD for line in lines):
        lines += _of_ping(ping)
        lines += _in_general(about)
    return lines


def _of_post(ping: Seen, post: Seen, about: Circumstances) -> list[Line]:
    if post.fault is not None:
        return [Line(Level.BAD, in_words(post.fault, post.detail))]
    if post.accepted:
        return _of_acceptance(post)
    if post.status == 404 and (
        ping.accepted or ping.status == 405
    ):  # there is a door, and it looks payments up
        return [_of_unknown(post), *_of_haste(post)]
    return [Line(Level.BAD, _remedy(ping, post, about))]


def _of_unknown(post: Seen) -> Line:
    """A POST answered 404 where a GET shows that there is a door."""
    if post.is_html:
        text = (
            "the POST is answered 404 with a web page: right if your door says so to a payment that it does not know, wrong if "
            "nothing takes a POST there. Open a payment, cancel it, and see whether your door hears of it"
        )
        return Line(Level.WARNING, text)
    text = "the test notification arrived: 404 is a right answer for a payment that the shop does not know"
    return Line(Level.GOOD, text)


def _of_acceptance(post: Seen) -> list[Line]:
    if post.is_login:
        return [
            Line(
                Level.BAD,
                f"the answer {post.status} is a login page: the notification was lost before your code. Leave the notify_url open",
            )
        ]
    lines = [Line(Level.GOOD, f"the test notification was accepted ({post.status})")]
    if post.is_html:
        text = (
            "the answer is a web page: is this really the door for notifications? A page that answers 200 to everything "
            "swallows them. A short text such as OK will do"
        )
        lines.append(Line(Level.WARNING, text))
    if post.cut:
        text = (
            "the answer is longer than 256 KiB and was not read to its end: a short text such as OK will do"
        )
        lines.append(Line(Level.WARNING, text))
    return lines + _of_haste(post)


def _of_haste(post: Seen) -> list[Line]:
    if post.timing.whole <= SLOW_MS:
        return []
    text = (
        f"the answer took {post.timing.whole / 1000:.1f} s, and 10 s is the limit: answer first, work after"
    )
    return [Line(Level.WARNING, text)]


def _remedy(ping: Seen, post: Seen, about: Circumstances) -> str:
    """What to do about a POST that was not accepted."""
    status = post.status or 0
    if 300 <= status < 400:
        return _remedy_of_redirect(ping, post)
    if _TLS_PORT.search(post.text):
        return in_words(Fault.TLS_PORT)
    if status == 419 or (status in (400, 401, 403, 422) and _CSRF.search(post.text)):
        return f"CSRF protection refused the POST ({status}): leave the notify_url out of it, x-token proves the sender"
    if status in (401, 403):
        return _remedy_of_refusal(post, about)
    if status in (400, 415, 422):
        return _remedy_of_body(status, about)
    if status == 405 and post.allow:
        return f"{in_words(Fault.METHOD)} (405; it allows {post.allow})"
    if status >= 500:
        return f"{in_words(Fault.SERVER, status)}. The test payment does not exist: a right answer to that is 200 or 404"
    return in_words(fault_of_status(status) or Fault.STATUS, status)


def _remedy_of_redirect(ping: Seen, post: Seen) -> str:
    if post.is_login:
        return f"the POST is sent to a login page ({post.location}): leave the notify_url open, x-token proves the sender"
    where = ping.final or post.location
    return f"{in_words(Fault.REDIRECT)}: {where}" if where else in_words(Fault.REDIRECT)


def _remedy_of_refusal(post: Seen, about: Circumstances) -> str:
    if about.signed and _SIGNATURE.search(post.text):
        return (
            f"the signature was refused ({post.status}): does the shop have this site's secret key "
            f"(cauri site show {about.site_id} --secrets), does it sign over all 16 values in order of arrival, does a proxy drop x-token?"
        )
    return f"{in_words(Fault.ACCESS)} ({post.status})"


def _remedy_of_body(status: int, about: Circumstances) -> str:
    if about.format == "json":
        return (
            f"the notify_url answered {status} to JSON: a receiver of the 16 fields needs "
            f"cauri site set {about.site_id} --set notification_format=form"
        )
    return (
        f"the notify_url answered {status} to a form: let it read application/x-www-form-urlencoded, or, where it reads JSON only, "
        f"cauri site set {about.site_id} --set notification_format=json"
    )


def _of_ping(ping: Seen) -> list[Line]:
    """The GET without data, which must be answered 200 too; notifications arrive all the same."""
    if ping.accepted:
        return [Line(Level.GOOD, f"a GET without data is answered {ping.status}")]
    if ping.fault is not None:
        return [Line(Level.WARNING, f"a GET without data got no answer: {in_words(ping.fault, ping.detail)}")]
    where = f" to {ping.final or ping.location}" if ping.location else ""
    return [
        Line(
            Level.WARNING,
            f"a GET without data is answered {ping.status}{where}: answer 200 to it, some gateways ask",
        )
    ]


def _in_general(about: Circumstances) -> list[Line]:
    lines = []
    if about.in_clear:
        lines.append(
            Line(Level.WARNING, "http: notifications can be read and altered on their way: use https")
        )
    if about.signed:
        text = "whether the headers x-token and webhook-signature reach your code cannot be seen from here: look at one request"
        lines.append(Line(Level.NOTE, text))
    else:
        text = f"the site has no secret key, so anybody may post here: cauri site rotate-secret {about.site_id} makes one"
        lines.append(Line(Level.NOTE, text))
    return lines
