"""A scripted operator with an answer for each of its doors, for operators whose calls take several."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from scripted_operator import HANG_UP, SAY_NOTHING, ScriptedOperator, http_answer, read_request


@dataclass
class OperatorByPath(ScriptedOperator):
    """``answers``: by the end of the path, those that are still to be given, the last of them for ever."""

    answers: dict[str, list[Any]] = field(default_factory=dict)

    def at(self, tail: str, *answers: Any) -> None:
        """Each answer is a body with HTTP 200, a pair of status and body, or one of the silences; a dict or list body is JSON."""
        self.answers[tail] = [self._made(each) for each in answers]

    def seen(self, tail: str) -> list[Any]:
        return [request for request in self.requests if self._tail(request.path) == tail]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            self.requests.append(request)
            answer = self._next(self._tail(request.path))
            if answer is SAY_NOTHING:
                await reader.read()
            elif answer is not HANG_UP:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _tail(self, path: str) -> str:
        known = [tail for tail in self.answers if path.partition("?")[0].endswith(tail)]
        return max(known, key=len, default="")

    def _next(self, tail: str) -> Any:
        answers = self.answers.get(tail) or [http_answer(b"", 404)]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @staticmethod
    def _made(answer: Any) -> Any:
        if answer is SAY_NOTHING or answer is HANG_UP:
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return http_answer(body if isinstance(body, bytes) else json.dumps(body).encode(), status)
