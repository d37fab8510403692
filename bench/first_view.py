"""What a newcomer and a customer wait for: the sandbox's start, and the bytes of the page's first view."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.processes import sandbox
from bench.requests import payment_template

_LINKED = re.compile(r'(?:href|src)="([^"]*/static/[^"]+)"')
NUMBER = "0000000001"


@dataclass(frozen=True, slots=True)
class FirstView:
    """``start_s``: from the command to ``/healthz``. Bytes over the wire, heads included, compressed where the gateway does."""

    start_s: float
    page_bytes: int
    linked_bytes: int
    linked: int


def first_view() -> FirstView:
    began = time.monotonic()
    with sandbox("--memory") as facts:
        urllib.request.urlopen(f"{facts['base_url']}/healthz").close()
        start_s = time.monotonic() - began
        page = _received(_payment_url(facts))
        linked = sorted(set(_LINKED.findall(_text(_payment_url(facts, "2")))))
        linked_bytes = sum(len(_received(facts["base_url"] + urlsplit(url).path)) for url in linked)
        return FirstView(start_s, len(page), linked_bytes, len(linked))


def _payment_url(facts: dict[str, Any], prefix: str = "1") -> str:
    request = payment_template(facts, prefix).replace("@" * len(NUMBER), NUMBER)
    body = request.partition("\r\n\r\n")[2].encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(facts["payment_endpoint"], body, headers)) as answer:
        url: str = json.load(answer)["data"]["payment_url"]
        return url


def _text(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def _received(url: str) -> bytes:
    """Everything that comes over the wire when a browser asks."""
    address = urlsplit(url)
    head = f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAccept-Encoding: gzip, br\r\nAccept-Language: fr\r\nConnection: close\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode())
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
        return b"".join(parts)
