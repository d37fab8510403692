"""``GET /openapi.json`` and ``GET /docs``: the document, for machines and for people."""

from __future__ import annotations

from functools import cached_property

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cauri.api.openapi import document
from cauri.api.reference_page import rendered


class Docs:
    """Both are made when somebody first asks, once: they change only with the program, and no start should wait for them."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    async def openapi(self, request: Request) -> Response:
        return Response(
            self._json, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
        )

    async def page(self, request: Request) -> Response:
        page, policy = self._page
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(page, headers=headers)

    @cached_property
    def _json(self) -> bytes:
        return msgspec.json.encode(document(self._public_url))

    @cached_property
    def _page(self) -> tuple[str, str]:
        return rendered("docs.html", document(self._public_url), examples=EXAMPLES)


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
