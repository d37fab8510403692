"""OAuth 2 client credentials as Orange's portal gives them: a bearer token with a life."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import BODY_MAX, json_answer
from cauri.simulator.dialects.orange_webpay.words import Refused


class Tokens:
    """Tokens of one client application. `now` in ms; a token lives `life_s`. Several may live beside each other."""

    def __init__(self, now: Callable[[], int], client_id: str, client_secret: str, life_s: int) -> None:
        self._now = now
        self._pair = f"{client_id}:{client_secret}".encode()
        self._life_s = life_s
        self._until: dict[str, int] = {}

    def routes(self) -> list[Route]:
        """v3, and v2 which is still in use."""
        return [
            Route(f"/orange/oauth/{version}/token", self._give, methods=["POST"], name="token")
            for version in ("v3", "v2")
        ]

    def require(self, request: Request) -> None:
        """Raises Refused unless the request carries a token that lives."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(
                401, 40, "Missing credentials", "The header Authorization with a bearer token is mandatory"
            )
        until = self._until.get(token)
        if until is None:
            raise Refused(401, 41, "Invalid credentials", "The access token is not known")
        if self._now() >= until:
            raise Refused(401, 42, "Expired credentials", "The access token has expired")

    async def _give(self, request: Request) -> Response:
        if not self._knows(request.headers.get("authorization", "")):
            return _error(401, "invalid_client", "The client authentication failed")
        form = parse_qs((await request.body())[:BODY_MAX].decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _error(400, "unsupported_grant_type", "grant_type must be client_credentials")
        token = secrets.token_urlsafe(24)
        self._until[token] = self._now() + self._life_s * 1000
        return json_answer({"token_type": "Bearer", "access_token": token, "expires_in": self._life_s})

    def _knows(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        return kind.lower() == "basic" and hmac.compare_digest(pair, self._pair)


def _error(status: int, error: str, description: str) -> Response:
    return json_answer({"error": error, "error_description": description}, status)
