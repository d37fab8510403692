"""What an admin door is: an entry of a table. A new door is a function and one entry; desk, document and tests follow by themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

import msgspec

from cauri.api.admin.reading import Nothing, moment_or_refusal
from cauri.api.admin.refusals import NO_SUCH_PATH, NOT_FOUND, SITE_NOT_ALLOWED, WRONG_METHOD, Refusal
from cauri.api.asgi import Header
from cauri.domain.admin import AdminToken

if TYPE_CHECKING:
    from cauri.domain.site import Site
    from cauri.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request: its token has the door's scope and is for the site that the request names.

    ``path``, ``query``, ``body``: as the door declares them. ``now`` in milliseconds.
    """

    token: AdminToken
    now: int
    path: dict[str, str]
    query: Any
    body: Any

    def sites(self, asked: str | None) -> tuple[str, ...] | None:
        """The sites to look at: the one asked for, else all that the token is for; None for all there are."""
        return (asked,) if asked is not None else self.token.sites

    def since(self, text: str | None) -> int:
        """Where a list begins: with everything, or at a moment that is not still to come. Raises Refusal."""
        return 0 if text is None else moment_or_refusal("since", text, self.now, past=True)

    def until(self, text: str | None) -> int:
        """Where a list ends: with now, or at a moment. Raises Refusal."""
        return self.now + 1 if text is None else moment_or_refusal("until", text, self.now, past=False)


def each_of(sites: tuple[str, ...] | None) -> tuple[str | None, ...]:
    """The sites to look at one after the other: None, once, for all there are; none at all for a token of no site."""
    return (None,) if sites is None else sites


@dataclass(frozen=True, slots=True)
class Text:
    """An answer that is made already, or is no JSON."""

    media_type: str
    body: bytes
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Door:
    """``scope`` None: open to everybody. ``path`` below ``/admin``, with {names}. ``example``: a body for the documentation.

    ``waits``: so long that the token may be revoked meanwhile.
    """

    method: Literal["GET", "POST"]
    path: str
    operation: str
    scope: str | None
    summary: str
    description: str = ""
    act: Callable[[Call], Awaitable[Any]]
    answer: Any
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    media_type: str = "application/json"
    waits: bool = False
    example: dict[str, Any] = field(default_factory=dict)

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.path.strip("/").split("/"))

    @property
    def writes(self) -> bool:
        return self.method == "POST"


class Table:
    """All doors, found by path and method."""

    def __init__(self, doors: list[Door]) -> None:
        self.doors = tuple(doors)

    def find(self, method: str, raw_path: bytes) -> tuple[Door, dict[str, str]]:
        """The door and its path's values. Raises Refusal: no such path, or another method. HEAD is as GET."""
        wanted = _segments(raw_path)
        here = [
            (door, values) for door in self.doors if (values := _values(door.segments, wanted)) is not None
        ]
        # A path that is written out goes before one with a {name} in that place.
        here.sort(key=lambda each: len(each[1]))
        for door, values in here:
            if door.method == ("GET" if method == "HEAD" else method):
                return door, values
        if not here:
            raise Refusal(NO_SUCH_PATH, "there is no such door: GET /admin/openapi.json lists them all")
        allowed = ", ".join(sorted({door.method for door, _ in here}))
        raise Refusal(WRONG_METHOD, f"this door takes {allowed}", headers=((b"allow", allowed.encode()),))


def _segments(raw_path: bytes) -> tuple[str, ...]:
    """What stands between the slashes after ``/admin``, decoded: a transaction_id may hold a slash, written %2F."""
    text = raw_path.partition(b"?")[0].decode("latin-1")
    parts = text.split("/")[2:]
    try:
        return tuple(unquote(part, errors="strict") for part in parts)
    except UnicodeDecodeError:
        raise Refusal(NO_SUCH_PATH, "the path is not percent-encoded UTF-8") from None


def _values(pattern: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(wanted):
        return None
    values: dict[str, str] = {}
    for part, given in zip(pattern, wanted, strict=True):
        if part.startswith("{"):
            values[part.strip("{}")] = given
        elif part != given:
            return None
    return values


def check_site(token: AdminToken, holder: Any) -> None:
    """Raises Refusal where a request names a site that its token is not for; whether there is such a site is not told."""
    site = holder.get("site") if isinstance(holder, dict) else getattr(holder, "site", None)
    if site is not None and not token.sees(site):
        raise Refusal(SITE_NOT_ALLOWED, f"site: this token is not for site {site!r}; use one that is")


def check_all_sites(call: Call, what: str = "this") -> None:
    """Raises Refusal where a token of some sites is at a door that is of all. ``what``: what the door shows."""
    if call.token.sites is not None:
        raise Refusal(
            SITE_NOT_ALLOWED,
            f"this token is for some sites only, {what} is of all: use a token for all sites",
        )


async def site_named(store: Store, site_id: str) -> Site:
    """The site that a request names. Raises Refusal where there is none."""
    site = await store.site(site_id)
    if site is None:
        raise not_found(f"site: there is no site {site_id}")
    return site


def not_found(what: str) -> Refusal:
    return Refusal(NOT_FOUND, what)
