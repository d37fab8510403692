"""A document of doors as a page for people: ``/docs`` and ``/admin/docs``."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_SCHEMAS = "#/components/schemas/"


def rendered(template: str, document: dict[str, Any], **given: object) -> tuple[str, str]:
    """The page, and the policy that lets it use its own style alone. ``given``: what else the template names."""
    style = _templates().get_template("docs.css").render()
    page = (
        _templates()
        .get_template(template)
        .render(
            document=document,
            schemas=document["components"]["schemas"],
            style=Markup(style),  # noqa: S704  our own file
            **given,
        )
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return page, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("cauri.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked": marked, "kind": kind_of, "ref": name_of}
    return environment


def name_of(schema: dict[str, Any]) -> str:
    """The name of the schema that this one points to; empty where it points to none."""
    return str(schema.get("$ref", "")).removeprefix(_SCHEMAS)


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
        return name_of(schema)
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
