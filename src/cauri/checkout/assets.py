"""The stylesheet, the script and the icon: read once, served under names that carry a hash of their content."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    content: bytes
    media_type: str

    @property
    def hashed_name(self) -> str:
        stem, _, suffix = self.name.partition(".")
        return f"{stem}.{sha256(self.content).hexdigest()[:10]}.{suffix}"


def read_assets(folder: Path = STATIC) -> dict[str, Asset]:
    """By plain name, ``page.css``."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _TYPES)
    return {path.name: Asset(path.name, path.read_bytes(), _TYPES[path.suffix]) for path in files}


class Assets:
    """The door to them. ``urls`` gives a plain name's path, to be put behind the public URL's own path."""

    def __init__(self, assets: dict[str, Asset], base: str = "") -> None:
        self._by_hashed_name = {asset.hashed_name: asset for asset in assets.values()}
        self._by_name = assets
        self.urls = {name: f"{base}/static/{asset.hashed_name}" for name, asset in assets.items()}

    async def show(self, request: Request) -> Response:
        name = request.path_params["name"]
        asset = self._by_hashed_name.get(name)
        if asset is not None:
            return _answer(asset, _FOR_EVER)
        # A page of the version before or after ours, while processes are being replaced, asks for another hash.
        stem, _, rest = name.partition(".")
        asset = self._by_name.get(f"{stem}.{rest.partition('.')[2]}")
        return _answer(asset, "no-cache") if asset else Response(status_code=404)


def _answer(asset: Asset, cache: str) -> Response:
    headers = {"cache-control": cache, "x-content-type-options": "nosniff"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
