"""Pages become HTML in a language, with the headers that every page carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from cauri.checkout import formats
from cauri.checkout.language import Language
from cauri.checkout.offers import example_number
from cauri.checkout.pages import Page
from cauri.checkout.texts import LANGUAGES, TEXTS

TEMPLATES = Path(__file__).with_name("templates")

# Nothing is loaded that is not ours; Chromium applies form-action to the redirects after a form, too.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action {targets}"
)
_HEADERS = {
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
    "vary": "accept-language",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A page without a payment: ``reason`` names its texts. ``reload``: where the payment can still be seen."""

    reason: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    reload: str | None = None


class Renderer:
    """``base`` is the path of the public URL, ``asset_urls`` the stylesheet's, the script's and the icon's path."""

    def __init__(self, base: str, asset_urls: dict[str, str]) -> None:
        self._base = base
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            assets=asset_urls, languages=LANGUAGES, clock=formats.clock, example=example_number
        )

    def path(self, token: str, step: str = "", language: Language | None = None) -> str:
        """The path of a payment's page or of one of its steps, with the language the payer has chosen."""
        tail = f"/{step}" if step else ""
        return f"{self._base}/payment/{token}{tail}{language.query if language else ''}"

    def page(self, page: Page, language: Language, headers: dict[str, str] | None = None) -> Response:
        html = self._html(
            page.template,
            language,
            page=page,
            order=page.order,
            path=lambda step="": self.path(page.order.token, step, language),
        )
        return _answer(html, page.status, _source(page), headers or {})

    def trouble(self, trouble: Trouble, language: Language) -> Response:
        html = self._html("trouble.html", language, trouble=trouble)
        return _answer(html, trouble.status, "", trouble.headers)

    def _html(self, template: str, language: Language, **values: object) -> str:
        return self._environment.get_template(template).render(
            t=TEXTS[language.lang],
            language=language,
            money=partial(formats.money, lang=language.lang),
            when=partial(formats.when, lang=language.lang),
            **values,
        )


def _source(page: Page) -> str:
    return page.back.source if page.back else ""


def _answer(html: str, status: int, source: str, headers: dict[str, str]) -> Response:
    policy = _POLICY.format(targets=f"'self' {source}".rstrip())
    return Response(
        html,
        status,
        media_type="text/html; charset=utf-8",
        headers={**_HEADERS, "content-security-policy": policy, **headers},
    )
