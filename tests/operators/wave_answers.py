"""What Wave may say, from the reference's section 3."""

from __future__ import annotations

from scripted_operator import REFERENCE

from cauri.clock import ManualClock
from cauri.operators.wave import Wave

API_KEY = "wave_sn_prod_a-key"
OLD, NEW = "wave_sn_WHS_old", "wave_sn_WHS_new"
ID = "cos-1b01sghpg100j"
PAGE = f"https://pay.wave.com/c/{ID}"
MADE = "POST /v1/checkout/sessions"
BY_ID = f"GET /v1/checkout/sessions/{ID}"
SEARCH = "GET /v1/checkout/sessions/search"
EXPIRE = f"POST /v1/checkout/sessions/{ID}/expire"


def wave_of(operator, clock=None, country="SN", **changes):
    return Wave(country, API_KEY, clock=clock or ManualClock(), **{"base_url": operator.url, **changes})


def session(checkout="open", payment="processing", **more):
    return {
        "id": ID,
        "amount": "1500",
        "currency": "XOF",
        "business_name": "Boutique",
        "client_reference": REFERENCE,
        "checkout_status": checkout,
        "payment_status": payment,
        "last_payment_error": None,
        "success_url": "https://x",
        "error_url": "https://x",
        "wave_launch_url": PAGE,
        "when_created": "2026-01-01T00:00:00Z",
        "when_expires": "2026-01-01T00:30:00Z",
        **more,
    }


def paid(**more):
    told = {"transaction_id": "TCN4Y4ZC3FM", "when_completed": "2026-01-01T00:01:02Z"}
    return session("complete", "succeeded", **{**told, **more})


def trouble(code, **more):
    return {"code": code, "message": "x", **more}
