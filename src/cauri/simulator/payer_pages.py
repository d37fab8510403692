"""Pages that payers see at an operator: one look, French and English, no script."""

from collections.abc import Mapping
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

Texts = Mapping[str, Mapping[str, str]]
"""Language → name → words. `fr` and `en`, with `title` and whatever the page's template names."""

_EVERY_PAGE = {
    "fr": {"note": "Page simulée : aucun argent ne bouge.", "other": "English", "other_lang": "en"},
    "en": {"note": "Simulated page: no money moves.", "other": "Français", "other_lang": "fr"},
}

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}

_templates = Environment(
    loader=PackageLoader("cauri.simulator"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def payer_page(
    request: Request,
    template: str,
    texts: Texts,
    status: int = 200,
    *,
    brand: tuple[str, str],
    lang: str | None = None,
    notice: str = "",
    **facts: object,
) -> HTMLResponse:
    """`brand`: name and colour. `notice` names one of the texts. `lang`: what the merchant asked for, where it can."""
    chosen = language_of(request, lang)
    t = {**_EVERY_PAGE[chosen], **texts[chosen]}
    html = _templates.get_template(template).render(
        t=t,
        lang=chosen,
        brand=brand[0],
        brand_colour=brand[1],
        notice=t[notice] if notice else "",
        **facts,
    )
    return page_answer(html, status)


def page_answer(html: str, status: int) -> HTMLResponse:
    """A page as every operator's is answered: without scripts, in no frame, kept and indexed by nobody."""
    return HTMLResponse(html, status, headers=_HEADERS)


def language_of(request: Request, wanted: str | None = None) -> str:
    """The page's own choice first, then the merchant's, then the browser's; French where none is English."""
    asked = request.query_params.get("lang") or wanted or request.headers.get("accept-language", "")
    return "en" if asked.strip().lower().startswith("en") else "fr"


def amount_text(amount: str, currency: str) -> str:
    """`1 500 FCFA`."""
    number = f"{Decimal(amount):,}".replace(",", "\u202f")
    return f"{number}\u00a0{'FCFA' if currency in ('XOF', 'XAF') else currency}"
