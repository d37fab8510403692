"""``GET /admin/docs``: the admin doors for people to read, from the same document."""

from __future__ import annotations

import json
from typing import Any

from cauri.api import reference_page


def rendered(document: dict[str, Any]) -> tuple[bytes, str]:
    """The page and its policy."""
    page, policy = reference_page.rendered("admin.html", document, curl=_curl)
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
