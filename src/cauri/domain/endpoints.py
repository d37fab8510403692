"""An endpoint: one site's notify_urls at one origin. What is learned of one of them holds for all of them."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=8192)
def endpoint_of(site_id: str, url: str) -> str:
    """``445160 https://shop.example:443``: site_id, scheme, host in lower case, port. Never raises, never empty."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
        port = parts.port or _PORTS.get(scheme, 0)
    except ValueError:  # a port or an IPv6 address that is none: the sender will say so
        return f"{site_id} {url.partition('?')[0][:200].lower()}"
    host = f"[{host}]" if ":" in host else host
    return f"{site_id} {scheme}://{host}:{port}"


def origin_of(endpoint: str) -> str:
    """The endpoint without its site: what several sites may share."""
    return endpoint.rpartition(" ")[2]
