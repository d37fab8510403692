"""A scripted operator that answers by verb and path: for operators whose calls come in steps."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from scripted_operator import HANG_UP, SAY_NOTHING, Recorded, http_answer, read_request

Answer = Any  # raw bytes, (status, body), a silence, or a function of the request that gives one of these


@dataclass
class AnsweringOperator:
    """``answers``: by "VERB /path", the first key that the request begins with; a list is given out one by one, its last for ever."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)
    hangs_up_at_once: bool = False
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    def asked(self, beginning: str) -> list[Recorded]:
        return [each for each in self.requests if f"{each.verb} {each.path}".startswith(beginning)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.hangs_up_at_once:
                return
            request = await read_request(reader)
            self.requests.append(request)
            answer = await self._answer(request)
            if answer is SAY_NOTHING:
                await reader.read()
            elif answer is not HANG_UP:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, request: Recorded) -> Any:
        line = f"{request.verb} {request.path}"
        key = next((key for key in self.answers if line.startswith(key)), None)
        if key is None:
            return http_answer(b"no such door", 404)
        if key in self.gates:
            await self.gates[key].wait()
        answer = self.answers[key]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(request)
        return as_bytes(answer)


def as_bytes(answer: Any) -> Any:
    if isinstance(answer, tuple):
        status, body = answer
        return http_answer(body if isinstance(body, bytes) else json.dumps(body).encode(), status)
    return answer


@contextlib.asynccontextmanager
async def answering() -> AsyncIterator[AnsweringOperator]:
    operator = AnsweringOperator()
    server = await asyncio.start_server(operator.serve, "127.0.0.1", 0)
    operator.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield operator
    server.close()
    await server.wait_closed()
