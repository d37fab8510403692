"""Plays the recorded requests against any implementation of CinetPay's Checkout API v2, and compares its answers. Needs only Python.

python replay.py http://127.0.0.1:8080 --apikey KEY --site-id 445160
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

PAIRS = Path(__file__).parent / "pairs"

# What an expected text may say instead of the text itself.
PATTERNS = {
    "{{api_response_id}}": re.compile(r"\d+\.\d{4}"),
    "{{token}}": re.compile(r"[0-9a-f]{32,}"),
    "{{payment_url}}": re.compile(r"https?://\S+/payment/[0-9a-f]{32,}"),
    "{{text}}": re.compile(r"\S[\s\S]*"),
}
REMEMBERED = {"{{token}}", "{{payment_url}}"}


class Difference(NamedTuple):
    file: str
    scenario: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.scenario}, exchange {self.number}: {self.what}"


def replay(base_url: str, apikey: str, site_id: str, folder: Path = PAIRS) -> tuple[int, list[Difference]]:
    """How many exchanges were played, and every difference from what is recorded."""
    played, differences = 0, []
    for path in sorted(folder.glob("*.json")):
        for scenario in json.loads(path.read_text(encoding="utf-8")):
            known = {
                "{{apikey}}": apikey,
                "{{site_id}}": site_id,
                "{{transaction_id}}": f"replay-{uuid4().hex}",
            }
            known["{{64_kib}}"] = " " * 65_536
            for number, exchange in enumerate(scenario["exchanges"], 1):
                played += 1
                found = _differences(base_url, exchange, known)
                differences += [Difference(path.name, scenario["scenario"], number, what) for what in found]
    return played, differences


def _differences(base_url: str, exchange: dict[str, Any], known: dict[str, str]) -> list[str]:
    expected = exchange["answer"]
    try:
        status, headers, body = _ask(base_url, exchange["request"], known)
    except (OSError, HTTPException) as error:
        return [f"no answer: {error!r}"]
    found = [] if status == expected["status"] else [f"HTTP {status} instead of {expected['status']}"]
    for name, value in expected.get("headers", {}).items():
        if headers.get(name) != value:
            found.append(f"header {name} is {headers.get(name)!r} instead of {value!r}")
    if "body" not in expected:
        return found
    try:
        answer = json.loads(body)
    except ValueError:
        return [*found, f"the answer is no JSON: {body[:200]!r}"]
    found += _compare("", expected["body"], answer, known)
    missing = [
        word for word in expected.get("description_mentions", []) if word not in answer.get("description", "")
    ]
    return found + [f"the description does not mention {word}" for word in missing]


def _ask(base_url: str, request: dict[str, Any], known: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    where = urlsplit(base_url)
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    connection = kind(where.netloc, timeout=30)
    try:
        headers = {name: _filled(value, known) for name, value in request["headers"].items()}
        path = where.path.rstrip("/") + request["path"]
        connection.request(request["method"], path, _filled(request["body"], known).encode(), headers)
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, received, answer.read()
    finally:
        connection.close()


def _filled(text: str, known: dict[str, str]) -> str:
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text


def _compare(where: str, expected: Any, actual: Any, known: dict[str, str]) -> Iterator[str]:
    """Every difference; the order of an object's keys counts."""
    if isinstance(expected, dict):
        if not isinstance(actual, dict) or list(actual) != list(expected):
            yield f"{where or 'the answer'} has {_shown(actual)} instead of the keys {list(expected)}"
            return
        for name, value in expected.items():
            yield from _compare(f"{where}.{name}" if where else name, value, actual[name], known)
    elif isinstance(expected, str) and expected in PATTERNS:
        yield from _match(where, expected, actual, known)
    elif actual != (_filled(expected, known) if isinstance(expected, str) else expected):
        yield f"{where} is {actual!r} instead of {expected!r}"


def _match(where: str, placeholder: str, actual: Any, known: dict[str, str]) -> Iterator[str]:
    """A placeholder that was met before must be the same again."""
    if not isinstance(actual, str) or not PATTERNS[placeholder].fullmatch(actual):
        yield f"{where} is {actual!r}, which is no {placeholder}"
    elif placeholder in REMEMBERED and known.setdefault(placeholder, actual) != actual:
        yield f"{where} is {actual!r} instead of {known[placeholder]!r}, as before"


def _shown(value: Any) -> str:
    return f"the keys {list(value)}" if isinstance(value, dict) else repr(value)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base_url", help="where the API is, without /v2")
    parser.add_argument("--apikey", required=True)
    parser.add_argument(
        "--site-id", required=True, help="a site with XOF enabled for Côte d'Ivoire and Senegal, without EUR"
    )
    given = parser.parse_args()
    played, differences = replay(given.base_url, given.apikey, given.site_id)
    for difference in differences:
        print(difference)
    print(f"{played} exchanges, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
