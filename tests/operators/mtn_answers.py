"""What MTN may say, from the reference's section 1."""

from __future__ import annotations

from scripted_operator import REFERENCE

from cauri.clock import ManualClock
from cauri.operators.mtn import Mtn

KEY, USER, API_KEY = (
    "subscription-key-1",
    "0b9a3f5e-5b1c-4f0e-8c2d-7a6e5d4c3b2a",
    "0123456789abcdef0123456789abcdef",
)
TOKEN = "POST /collection/token/"
PAY = "POST /collection/v1_0/requesttopay"
STATUS = "GET /collection/v1_0/requesttopay/"
ACCOUNT = "GET /collection/v1_0/accountholder/"
DELIVERY = f"POST /collection/v1_0/requesttopay/{REFERENCE}/deliverynotification"


def mtn_of(operator, clock=None, country="CI", **changes):
    return Mtn(
        country, KEY, USER, API_KEY, clock=clock or ManualClock(), **{"base_url": operator.url, **changes}
    )


def token(text="t0", expires_in=3600):
    return (200, {"access_token": text, "token_type": "access_token", "expires_in": expires_in})


def status(word="SUCCESSFUL", **more):
    return {
        "amount": "1500",
        "currency": "XOF",
        "externalId": REFERENCE,
        "payer": {"partyIdType": "MSISDN", "partyId": "2250749012966"},
        "payerMessage": "x",
        "payeeNote": "x",
        "status": word,
        **more,
    }


def paid(**more):
    return status(financialTransactionId="3091573982", **more)


def error(code, message=""):
    return {"code": code, "message": message}
