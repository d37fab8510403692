"""How pawaPay says that a payment failed, and the test numbers of its own sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass

from cauri.simulator.stories import FAILURE_CODES, NEVER_ANSWERS, PAYS, Story


@dataclass(frozen=True)
class Word:
    """A failure as pawaPay spells it. `at_once`: refused in the answer (REJECTED), not later (FAILED)."""

    failure_code: str
    message: str
    at_once: bool = False


_OWN_WORDS: Mapping[str, Word] = {
    "600": Word("UNSPECIFIED_FAILURE", "The provider has not given a reason for the failure."),
    "602": Word("INSUFFICIENT_BALANCE", "The customer does not have enough funds to complete the payment."),
    "603": Word("INVALID_CURRENCY", "The currency is not enabled for this provider.", at_once=True),
    "627": Word("PAYMENT_NOT_APPROVED", "The customer did not authorise the payment."),
    "635": Word("PAYER_NOT_FOUND", "The phone number does not belong to a customer of the provider."),
    "636": Word("INVALID_PHONE_NUMBER", "The phone number is not valid for the provider.", at_once=True),
    "641": Word("INVALID_AMOUNT", "The amount is not valid for the provider.", at_once=True),
    "804": Word("PROVIDER_TEMPORARILY_UNAVAILABLE", "The provider is currently unavailable.", at_once=True),
    "808": Word("PAYER_LIMIT_REACHED", "The customer has reached a limit of their wallet."),
}

WORDS: Mapping[str, Word] = {
    code: _OWN_WORDS.get(code)
    or Word(f"CAURI_{code}", f"Reserved word of the simulator for the code {code}.")
    for code in FAILURE_CODES
}
"""Code of the status table → pawaPay's word.

Codes that no single word of pawaPay means get the reserved word: 604 (it documents none for a refused
preAuthorisationCode), 606, 642 (AMOUNT_OUT_OF_BOUNDS says neither low nor high, and such a story's amount is
inside the bounds), 807, 809-812.
"""


def _numbers(stem: str, endings: str) -> dict[str, Story]:
    return {stem + ending: _BY_ENDING[ending] for ending in endings.split()}


_BY_ENDING = {
    "019": Story(outcome="808"),
    "029": Story(outcome="635"),
    "039": Story(outcome="627"),
    "049": Story(outcome="602"),
    "069": Story(outcome="600"),
    "129": NEVER_ANSWERS,
    "789": PAYS,
}
_ALL = "019 029 039 049 069 129 789"

TEST_NUMBERS: Mapping[str, Story] = {
    **_numbers("237653456", _ALL),  # MTN_MOMO_CMR
    **_numbers("237693456", _ALL),  # ORANGE_CMR
    **_numbers("243813456", _ALL),  # VODACOM_MPESA_COD
    **_numbers("243973456", _ALL),  # AIRTEL_COD
    **_numbers("243893456", _ALL),  # ORANGE_COD
    **_numbers("221763456", _ALL),  # FREE_SEN
    **_numbers("221773456", _ALL),  # ORANGE_SEN
    **_numbers("2250503456", "029 129 789"),  # MTN_MOMO_CIV
    **_numbers("22951345", "029 039 069 129 789"),  # MTN_MOMO_BEN
    # the irregular ones
    "2250734567030": Story(outcome="627"),  # ORANGE_CIV
    "2250734567130": NEVER_ANSWERS,
    "2250734567890": PAYS,
    "22602345048": Story(outcome="602"),  # MOOV_BFA
    "22602345068": Story(outcome="600"),
    "22602345138": NEVER_ANSWERS,
    "22602345678": PAYS,
    "22607345148": Story(outcome="627"),  # ORANGE_BFA
    "22607345128": NEVER_ANSWERS,
    "22607345678": PAYS,
}
"""pawaPay's sandbox numbers, complete, with its own results (docs.pawapay.io/v2/docs/test_numbers)."""
