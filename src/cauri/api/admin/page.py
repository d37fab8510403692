"""``GET /admin/docs``: the admin doors for people to read, from the same document."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cauri.api.docs import kind_of, marked


def rendered(document: dict[str, Any]) -> tuple[bytes, str]:
    """The page, and the policy that lets it use its own style alone."""
    environment = Environment(
        loader=PackageLoader("cauri.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    environment.filters["kind"] = kind_of
    environment.filters["ref"] = lambda schema: str(schema.get("$ref", "")).rpartition("/")[2]
    environment.filters["curl"] = _curl
    style = environment.get_template("docs.css").render()
    page = environment.get_template("admin.html").render(
        document=document,
        schemas=document["components"]["schemas"],
        style=Markup(style),  # noqa: S704  our own file
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    return page.encode(), policy


def _curl(operation: dict[str, Any], path: str, verb: str, url: str) -> str:
    """A line to copy, with the operation's own example of a body."""
    names = {"{site}": "445160", "{transaction_id}": "order-1001", "{id}": "ID"}
    for name, value in names.items():
        path = path.replace(name, value)
    line = f'curl -H "Authorization: Bearer $TOKEN" {url}{path}'
    if "requestBody" not in operation:
        return line if verb == "get" else f"{line} -X {verb.upper()}"
    body = operation["requestBody"]["content"]["application/json"].get("example", {})
    return f"{line} \\\n  -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
