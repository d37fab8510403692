"""The requests that the operators received, without what nobody else should know."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

_KEPT = 2000

_SECRET = re.compile(
    r"key|token|secret|passw|otp|pin$|code$|cvc|cvv|card|^number$|expiry|auth|user|phone|msisdn|destination|party"
    r"|customer|payer|email|name|surname|address|city|zip",
    re.IGNORECASE,
)
"""Fields that show a credential or a person. Their values are left out, whatever they hold."""

_XML = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.-]*)>([^<]*)</\1>")
HIDDEN = "•••"


@dataclass(frozen=True)
class Received:
    """One request. `path` is the door's pattern; `status` is what it was answered, None where the connection was cut."""

    at: int
    operator: str
    door: str
    method: str
    path: str
    body: object
    fault: str | None
    status: int | None

    def as_json(self) -> dict[str, object]:
        return {
            "at": self.at,
            "operator": self.operator,
            "door": self.door,
            "method": self.method,
            "path": self.path,
            "body": self.body,
            "fault": self.fault,
            "status": self.status,
        }


class ReceivedList:
    """The newest two thousand."""

    def __init__(self) -> None:
        self._all: deque[Received] = deque(maxlen=_KEPT)

    def add(self, received: Received) -> None:
        self._all.append(received)

    def of(self, operator: str | None, door: str | None) -> list[dict[str, object]]:
        return [
            one.as_json()
            for one in self._all
            if operator in (None, one.operator) and door in (None, one.door, one.path)
        ]

    def clear(self) -> None:
        self._all.clear()


def without_secrets(body: bytes) -> object:
    """A request's body as far as it may be shown: JSON, a form, or flat XML; anything else by its size."""
    if not body:
        return None
    try:
        return _open(msgspec.json.decode(body))
    except (ValueError, RecursionError):
        pairs = {name.decode(): text.decode("utf-8", "replace") for name, text in _XML.findall(body)}
    if not pairs and b"=" in body:
        pairs = _form(body)
    return _open(pairs) if pairs else f"{len(body)} bytes"


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}


def _open(content: object) -> object:
    if isinstance(content, Mapping):
        return {
            str(name): HIDDEN if _SECRET.search(str(name)) and value not in (None, "") else _open(value)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_open(each) for each in content]
    return content
