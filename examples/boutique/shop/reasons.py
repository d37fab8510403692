"""Why a payment did not succeed, in words for the customer. Decided by number, as everything about a payment."""

_REASONS = {
    "602": "Le solde du compte mobile ne suffisait pas.",
    "604": "Le code de confirmation n’était pas le bon.",
    "606": "L’opérateur a refusé : code, solde ou paiement répété trop vite.",
    "627": "Le paiement a été annulé.",
    "635": "Ce numéro n’a pas de compte mobile money.",
    "636": "Ce numéro n’est pas accepté pour ce paiement.",
    "641": "Le montant est trop petit pour cet opérateur.",
    "642": "Le montant est trop grand pour cet opérateur.",
    "603": "L’opérateur était indisponible.",
    "804": "L’opérateur était indisponible.",
} | dict.fromkeys(("807", "808", "809", "810", "811", "812"), "La limite de ce compte mobile est atteinte.")


def reason(code: str) -> str:
    """One French sentence for a refusal's code."""
    return _REASONS.get(code, "Le paiement n’a pas été accepté.")
