"""The requests of the load, as bytes with a place for a number: every generator sends the same."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

NUMBER_PLACE = "@@@@@@@@@@"
"""Ten characters for ten digits, so that no length ever changes."""


def payment_template(gateway: dict[str, Any], prefix: str) -> str:
    """``POST /v2/payment`` with the fields of the guide's own sample."""
    return _post(
        gateway,
        "/v2/payment",
        {
            "amount": 100,
            "apikey": gateway["apikey"],
            "site_id": gateway["site_id"],
            "currency": "XOF",
            "transaction_id": prefix + NUMBER_PLACE,
            "description": "TRANSACTION DESCRIPTION",
            "return_url": "https://www.exemple.com/return",
            "notify_url": "https://www.exemple.com/notify",
            "customer_name": "Dje Bi",
            "customer_surname": "Jean-Marc",
        },
    )


def check_template(gateway: dict[str, Any], prefix: str) -> str:
    """``POST /v2/payment/check`` by transaction_id."""
    body = {name: gateway[name] for name in ("apikey", "site_id")}
    return _post(gateway, "/v2/payment/check", {**body, "transaction_id": prefix + NUMBER_PLACE})


def _post(gateway: dict[str, Any], path: str, body: dict[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(gateway['base_url']).netloc}\r\nContent-Type: application/json\r\n"
        f"Accept: */*\r\nUser-Agent: bench\r\nContent-Length: {len(text.encode())}\r\n\r\n{text}"
    )
