"""pawaPay's words and shapes of deposits (reference: operators, section 6; mapping: section 8), without the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Callback, Flow, Order, Route
from cauri.operators.foreign import (
    RESERVED_WORDS,
    NotWhole,
    decoded,
    identifier,
    is_reference,
    quoted,
    unaccented,
    web_address,
    whole_units,
)
from cauri.operators.http import Answer


class Meaning(Enum):
    """What a status says of a deposit."""

    UNDER_WAY = "under way"
    KNOWN_ALREADY = "known already"
    PAID = "paid"
    REFUSED = "refused"


REJECTED = "REJECTED"
UNAVAILABLE, OUT_OF_BOUNDS = "PROVIDER_TEMPORARILY_UNAVAILABLE", "AMOUNT_OUT_OF_BOUNDS"

# Answers to POST /v2/deposits.
START_WORDS: dict[str, Meaning] = {
    "ACCEPTED": Meaning.UNDER_WAY,
    REJECTED: Meaning.REFUSED,
    "DUPLICATE_IGNORED": Meaning.KNOWN_ALREADY,
}

# GET /v2/deposits/{id}: whether there is such a deposit, and its status.
FOUND, NOT_FOUND = "FOUND", "NOT_FOUND"
DEPOSIT_WORDS: dict[str, Meaning] = {
    "ACCEPTED": Meaning.UNDER_WAY,
    "PROCESSING": Meaning.UNDER_WAY,
    "IN_RECONCILIATION": Meaning.UNDER_WAY,
    "COMPLETED": Meaning.PAID,
    "FAILED": Meaning.REFUSED,
}

# None: the shown code stays what the method's flow makes it.
NEXT_STEPS: dict[str, Code | None] = {
    "FINAL_STATUS": None,
    "GET_AUTH_URL": Code.WAITING_AT_OPERATOR,
    "REDIRECT_TO_AUTH_URL": Code.WAITING_AT_OPERATOR,
}

# Our own fault: the merchant hears 603 and whoever runs Cauri is alerted (section 8, principle 2).
CONFIGURATION_WORDS: frozenset[str] = frozenset(
    {
        "NO_AUTHENTICATION",
        "AUTHENTICATION_ERROR",
        "AUTHORISATION_ERROR",
        "HTTP_SIGNATURE_ERROR",
        "DEPOSITS_NOT_ALLOWED",
        "INVALID_INPUT",
        "MISSING_PARAMETER",
        "UNSUPPORTED_PARAMETER",
        "INVALID_PARAMETER",
        "DUPLICATE_METADATA_FIELD",
        "INVALID_CURRENCY",
    }
)

# failureReason.failureCode of what was REJECTED or FAILED.
FAILURE_WORDS: dict[str, Code] = {
    **dict.fromkeys(sorted(CONFIGURATION_WORDS), Code.SERVICE_UNAVAILABLE),
    OUT_OF_BOUNDS: Code.AMOUNT_TOO_HIGH,  # it does not say which bound; the connector corrects it where it knows them
    "INVALID_AMOUNT": Code.AMOUNT_TOO_LOW,
    "INVALID_PHONE_NUMBER": Code.PHONE_NOT_SUPPORTED,
    "INVALID_PROVIDER": Code.PHONE_NOT_SUPPORTED,
    UNAVAILABLE: Code.OPERATOR_UNAVAILABLE,
    "PAYMENT_NOT_APPROVED": Code.CANCELLED,
    "INSUFFICIENT_BALANCE": Code.INSUFFICIENT_BALANCE,
    "PAYMENT_IN_PROGRESS": Code.PAYMENT_FAILED,
    "PAYER_NOT_FOUND": Code.PHONE_NOT_FOUND,
    "PAYER_LIMIT_REACHED": Code.DAILY_MAX_AMOUNT,  # approximation: no operator says which limit (section 8, principle 3)
    "WALLET_LIMIT_REACHED": Code.DAILY_MAX_AMOUNT,
    "TRANSACTION_ALREADY_IN_PROCESS": Code.PAYMENT_FAILED,
    "UNSPECIFIED_FAILURE": Code.PAYMENT_FAILED,
    "UNKNOWN_ERROR": Code.PAYMENT_FAILED,  # of a FAILED deposit; as HTTP 500 it says nothing and is never looked up here
    # The simulated operators' reserved words, for codes that pawaPay has no word for.
    **RESERVED_WORDS,
}

_CODE_FIELD = "preauthorisationcode"

ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "OM": Route("ORANGE_CIV"),
        "MOMO": Route("MTN_MOMO_CIV"),
        "WAVECI": Route("WAVE_CIV", Flow.PAGE),
        "OMSN": Route("ORANGE_SEN"),
        "FREESN": Route("FREE_SEN"),
        "WAVESN": Route("WAVE_SEN", Flow.PAGE),
        "OMBF": Route("ORANGE_BFA", Flow.CODE),
        "MOOVBF": Route("MOOV_BFA"),  # moov_3pp serves it too; the configuration chooses
        "OMCM": Route("ORANGE_CMR"),
        "MTNCM": Route("MTN_MOMO_CMR"),
        "MTNBJ": Route("MTN_MOMO_BEN"),
        "MOOVBJ": Route("MOOV_BEN"),
        "OMCD": Route("ORANGE_COD", decimals=2),
        "MPESACD": Route("VODACOM_MPESA_COD"),
        "AIRTELCD": Route("AIRTEL_COD", decimals=2),
        "OMCDUSD": Route("ORANGE_COD", decimals=2),
        "MPESACDUSD": Route("VODACOM_MPESA_COD", decimals=2),
        "AIRTELCDUSD": Route("AIRTEL_COD", decimals=2),
    }
)

MAX_CALLBACK = 64 * 1024


class FailureReason(msgspec.Struct, rename="camel"):
    failure_code: str = ""
    failure_message: str = ""


class Deposit(msgspec.Struct, rename="camel"):
    """A deposit as pawaPay tells it: the answer to a start, ``data`` of a check, a callback."""

    deposit_id: str | None = None
    status: str | None = None
    amount: msgspec.Raw = msgspec.Raw()
    currency: str | None = None
    next_step: str | None = None
    authorization_url: str | None = None
    provider_transaction_id: str | int | None = None
    failure_reason: FailureReason | None = None


class Found(msgspec.Struct):
    """The answer to GET /v2/deposits/{id}."""

    status: str
    data: Deposit | None = None


def deposit_of(order: Order) -> dict[str, object]:
    """The body of POST /v2/deposits."""
    route = ROUTES[order.method.code]
    body: dict[str, object] = {
        "depositId": order.reference,
        "amount": written_amount(order.amount),
        "currency": order.currency,
        "payer": {
            "type": "MMO",
            "accountDetails": {"phoneNumber": order.phone.digits, "provider": route.provider},
        },
        "clientReferenceId": order.reference,
        "customerMessage": customer_message(order.description, order.lang),
    }
    if route.flow is Flow.CODE and order.code is not None:
        body["preAuthorisationCode"] = order.code
    if route.flow is Flow.PAGE:
        body |= {"successfulUrl": order.page_url, "failedUrl": order.page_url}
    return body


def written_amount(amount: int) -> str:
    """``1500``: pawaPay refuses trailing zeros after the point, so a whole amount has no point, whatever the provider's decimals."""
    return str(amount)


def customer_message(description: str, lang: str) -> str:
    """4 to 22 ASCII letters, digits and spaces, from the payment's description."""
    words = " ".join(re.sub(r"[^A-Za-z0-9]+", " ", unaccented(description)).split())
    if len(words) < 4:
        words = f"{'Payment' if lang == 'en' else 'Paiement'} {words}"
    return words[:22].strip()


def read_callback(body: bytes) -> Callback:
    """A deposit's callback, final or with the page to go to. Raises BadCallback."""
    if len(body) > MAX_CALLBACK:
        raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
    deposit = decoded(body, Deposit)
    if deposit is None or deposit.status is None:
        raise BadCallback("not a deposit's callback")
    reference = (deposit.deposit_id or "").lower()
    if not is_reference(reference):
        raise BadCallback("depositId is missing or no UUID")
    return Callback(reference, _outcome(deposit, reference, DEPOSIT_WORDS, None))


def read_start(answer: Answer, order: Order) -> Outcome:
    """What the answer to a start says. A 4xx counts only with pawaPay's own words, a 5xx never does."""
    deposit = decoded(answer.body, Deposit)
    if deposit is None or answer.status not in {200, 400, 401, 403}:
        return _unreadable(answer)
    if answer.status == 200:
        return _outcome(deposit, order.reference, START_WORDS, order)
    word = _failure_word(deposit)
    if _of_another(deposit, order.reference):
        return _another()
    if deposit.status == REJECTED or word in CONFIGURATION_WORDS:
        return _refused(deposit, order)
    return _unreadable(answer)


def read_check(answer: Answer, order: Order) -> Outcome:
    """What the answer to a check says: HTTP errors speak of the question, never of the deposit."""
    found = decoded(answer.body, Found)
    if found is None or answer.status != 200:
        return _unreadable(answer)
    if found.status == NOT_FOUND:
        return Unknown("the operator knows no such deposit", not_found=True)
    if found.status != FOUND or found.data is None:
        return Unknown(f"unknown word in a check: {quoted(found.status, 60)}", alert=True)
    return _outcome(found.data, order.reference, DEPOSIT_WORDS, order)


def _outcome(deposit: Deposit, reference: str, words: dict[str, Meaning], order: Order | None) -> Outcome:
    """``order`` is None for a callback, which knows nothing of the method."""
    if _of_another(deposit, reference):
        return _another()
    match words.get(deposit.status or ""):
        case Meaning.UNDER_WAY:
            return _under_way(deposit, order)
        case Meaning.KNOWN_ALREADY:
            return Waiting(word=deposit.status or "")
        case Meaning.PAID:
            return _paid(deposit)
        case Meaning.REFUSED:
            return _refused(deposit, order)
        case None:
            return Unknown(f"unknown status: {quoted(deposit.status or 'none', 60)}", alert=True)


def _under_way(deposit: Deposit, order: Order | None) -> Outcome:
    word = deposit.status or ""
    step = deposit.next_step or "FINAL_STATUS"
    if step not in NEXT_STEPS:
        return Unknown(f"unknown nextStep: {quoted(step, 60)}", alert=True)
    code = NEXT_STEPS[step]
    if code is None:
        prompted = order is not None and ROUTES[order.method.code].flow is Flow.PROMPT
        return Waiting(Code.WAITING_TO_VALIDATE if prompted else None, word=word)
    if step == "GET_AUTH_URL" or deposit.authorization_url is None:
        return Waiting(code, word=word)
    page_url = web_address(deposit.authorization_url)
    if page_url is None:
        return Unknown("authorizationUrl is no http(s) URL", alert=True)
    return Waiting(code, page_url, word)


def _paid(deposit: Deposit) -> Outcome:
    if deposit.deposit_id is None:
        return Unknown("COMPLETED without a depositId", alert=True)
    try:
        amount = whole_units(deposit.amount)
    except NotWhole:
        return Unknown("COMPLETED with an amount that is not whole", alert=True)
    return Accepted(
        identifier(deposit.provider_transaction_id) or deposit.deposit_id, amount, deposit.currency
    )


def _refused(deposit: Deposit, order: Order | None) -> Outcome:
    word = _failure_word(deposit)
    if not word:
        return Refused(Code.PAYMENT_FAILED, deposit.status or "")
    if word not in FAILURE_WORDS:
        return Unknown(f"unknown failure code: {quoted(word, 60)}", alert=True)
    if (
        word == "INVALID_PARAMETER"
        and order is not None
        and order.code is not None
        and _names_the_code(deposit)
    ):
        return Refused(Code.OTP_CODE_ERROR, word)
    # Only a REJECTED says that nothing was begun; a deposit that FAILED had been.
    return Refused(FAILURE_WORDS[word], word, unstarted=word == UNAVAILABLE and deposit.status == REJECTED)


def _names_the_code(deposit: Deposit) -> bool:
    """Section 8: a rejected preAuthorisationCode is 604; only the message tells it from other invalid parameters."""
    return (
        deposit.failure_reason is not None and _CODE_FIELD in deposit.failure_reason.failure_message.lower()
    )


def _failure_word(deposit: Deposit) -> str:
    return "" if deposit.failure_reason is None else deposit.failure_reason.failure_code


def _of_another(deposit: Deposit, reference: str) -> bool:
    return deposit.deposit_id is not None and deposit.deposit_id.lower() != reference.lower()


def _another() -> Unknown:
    return Unknown("the answer is about another depositId", alert=True)


def _unreadable(answer: Answer) -> Unknown:
    """Passing troubles (5xx, 429) come and go; anything else that is not pawaPay's word wants a person."""
    return Unknown(
        f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
    )
