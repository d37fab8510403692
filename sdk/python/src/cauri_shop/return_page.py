"""The customer's return. It decides nothing: anybody can type this URL; show what your own record says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Return:
    """Which payment the customer comes from, as the browser tells it; None where it does not say."""

    transaction_id: str | None
    token: str | None = field(repr=False)


def read_return(form_or_query: Mapping[str, Any] | str | bytes) -> Return:
    """Reads the return's form or query: a mapping (Django's, Flask's, Starlette's), or the raw query or body.

    Never raises on what a browser sends: nonsense reads as None.
    """
    if isinstance(form_or_query, bytes):
        form_or_query = form_or_query.decode("utf-8", "replace")
    if isinstance(form_or_query, str):
        form_or_query = _parsed(form_or_query.lstrip("?"))
    # Older pages said cpm_trans_id and payment_token.
    return Return(
        _first(form_or_query, "transaction_id", "cpm_trans_id"),
        _first(form_or_query, "token", "payment_token"),
    )


def _parsed(query: str) -> Mapping[str, Any]:
    try:
        return parse_qs(query, max_num_fields=100)
    except ValueError:
        return {}


def _first(given: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable():
            return value
    return None
