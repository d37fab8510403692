"""What a donor may write, and what to say when it cannot be used."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from cauri_shop import InvalidField, UnevenAmount, payable_amount
from starlette.requests import Request

from .francs import francs
from .settings import CURRENCY

AMOUNTS = (1000, 2000, 5000, 10000)
LEAST, MOST = 100, 1_500_000
_NAME_MAX, _WORDS_MAX, _BODY_MAX = 40, 140, 64 * 1024
_AMOUNT = re.compile(r"[0-9]+|[0-9]{1,3}(?:[ .\u202f\u00a0][0-9]{3})+")
_REF = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class GiftForm:
    """A form as it was sent; `errors` says, per field, what to change. `ref` makes a form sent twice one gift."""

    ref: str
    amount: int = 0
    chosen: str = "2000"
    other: str = ""
    name: str = ""
    words: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def empty_form() -> GiftForm:
    """A form to fill in."""
    return GiftForm(ref=secrets.token_hex(8))


async def read_form(request: Request) -> GiftForm:
    """The form in a request's body, whatever a browser or a stranger sent."""
    given = _fields(await _body(request))
    errors: dict[str, str] = {}
    chosen, other = given.get("amount", ""), given.get("other", "")
    if (
        other.strip()
    ):  # without script a typed amount leaves the proposed one checked: what was typed is what is meant
        chosen = "other"
    amount = _amount(other if chosen in ("", "other") else chosen, errors)
    ref = given.get("ref", "")
    return GiftForm(
        ref=ref if _REF.fullmatch(ref) else secrets.token_hex(8),
        amount=amount, chosen=chosen, other=other[:20],
        name=_text(given, "name", _NAME_MAX, "Votre prénom", errors),
        words=_text(given, "words", _WORDS_MAX, "Votre mot", errors), errors=errors,
    )  # fmt: skip


def _amount(text: str, errors: dict[str, str]) -> int:
    written = re.sub(r"\s*(f?cfa|f)$", "", text.lower().strip())
    digits = re.sub(r"[\s.]", "", written)
    if not _AMOUNT.fullmatch(written) or len(digits) > 9:
        errors["amount"] = "Écrivez un montant en chiffres, par exemple 2 500."
        return 0
    amount = int(digits)
    if not LEAST <= amount <= MOST:
        errors["amount"] = f"Un don va de {francs(LEAST)} à {francs(MOST)}."
        return 0
    try:
        return payable_amount(amount, CURRENCY)
    except UnevenAmount as uneven:
        errors["amount"] = (
            f"Les montants vont de 5 en 5 : {' ou '.join(francs(near) for near in uneven.nearest)} ?"
        )
    except InvalidField:
        errors["amount"] = "Ce montant ne peut pas être payé."
    return 0


def _text(given: Mapping[str, str], name: str, most: int, label: str, errors: dict[str, str]) -> str:
    text = " ".join(given.get(name, "").split())
    if len(text) > most:
        errors[name] = f"{label} : {most} caractères au plus."
    elif not text.isprintable():
        errors[name] = f"{label} contient un caractère qui ne s’écrit pas."
    return text[:most]


def _fields(body: bytes) -> dict[str, str]:
    try:
        given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in given.items()}


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_MAX:
            return b""
    return body
