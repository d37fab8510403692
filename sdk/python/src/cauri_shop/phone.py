"""Phone numbers as the gateway takes them: + country prefix and number, without spaces."""

from __future__ import annotations

from .errors import InvalidField

# Prefix and length of a number at home, from the national numbering plans.
_PLANS: dict[str, tuple[str, int]] = {
    "CI": ("225", 10), "SN": ("221", 9), "ML": ("223", 8), "BF": ("226", 8), "TG": ("228", 8), "BJ": ("229", 10),
    "CM": ("237", 9), "GN": ("224", 9), "CD": ("243", 9),
}  # fmt: skip
_PUNCTUATION = str.maketrans("", "", " .-()/\u00a0\u202f\u2011")


def international_phone(number: str, country: str = "CI") -> str:
    """`07 07 12 34 56` (CI), `00225 0707123456`, `+225-07-07-12-34-56` → `+2250707123456`.

    `country` (ISO alpha-2) is where a number without prefix belongs. Raises InvalidField; its text never quotes the
    number.
    """
    plan = _PLANS.get(country.upper()) if isinstance(country, str) else None
    if plan is None:
        raise InvalidField("country", f"must be one of {', '.join(_PLANS)}")
    if not isinstance(number, str):
        raise InvalidField("customer_phone_number", "must be text: a number would lose its leading 0")
    plain = number.translate(_PUNCTUATION)
    if plain.startswith(("+", "00")):
        digits = plain[1:] if plain.startswith("+") else plain[2:]
        return _known(digits)
    return _at_home(plain, *plan)


def _known(digits: str) -> str:
    """A number that names its country."""
    _require_digits(digits)
    for prefix, length in _PLANS.values():
        if digits.startswith(prefix):
            return _at_home(digits[len(prefix):], prefix, length)  # fmt: skip
    if not 8 <= len(digits) <= 15:
        raise InvalidField("customer_phone_number", "must have 8 to 15 digits with its country prefix")
    return f"+{digits}"


def _at_home(digits: str, prefix: str, length: int) -> str:
    _require_digits(digits)
    if len(digits) == length + len(prefix) and digits.startswith(prefix):
        digits = digits[len(prefix):]  # fmt: skip
    if length == 9 and len(digits) == 10 and digits.startswith("0"):
        # A trunk 0, as written in Congo; it is no part of the international number. Where numbers have ten digits it is.
        digits = digits[1:]
    if len(digits) != length:
        raise InvalidField(
            "customer_phone_number", f"has {len(digits)} digits; +{prefix} numbers have {length}"
        )
    return f"+{prefix}{digits}"


def _require_digits(digits: str) -> None:
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidField("customer_phone_number", "must hold digits, spaces and a leading + only")
