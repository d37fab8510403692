"""Structured logs on standard error: one line for each event. Nothing that is logged may hold a key, a name or a whole number."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

LEVELS = ("debug", "info", "warning", "error")


def set_up(log_format: Literal["json", "text"], level: str) -> None:
    """``json`` for machines, ``text`` for people. ``level``: debug, info, warning, error."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    before: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(
            fmt="iso" if log_format == "json" else "%H:%M:%S", utc=log_format == "json"
        ),
        structlog.processors.format_exc_info,
        *([] if log_format == "json" else [_harmless]),
    ]
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_in_libraries(before, renderer, max(threshold, logging.WARNING))


def _harmless(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What strangers wrote must not write to the terminal that shows it. Line ends are quoted by the renderer, and part of a traceback."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = "".join(
                each if each.isprintable() or each in "\t\r\n" else "\N{REPLACEMENT CHARACTER}"
                for each in value
            )
    return event


def _take_in_libraries(
    before: list[structlog.typing.Processor], renderer: structlog.typing.Processor, level: int
) -> None:
    """What libraries say through the standard library's logging has the same form: one line for each event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
