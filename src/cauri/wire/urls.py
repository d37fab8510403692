"""Addresses that merchants give: one rule for what is taken and for what a browser is sent back to."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

URL_MAX = 2_048

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_ORIGIN = re.compile(r"https?://[^/?#\\]+", re.IGNORECASE)


def origin_of(url: str) -> str | None:
    """The origin of an absolute http(s) URL as a Content-Security-Policy names it, such as ``https://shop.example:8443``.

    None for anything else: another scheme, no host, a host that no browser would look up, white space or control characters. CSP
    cannot name an IPv6 address: its whole scheme, ``https:``, stands for it.
    """
    if " " in url or not url.isprintable():
        return None
    match = _ORIGIN.match(url)
    if (
        match is None or url[match.end() : match.end() + 1] == "\\"
    ):  # a browser reads it as a slash, others do not
        return None
    return _origin(match[0])


@lru_cache(maxsize=4096)
def _origin(start: str) -> str | None:
    try:
        parts = urlsplit(start)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            ipaddress.IPv6Address(host)
            return f"{parts.scheme}:" if port != 0 else None
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return None
    if not _HOST.fullmatch(host) or len(host) > 253 or port == 0:
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
