"""What connectors tell whoever runs Cauri, in one wording."""

from __future__ import annotations

import structlog

log = structlog.get_logger("cauri.operators")


def configuration_refused(connector: str, reference: str, word: str) -> None:
    """The operator refused our own settings or request: the merchant hears 603, which nobody would look at."""
    log.error(
        "operator_configuration_refused", alert=True, operator=connector, reference=reference, word=word
    )
