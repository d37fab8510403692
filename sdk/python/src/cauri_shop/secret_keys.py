"""A site's secret key: one, or during a rotation several. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from .errors import InvalidField

SecretKeys = Union[str, Sequence[str], None]


def secret_keys(given: object) -> tuple[str, ...]:
    """The secret keys from a setting: a text, several texts, or None for a site without. Raises InvalidField."""
    if given is None:
        return ()
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, Sequence) or isinstance(several, (bytes, bytearray)):
        raise InvalidField("secret_key", "must be a text, or a list of texts while it is being changed")
    keys = []
    for each in several:
        if not isinstance(each, str) or not each.strip():
            # An empty variable must not turn the verification of notifications off without a word.
            raise InvalidField("secret_key", "is empty; pass None for a site without a secret key")
        keys.append(each.strip())
    if not keys:
        raise InvalidField("secret_key", "is empty; pass None for a site without a secret key")
    return tuple(dict.fromkeys(keys))


def comma_separated(text: str | None) -> list[str] | None:
    """The secret keys of an environment variable, `old,new` during a rotation; None when it is not set or empty."""
    return text.split(",") if text else None
