"""The OpenAPI 3.1 document of the admin doors, from the table that serves them and the types that they read and answer."""

from __future__ import annotations

from typing import Any

import msgspec

from cauri import __version__
from cauri.api.admin.door import Door
from cauri.api.admin.refusals import KINDS, TOO_MANY, UNAVAILABLE, AdminError, Kind
from cauri.domain.admin import SCOPES

Document = dict[str, Any]

PREFIX = "/admin"
_REF = "#/components/schemas/{name}"
_INTRODUCTION = """\
For the people who run the gateway, their back office and their monitoring. Every door wants a token: `Authorization: Bearer TOKEN`,
made by `cauri admin token add`. A token has scopes, and may be for some sites only.

Moments are ISO 8601 in UTC; where one is asked for, `90m`, `12h` or `2d` say how long ago. Lists come in pages: ask again with the
`cursor` of the answer until it is null. Every POST is kept in a record, done or refused: `GET /admin/audit`.

| scope | opens |
|---|---|
"""


def document(public_url: str, doors: tuple[Door, ...]) -> Document:
    types = {
        door.answer
        for door in doors
        if isinstance(door.answer, type) and issubclass(door.answer, msgspec.Struct)
    }
    types |= {door.body for door in doors if door.body is not None} | {AdminError}
    _, schemas = msgspec.json.schema_components(
        sorted(types, key=lambda each: each.__name__), ref_template=_REF
    )
    paths: dict[str, Document] = {}
    for door in doors:
        paths.setdefault(PREFIX + door.path, {})[door.method.lower()] = _operation(door)
    scopes = "".join(f"| `{name}` | {words} |\n" for name, words in SCOPES.items())
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cauri admin API", "version": __version__, "description": _INTRODUCTION + scopes},
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(door: Door) -> Document:
    made: Document = {
        "operationId": door.operation,
        "summary": door.summary,
        "description": door.description,
        "parameters": [*_path_parameters(door), *_query_parameters(door)],
        "responses": _responses(door),
        "security": [] if door.scope is None else [{"token": [door.scope]}],
    }
    if door.body is not None:
        schema = {"$ref": _REF.format(name=door.body.__name__)}
        content = {"schema": schema, **({"example": door.example} if door.example else {})}
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    return made


def _path_parameters(door: Door) -> list[Document]:
    return [
        {
            "name": part.strip("{}"),
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }
        for part in door.segments
        if part.startswith("{")
    ]


def _query_parameters(door: Door) -> list[Document]:
    schema = msgspec.json.schema(door.query)["$defs"][door.query.__name__]
    return [
        _parameter(name, rule, name in schema.get("required", ()))
        for name, rule in schema.get("properties", {}).items()
    ]


def _parameter(name: str, rule: Document, required: bool) -> Document:
    """A parameter that may be left out is not null: it is not there."""
    options = [option for option in rule.get("anyOf", ()) if option.get("type") != "null"]
    schema = {**rule, **options[0]} if len(options) == 1 else dict(rule)
    if len(options) == 1:
        schema.pop("anyOf", None)
    if "enum" in schema:
        schema["enum"] = [word for word in schema["enum"] if word is not None]
    if schema.get("default", 0) is None:
        del schema["default"]
    words = schema.pop("description", "")
    return {"name": name, "in": "query", "required": required, "description": words, "schema": schema}


def _responses(door: Door) -> Document:
    by_status: dict[int, list[Kind]] = {}
    for kind in KINDS:
        if door.scope is not None or kind.status not in (401, 403, 429, 503):
            by_status.setdefault(kind.status, []).append(kind)
    refusals = {str(status): _refusal(kinds) for status, kinds in sorted(by_status.items())}
    return {
        "200": {"description": _words_of(door), "content": {_bare(door.media_type): _success(door)}},
        **refusals,
    }


def _success(door: Door) -> Document:
    if isinstance(door.answer, type) and issubclass(door.answer, msgspec.Struct):
        return {"schema": {"$ref": _REF.format(name=door.answer.__name__)}}
    return {"schema": {"type": "object" if door.answer is dict else "string"}}


def _refusal(kinds: list[Kind]) -> Document:
    table = "".join(f"| {kind.code} | {kind.when} |\n" for kind in kinds)
    answer: Document = {
        "description": f"| code | when |\n|---|---|\n{table}",
        "content": {"application/json": {"schema": {"$ref": _REF.format(name=AdminError.__name__)}}},
    }
    if kinds[0] in (TOO_MANY, UNAVAILABLE):
        seconds = {"type": "string", "pattern": "^[0-9]+$"}
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": seconds}}
    return answer


def _words_of(door: Door) -> str:
    words = (
        (door.answer.__doc__ or "")
        if isinstance(door.answer, type) and door.answer not in (str, dict)
        else ""
    )
    return words.strip().partition("\n")[0] or "The document."


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0]
