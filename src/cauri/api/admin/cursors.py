"""Places in a list, as opaque texts: a page's ``cursor`` is where the next one begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from cauri.api.admin.refusals import FieldTrouble, Refusal, faulty

T = TypeVar("T")

At = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(max_length=200)]


def cursor_of(*place: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, kind: type[T], field: str = "cursor") -> T:
    """``kind``: the tuple that the cursor was made of. Raises Refusal."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place: T = msgspec.json.decode(text, type=kind)
    except (ValueError, msgspec.DecodeError):
        raise _unknown(field) from None
    if "\\u0000" in msgspec.json.encode(place).decode():
        raise _unknown(field)
    return place


def paged(
    rows: Sequence[T], limit: int, place: Callable[[T], tuple[Any, ...]]
) -> tuple[Sequence[T], str | None]:
    """The page, and the next one's cursor: of ``limit`` + 1 rows that were asked for, the last says that there is more."""
    page = rows[:limit]
    return page, cursor_of(*place(page[-1])) if len(rows) > limit else None


def _unknown(field: str) -> Refusal:
    return faulty(
        FieldTrouble(field, "not a cursor of this door: use the one of its last answer, or leave it out")
    )
