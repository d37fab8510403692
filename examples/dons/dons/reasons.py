"""Why a payment did not succeed, as one would say it."""

from __future__ import annotations

_REASONS = {
    "602": "Le solde du compte mobile ne suffisait pas.",
    "604": "Le code de confirmation n’était pas le bon.",
    "627": "Le paiement a été annulé, ou le temps était écoulé.",
    "635": "Ce numéro n’a pas de compte mobile money.",
    "636": "Ce numéro n’a pas de compte mobile money.",
    "804": "L’opérateur ne répondait pas.",
}


def reason(code: str) -> str:
    """A sentence for a code of the gateway."""
    return _REASONS.get(code, "L’opérateur n’a pas accepté le paiement.")
