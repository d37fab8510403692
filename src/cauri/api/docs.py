"""``GET /openapi.json`` and ``GET /docs``: the document, for machines and for people."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cauri.api.openapi import document
from cauri.api.reference_page import rendered


class Docs:
    """Both are rendered once: they change only with the program."""

    def __init__(self, public_url: str) -> None:
        described = document(public_url)
        self._json = msgspec.json.encode(described)
        self._page, policy = rendered("docs.html", described, examples=EXAMPLES)
        self._page_headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def openapi(self, request: Request) -> Response:
        return Response(
            self._json, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
        )

    async def page(self, request: Request) -> Response:
        return HTMLResponse(self._page, headers=self._page_headers)


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
