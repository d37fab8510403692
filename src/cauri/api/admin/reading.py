"""From a request's query and body to the types that a door declares; every fault at once, each naming its field and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from cauri.api.admin.refusals import INVALID, NOT_JSON, FieldTrouble, Refusal, faulty
from cauri.domain.moments import MOMENT_WORDS, read_moment, read_past

T = TypeVar("T", bound=msgspec.Struct)

QUERY_MAX = 8 * 1024

SiteId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern="^[!-~]+$",
        description="The site's `site_id`.",
        examples=["445160"],
    ),
]
TransactionId = Annotated[
    str, Meta(min_length=1, max_length=100, description="The site's own name for the payment.")
]
Moment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description=f"{MOMENT_WORDS[0].upper()}{MOMENT_WORDS[1:]}.",
        examples=["2h"],
    ),
]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9_-]{1,1000}$",
        description="The `cursor` of the page before: what follows it. Leave it out for the first page.",
    ),
]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


def read_query(text: bytes, wanted: type[T]) -> T:
    """Raises Refusal."""
    if len(text) > QUERY_MAX:
        raise Refusal(INVALID, "the query has more than 8 KiB")
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except (UnicodeDecodeError, ValueError):
        raise Refusal(
            INVALID, "the query cannot be read: percent-encoded UTF-8, at most 50 parameters"
        ) from None
    repeated = [name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1]
    if repeated:
        raise faulty(*(FieldTrouble(name, "give it once") for name in dict.fromkeys(repeated)))
    return convert({name: value for name, value in pairs if value != ""}, wanted, "parameter", texts=True)


def read_json(content_type: str, body: bytes, wanted: type[T]) -> T:
    """Raises Refusal."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(NOT_JSON, "send the body as JSON, with Content-Type: application/json")
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(INVALID, f"the body is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise Refusal(INVALID, "the body must be a JSON object")
    return convert(values, wanted, "field", texts=False)


def convert(values: Mapping[str, Any], wanted: type[T], word: str, *, texts: bool) -> T:
    """``texts``: values that are not texts came as texts. Raises Refusal with every fault."""
    known = {field.name: field for field in msgspec.structs.fields(wanted)}
    faults = [_unknown(name, known, word) for name in values if name not in known]
    fields: dict[str, Any] = {}
    for name, field in known.items():
        if name not in values:
            if field.required:
                faults.append(FieldTrouble(name, f"missing; this {word} is needed"))
            continue
        try:
            fields[name] = _converted(values[name], field.type, texts=texts)
        except ValueError as error:
            faults.append(FieldTrouble(name, _lower(str(error))))
    if faults:
        raise faulty(*faults)
    return wanted(**fields)


def moment_or_refusal(field: str, text: str, now: int, *, past: bool) -> int:
    """Milliseconds. ``past``: one that is still to come is refused. Raises Refusal."""
    try:
        return (read_past if past else read_moment)(text, now)
    except ValueError as error:
        raise faulty(FieldTrouble(field, str(error))) from None


def _converted(value: Any, kind: Any, *, texts: bool) -> Any:
    """As it stands where that fits: the text ``null`` is a text. Raises ValueError."""
    if isinstance(value, str) and not _clean(value):
        raise ValueError("must not hold control characters or lone surrogates")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        if choices := _choices(kind):
            raise ValueError(f"must be one of: {', '.join(choices)}") from None
        if not texts:
            raise
        return msgspec.convert(value, kind, strict=False)


def _choices(kind: Any) -> tuple[str, ...]:
    """The words of a Literal, wherever it stands in the type."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for each in get_args(kind) if (found := _choices(each))), ())


def _clean(text: str) -> bool:
    return not any(ord(each) < 32 or ord(each) == 127 or 0xD800 <= ord(each) <= 0xDFFF for each in text)


def _unknown(name: str, known: Mapping[str, Any], word: str) -> FieldTrouble:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known) or 'none'}"
    return FieldTrouble(name[:80].encode("utf-8", "replace").decode(), f"there is no such {word}; {hint}")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
