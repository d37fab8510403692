"""The return page's HTML where no template engine is at hand, and the headers that it travels with."""

from __future__ import annotations

from html import escape

from .book.rows import Payment
from .book.texts import page

# Under "no-referrer" a browser sends "Origin: null" with a form of the page, which a CSRF protection refuses.
RETURN_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}

_STYLE = (
    "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "main{padding-left:1rem;border-left:.4rem solid #b3261e}.good{border-color:#137333}.wait{border-color:#8a6d00}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem}dd{margin:0;overflow-wrap:anywhere}"
)
_LABELS = {"fr": ("Commande", "Montant"), "en": ("Order", "Amount")}


def return_html(payment: Payment | None, lang: str) -> str:
    """A small whole page for a payment as the book has it, None when none is meant; `lang` is "fr" or "en"."""
    lang = "en" if lang.lower().startswith("en") else "fr"
    words = page(payment, lang)
    refresh = '<meta http-equiv="refresh" content="3">' if words.refresh else ""
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"{refresh}<title>{escape(words.title)}</title><style>{_STYLE}</style></head>\n"
        f'<body><main class="{words.tone}" role="status"><h1>{escape(words.title)}</h1><p>{escape(words.text)}</p>'
        f"{_facts(payment, lang) if payment else ''}</main></body>\n</html>\n"
    )


def language(accept_language: str | None) -> str:
    """ "en" when the browser likes English better than French, else "fr"."""
    likes = {"fr": 0.0, "en": 0.0}
    for choice in (accept_language or "")[:200].lower().split(","):
        tag, _, weight = choice.partition(";")
        name = tag.strip().partition("-")[0]
        if name in likes:
            likes[name] = max(likes[name], _weight(weight))
    return "en" if likes["en"] > likes["fr"] else "fr"


def _facts(payment: Payment, lang: str) -> str:
    order, amount = _LABELS[lang]
    return (
        f"<dl><dt>{order}</dt><dd>{escape(payment.order_ref)}</dd>"
        f"<dt>{amount}</dt><dd>{payment.amount} {escape(payment.currency)}</dd></dl>"
    )


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=")) if text else 1.0
    except ValueError:
        return 0.0
