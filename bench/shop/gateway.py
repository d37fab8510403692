"""A gateway that opens payments and answers checks, and nothing else: what both shops ask.

``POST /says`` with a code changes what every later check answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from itertools import count
from pathlib import Path
from typing import Any

import uvloop

from cauri.serving import Server, bound_socket, url_of

AMOUNT, CURRENCY = 1500, "XOF"
_WORDS = {"00": "SUCCES", "600": "PAYMENT_FAILED"}


class Gateway:
    """The application."""

    def __init__(self) -> None:
        self._code = "00"
        self._tokens = count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        content = json.dumps(self._answer(scope["path"], body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, path: str, body: bytes) -> dict[str, Any]:
        if path == "/v2/payment":
            token = f"{next(self._tokens):034x}"
            data: dict[str, Any] = {
                "payment_token": token,
                "payment_url": f"http://127.0.0.1:9/payment/{token}",
            }
            return {
                "code": "201",
                "message": "CREATED",
                "description": "",
                "data": data,
                "api_response_id": "1.1",
            }
        if path == "/says":
            self._code = body.decode()
            return {}
        data = {"amount": str(AMOUNT), "currency": CURRENCY, "status": "ACCEPTED", "payment_method": "OM"}
        return {"code": self._code, "message": _WORDS[self._code], "data": data, "api_response_id": "1.1"}


async def serve(ready_file: Path) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    listener = bound_socket("127.0.0.1", 0)
    server = Server(Gateway(), listener)
    await server.start()
    told(ready_file, {"base_url": url_of(listener)})
    await ended.wait()
    await server.stop()


def told(ready_file: Path, facts: object) -> None:
    """The file appears whole or not at all."""
    draft = ready_file.with_suffix(".draft")
    draft.write_text(json.dumps(facts))
    draft.rename(ready_file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-file", type=Path, required=True)
    uvloop.run(serve(parser.parse_args().ready_file))
