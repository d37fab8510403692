"""The floor: our own HTTP server with an application that reads the body and answers a constant, and nothing else."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import uvloop

from cauri.serving import Server, bound_socket, url_of

ANSWER = (
    b'{"code":"201","message":"CREATED","description":"Transaction created with success","data":{"payment_token":'
    b'"0000000000000000000000000000000000","payment_url":"http://127.0.0.1/payment/0000000000000000000000000000000000"},'
    b'"api_response_id":"1617808789.7749"}'
)
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve(ready_file: Path) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    listener = bound_socket("127.0.0.1", 0)
    server = Server(application, listener)
    await server.start()
    draft = ready_file.with_suffix(".draft")
    draft.write_text(json.dumps({"base_url": url_of(listener)}))
    draft.rename(ready_file)
    await ended.wait()
    await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-file", type=Path, required=True)
    uvloop.run(serve(parser.parse_args().ready_file))
