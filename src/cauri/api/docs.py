"""``GET /openapi.json`` and ``GET /docs``: the document, for machines and for people."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cauri.api.openapi import Document, document

_SCHEMAS = "#/components/schemas/"


class Docs:
    """Both are rendered once: they change only with the program."""

    def __init__(self, public_url: str) -> None:
        described = document(public_url)
        self._json = msgspec.json.encode(described)
        page, style = _render(described)
        self._page = page
        digest = b64encode(sha256(style.encode()).digest()).decode()
        self._page_headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def openapi(self, request: Request) -> Response:
        return Response(
            self._json, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
        )

    async def page(self, request: Request) -> Response:
        return HTMLResponse(self._page, headers=self._page_headers)


def _render(described: Document) -> tuple[str, str]:
    """The page, and the style in it, whose hash the page's policy names."""
    environment = Environment(
        loader=PackageLoader("cauri.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    environment.filters["kind"] = kind_of
    style = environment.get_template("docs.css").render()
    page = environment.get_template("docs.html").render(
        document=described,
        schemas=described["components"]["schemas"],
        style=Markup(style),  # noqa: S704  our own file
        examples=EXAMPLES,
    )
    return page, style


EXAMPLES = {
    "openPayment": """\
curl -X POST {url}/v2/payment \\
  -H "Content-Type: application/json" \\
  -d '{{"apikey": "YOUR_APIKEY", "site_id": "YOUR_SITE_ID",
       "transaction_id": "order-1001", "amount": 100, "currency": "XOF",
       "description": "Two pagnes",
       "return_url": "https://www.example.com/return",
       "notify_url": "https://www.example.com/notify"}}'""",
    "checkPayment": """\
curl -X POST {url}/v2/payment/check \\
  -H "Content-Type: application/json" \\
  -d '{{"apikey": "YOUR_APIKEY", "site_id": "YOUR_SITE_ID",
       "transaction_id": "order-1001"}}'""",
}


def marked(text: str) -> Markup:
    """The little Markdown that the document's descriptions use: paragraphs, tables, ``code``."""
    return Markup("").join(_block(block) for block in text.strip().split("\n\n"))


def _block(block: str) -> Markup:
    if not block.startswith("|"):
        return Markup("<p>{}</p>").format(_coded(block))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
    head = Markup("").join(Markup("<th>{}</th>").format(_coded(cell)) for cell in rows[0])
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(_coded(cell)) for cell in row)
        )
        for row in rows[2:]
    )
    return Markup(
        '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, body)


def _coded(text: str) -> Markup:
    parts = escape(text).split("`")
    return Markup("".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)))  # noqa: S704


def kind_of(schema: dict[str, Any]) -> str:
    """A schema's type in a few words: ``text, 1–255``, ``whole number or text``."""
    if "anyOf" in schema:
        words = dict.fromkeys(kind_of(option) for option in schema["anyOf"])
        words.pop("null", None)
        return " or ".join(words)
    if "enum" in schema:
        return ", ".join(str(word) for word in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_SCHEMAS)
    return _NAMES.get(schema.get("type", ""), "anything") + _length(schema)


_NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}


def _length(schema: dict[str, Any]) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is None:
        return ""
    return f", {least}–{most} characters" if least else f", at most {most} characters"
