"""Reads ``queries.sql``: statements by name, spelled for one engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Dialect = Literal["sqlite", "postgres"]

PAYMENT_COLUMNS = (
    "slot site_id transaction_id token amount currency status code version created_at expires_at request attempts tries method "
    "phone attempt_at failed_code operator_id paid_at ended_at left_at idempotency_key body_hash"
).split()
ATTEMPT_COLUMNS = (
    "slot token number reference connector method phone amount currency status code started_at sent_at ended_at operator_id "
    "page_url handle word next_ask_at asks claimed_until claimed_by"
).split()
ENDPOINT_COLUMNS = "endpoint site_id state since failures probe_at answered_at changed_at error gone".split()
SITE_COLUMNS = (
    "site_id name status sealed_secret_key currencies countries settings created_at sealed_old_secret_key old_secret_until"
).split()
ADMIN_TOKEN_COLUMNS = "token_hash label scopes sites created_at expires_at last_used_at revoked_at".split()
LOGGED_COLUMNS = (
    "delivery_id at site_id transaction_id number version code url status duration_ms answer error next_try_at"
).split()

_FRAGMENTS: dict[Dialect, dict[str, str]] = {
    "sqlite": {
        "rows": "json_each(:rows) AS r",
        "skip_locked": "",
        "named": "SELECT c.slot, c.token FROM chosen c",
        "text": "TEXT",
        "without_rowid": " WITHOUT ROWID",
        "json_rows": "json_group_array",
        "json_row": "json_array",
        # While a notification was being sent its payment changed, or it was to be told again: what came of the POST does not settle that.
        "asked_meanwhile": (
            "(n.due_version > CAST(r.value->>'version' AS INTEGER) OR n.since > CAST(r.value->>'at' AS BIGINT)"
            " OR (r.value->>'delivered' = '0' AND n.tries + 1 <> CAST(r.value->>'number' AS INTEGER)))"
        ),
    },
    "postgres": {
        # The planner takes a limit that it cannot know for a tenth of the rows: of a hundred, one is left, so that a plan for any values
        # looks each of them up by its key. With ten it read all that was due and joined them, where a few thousand were.
        "rows": (
            "(SELECT value FROM (SELECT value FROM json_array_elements(CAST(:rows AS json)) LIMIT (SELECT 100000)) AS e"
            " LIMIT (SELECT 100000)) AS r(value)"
        ),
        # The same twice: of a slice of a long queue the planner would count on a tenth of that queue.
        "named": (
            "SELECT d.slot, d.token FROM (SELECT c.slot, c.token FROM chosen c LIMIT (SELECT 100000)) AS d LIMIT (SELECT 100000)"
        ),
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "text": 'TEXT COLLATE "C"',
        "without_rowid": "",
        "json_rows": "json_agg",
        "json_row": "json_build_array",
        "asked_meanwhile": (
            "(n.due_version > r.version OR n.since > r.at OR (r.delivered = '0' AND n.tries + 1 <> r.number))"
        ),
    },
}
_COLUMNS = {
    "payment": ", ".join(f"p.{name}" for name in PAYMENT_COLUMNS),
    "attempt": ", ".join(f"a.{name}" for name in ATTEMPT_COLUMNS),
    "attempt_returned": ", ".join(ATTEMPT_COLUMNS),  # SQLite's RETURNING knows no alias
    "endpoint": ", ".join(f"e.{name}" for name in ENDPOINT_COLUMNS),
    "endpoint_returned": ", ".join(ENDPOINT_COLUMNS),
    "site": ", ".join(f"s.{name}" for name in SITE_COLUMNS),
    "admin_token": ", ".join(f"t.{name}" for name in ADMIN_TOKEN_COLUMNS),
    "delivery": ", ".join(f"d.{name}" for name in LOGGED_COLUMNS),
    "for_ever": str(2**63 - 1),
    # Parked, and for its endpoint's next answer: not what came back once (since then brought_at is since) and was parked again long before
    # its schedule ended.
    "comes_back": "m.parked_at IS NOT NULL AND (m.brought_at <> m.since OR m.parked_at >= m.since + :early)",
}
_PARAMETER = re.compile(r"(?<!:):([a-z_]+(?:\.[a-z_]+)?)")
_VALUES = re.compile(r"\{values (\(.*?\))\}", re.DOTALL)
# A limit that PostgreSQL's planner cannot know: it takes it for a tenth of the rows, and so reads the index in its order, in place of
# reading all that is due and sorting it. {first :n}
_FIRST = re.compile(r"\{first (:?\w+)\}")
_EACH_PLACE = "{each}"


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as its engine takes it. On PostgreSQL ``parameters`` gives the order of $1, $2 …

    Where ``each`` is not empty it is the list of values of one row, ``parameters`` are its own, and ``sql`` names its place.
    """

    name: str
    sql: str
    parameters: tuple[str, ...]
    each: str = ""

    def sql_for(self, rows: int) -> str:
        """The statement with so many lists of values."""
        return self.sql.replace(_EACH_PLACE, ", ".join([self.each] * rows)) if self.each else self.sql


def spelled(text: str, dialect: Dialect) -> str:
    """The text with its {fragments} filled in for one engine."""
    text = _FIRST.sub(r"(SELECT CAST(\1 AS BIGINT))", text)
    for name, fragment in {**_COLUMNS, **_FRAGMENTS[dialect]}.items():
        text = text.replace("{" + name + "}", fragment)
    return text


@cache
def queries(dialect: Dialect) -> dict[str, Query]:
    """All statements of this engine, by name."""
    text = (files("cauri.store") / "queries.sql").read_text(encoding="utf-8")
    found: dict[str, Query] = {}
    for block in re.split(r"^-- name: ", text, flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        name, _, only = title.strip().partition(" ")
        if only in ("", f"[{dialect}]"):
            found[name] = _query(name, spelled(body, dialect), dialect)
    return found


def _query(name: str, sql: str, dialect: Dialect) -> Query:
    sql = "\n".join(line for line in sql.splitlines() if line.strip() and not line.startswith("--"))
    values = _VALUES.search(sql)
    if values is not None:
        parameters = tuple(_PARAMETER.findall(values[1]))
        return Query(
            name, _VALUES.sub(f"VALUES {_EACH_PLACE}", sql), parameters, _PARAMETER.sub("?", values[1])
        )
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    if dialect == "postgres":
        numbers = {parameter: index for index, parameter in enumerate(parameters, 1)}
        sql = _PARAMETER.sub(lambda match: f"${numbers[match[1]]}", sql)
    return Query(name, sql, parameters)
