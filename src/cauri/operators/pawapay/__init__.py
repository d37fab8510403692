"""pawaPay, an aggregator of many operators: words, signatures, toolkit, connector."""

from cauri.operators.pawapay.connector import PawaPay
from cauri.operators.pawapay.words import (
    CONFIGURATION_WORDS,
    DEPOSIT_WORDS,
    FAILURE_WORDS,
    NEXT_STEPS,
    ROUTES,
    START_WORDS,
    customer_message,
    read_check,
    read_start,
    written_amount,
)

__all__ = [
    "CONFIGURATION_WORDS",
    "DEPOSIT_WORDS",
    "FAILURE_WORDS",
    "NEXT_STEPS",
    "ROUTES",
    "START_WORDS",
    "PawaPay",
    "customer_message",
    "read_check",
    "read_start",
    "written_amount",
]
