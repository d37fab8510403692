"""Words of the launch page."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Payer avec Wave",
        "to": "À",
        "from": "Depuis le compte",
        "number": "Votre numéro Wave, avec l’indicatif du pays",
        "approve": "Payer",
        "try": "Pour vos essais",
        "why": "Motif de l’échec",
        "fail": "Faire échouer",
        "abandon": "Abandonner",
        "open": "",
        "paying": "Paiement en cours. Rechargez la page pour voir la suite.",
        "paid": "Paiement réussi.",
        "over": "Ce paiement n’est plus possible. Recommencez depuis le site du marchand.",
        "failed": "Dernier essai échoué :",
        "back": "Retour au marchand",
        "unknown": "Cette page n’existe pas ou plus. Recommencez le paiement depuis le site du marchand.",
        "unread": "Votre réponse n’a pas été comprise. Utilisez les boutons de la page.",
        "bad_number": "Donnez le numéro en entier, avec l’indicatif du pays : +225 07 00 00 00 01.",
        "note": "Page simulée : aucun argent ne bouge.",
        "other": "English",
        "other_lang": "en",
    },
    "en": {
        "title": "Pay with Wave",
        "to": "To",
        "from": "From the account",
        "number": "Your Wave number, with its country's prefix",
        "approve": "Pay",
        "try": "For your tests",
        "why": "Why it fails",
        "fail": "Make it fail",
        "abandon": "Walk away",
        "open": "",
        "paying": "Payment under way. Reload the page to see what follows.",
        "paid": "Payment successful.",
        "over": "This payment is no longer possible. Start again from the merchant's site.",
        "failed": "The last try failed:",
        "back": "Back to the merchant",
        "unknown": "This page does not exist (any more). Start the payment again from the merchant's site.",
        "unread": "Your answer was not understood. Use the buttons of the page.",
        "bad_number": "Give the whole number, with its country's prefix: +225 07 00 00 00 01.",
        "note": "Simulated page: no money moves.",
        "other": "Français",
        "other_lang": "fr",
    },
}

ERRORS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "insufficient-funds": "solde insuffisant",
        "blocked-account": "compte bloqué",
        "cross-border-payment-not-allowed": "paiement depuis un autre pays",
        "customer-age-restricted": "client trop jeune",
        "kyb-limits-exceeded": "plafond dépassé",
        "payer-mobile-mismatch": "autre numéro que celui attendu",
        "payment-failure": "échec sans précision",
    },
    "en": {
        "insufficient-funds": "not enough balance",
        "blocked-account": "account blocked",
        "cross-border-payment-not-allowed": "payment from another country",
        "customer-age-restricted": "customer too young",
        "kyb-limits-exceeded": "limit exceeded",
        "payer-mobile-mismatch": "not the number that was expected",
        "payment-failure": "failure without a cause",
    },
}
"""Each `last_payment_error` of Wave's in the payer's words."""
