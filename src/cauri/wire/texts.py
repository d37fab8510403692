"""What the ``description`` of an error says, in French and in English: which field, what is wrong, what to do (contract section 5).

French is the default; English is chosen by Accept-Language. ``{field}`` and the values of a Fault fill the texts.
"""

from __future__ import annotations

from collections.abc import Mapping

from cauri.domain.errors import (
    AmountTooHigh,
    AmountTooLow,
    BodyTooLarge,
    CauriError,
    CurrencyNotEnabled,
    FaultyFields,
    IdempotencyMismatch,
    LockedPhoneElsewhere,
    LockedPhoneInvalid,
    PaymentNotFound,
    SiteClosed,
    StoreUnavailable,
    TooManyRequests,
    TransactionIdUsed,
    UnknownApikey,
    UnknownSite,
    UnsupportedMediaType,
)

FRENCH, ENGLISH = 0, 1

Text = tuple[str, str]

# What a merchant wrote is quoted so far in an error's text.
_SHOWN = 40

RULES: dict[str, Text] = {
    "missing": (
        "le champ « {field} » est obligatoire : ajoutez-le à la requête",
        "the field “{field}” is required: add it to the request",
    ),
    "one_of_names": (
        "le champ « transaction_id » est obligatoire : envoyez-le, ou bien « payment_token »",
        "the field “transaction_id” is required: send it, or “payment_token” instead",
    ),
    "text": (
        "« {field} » doit être un texte : envoyez une chaîne de caractères ou un nombre entier",
        "“{field}” must be text: send a string or a whole number",
    ),
    "fraction": (
        "« {field} » est un nombre à virgule : envoyez un texte ou un nombre entier",
        "“{field}” is a number with a fraction: send text or a whole number",
    ),
    "integer": (
        "« {field} » doit être un nombre entier, sans décimales ni séparateurs, par exemple 1500",
        "“{field}” must be a whole number without decimals or separators, for example 1500",
    ),
    "multiple_of": (
        "« {field} » doit être un multiple de {step} : envoyez {lower} ou {higher}",
        "“{field}” must be a multiple of {step}: send {lower} or {higher}",
    ),
    "currency": (
        "« {field} » doit être l'une des devises {currencies}",
        "“{field}” must be one of {currencies}",
    ),
    "too_long": (
        "« {field} » compte {length} caractères : {longest} au plus sont acceptés",
        "“{field}” has {length} characters: at most {longest} are accepted",
    ),
    "printable": (
        "« {field} » contient des caractères non imprimables : retirez les sauts de ligne, tabulations et caractères de contrôle",
        "“{field}” contains characters that cannot be printed: remove line breaks, tabs and control characters",
    ),
    "space_at_ends": (
        "« {field} » commence ou finit par une espace : retirez-la",
        "“{field}” begins or ends with a space: remove it",
    ),
    "nul": (
        "« {field} » contient le caractère U+0000, qui n'est pas accepté : retirez-le",
        "“{field}” contains the character U+0000, which is not accepted: remove it",
    ),
    "url": (
        "« {field} » doit être une adresse complète en http ou https, par exemple https://www.exemple.com/retour",
        "“{field}” must be a complete http or https address, for example https://www.example.com/return",
    ),
    "switch": (
        "« {field} » doit valoir true, false, 1 ou 0",
        "“{field}” must be true, false, 1 or 0",
    ),
    "channels": (
        "« {field} » accepte {channels} : un seul de ces mots, ou plusieurs séparés par des virgules",
        "“{field}” accepts {channels}: one of these words, or several separated by commas",
    ),
    "no_method": (
        "« {field} » ({channels}) ne laisse aucun moyen de paiement en {currency} : aucun opérateur connecté au site ne l'offre ; "
        "choisissez d'autres canaux ou une autre devise",
        "“{field}” ({channels}) leaves no payment method in {currency}: no operator connected to the site offers one; "
        "choose other channels or another currency",
    ),
    "pairs": (
        '« {field} » doit être un objet dont chaque valeur est un texte ou un nombre entier, par exemple {{"Facture": "F-12"}}',
        '“{field}” must be an object whose values are text or whole numbers, for example {{"Invoice": "F-12"}}',
    ),
    "too_many_pairs": (
        "« {field} » contient {count} paires : {most} au plus sont acceptées",
        "“{field}” has {count} pairs: at most {most} are accepted",
    ),
    "long_pair": (
        "« {field} » : un libellé ou une valeur compte au plus {longest} caractères",
        "“{field}”: a label or a value has at most {longest} characters",
    ),
    "idempotency_key": (
        "l'en-tête « {field} » doit compter de 1 à 255 caractères ASCII imprimables",
        "the header “{field}” must have 1 to 255 printable ASCII characters",
    ),
    "idempotency_twice": (
        "l'en-tête « {field} » est présent plusieurs fois : envoyez-le une seule fois",
        "the header “{field}” is there more than once: send it once",
    ),
    "body_empty": (
        "le corps de la requête est vide : envoyez les champs en JSON ou en formulaire",
        "the request body is empty: send the fields as JSON or as a form",
    ),
    "body_json": (
        "le corps n'est pas du JSON valide (ligne {line}, colonne {column}) : vérifiez les guillemets, virgules et accolades",
        "the body is not valid JSON (line {line}, column {column}): check quotes, commas and braces",
    ),
    "body_number": (
        "le corps contient un nombre que le JSON ne permet pas ou qui est démesuré : envoyez des nombres ordinaires",
        "the body contains a number that JSON does not allow or that is far too large: send ordinary numbers",
    ),
    "body_surrogate": (
        "le corps contient un demi-caractère Unicode isolé (\\ud800 à \\udfff) : envoyez le texte complet en UTF-8",
        "the body contains a lone Unicode surrogate (\\ud800 to \\udfff): send the complete text as UTF-8",
    ),
    "body_object": (
        "le corps JSON doit être un objet : mettez les champs entre accolades",
        "the JSON body must be an object: put the fields between braces",
    ),
    "body_deep": (
        "le corps JSON est imbriqué trop profondément : aplatissez ses objets et ses listes",
        "the JSON body is nested too deeply: flatten its objects and lists",
    ),
    "body_encoding": (
        "le corps n'est pas de l'UTF-8 valide : encodez-le en UTF-8",
        "the body is not valid UTF-8: encode it as UTF-8",
    ),
    "body_form": (
        "le formulaire a trop de champs : envoyez seulement ceux de l'API",
        "the form has too many fields: send only those of the API",
    ),
}

ERRORS: dict[type[CauriError], Text] = {
    BodyTooLarge: (
        "Le corps de la requête dépasse 64 Kio : envoyez seulement les champs de l'API.",
        "The request body is larger than 64 KiB: send only the fields of the API.",
    ),
    UnsupportedMediaType: (
        "L'en-tête « Content-Type » doit être application/json ou application/x-www-form-urlencoded.",
        "The header “Content-Type” must be application/json or application/x-www-form-urlencoded.",
    ),
    TooManyRequests: (
        "Trop de requêtes : attendez {retry_after_s} s avant de réessayer (en-tête « Retry-After »).",
        "Too many requests: wait {retry_after_s} s before you try again (header “Retry-After”).",
    ),
    FaultyFields: (
        "Requête incomplète ou invalide : {faults}.",
        "Incomplete or invalid request: {faults}.",
    ),
    UnknownApikey: (
        "Le champ « apikey » ne correspond à aucune clé active : copiez celle de votre espace marchand.",
        "The field “apikey” matches no active key: copy the one of your merchant account.",
    ),
    UnknownSite: (
        "Le champ « site_id » ne désigne aucun site de cette clé : vérifiez l'identifiant du site et la clé.",
        "The field “site_id” names no site of this key: check the site's identifier and the key.",
    ),
    SiteClosed: (
        "Ce site (« site_id ») est fermé ou suspendu et n'ouvre plus de paiement : contactez votre prestataire de paiement.",
        "This site (“site_id”) is closed or suspended and opens no more payments: contact your payment provider.",
    ),
    CurrencyNotEnabled: (
        "La devise {currency} (« currency ») n'est pas activée pour ce site : utilisez {enabled}.",
        "The currency {currency} (“currency”) is not enabled for this site: use {enabled}.",
    ),
    AmountTooLow: (
        "Le montant (« amount ») est trop bas : envoyez au moins {low} {currency}.",
        "The amount (“amount”) is too low: send at least {low} {currency}.",
    ),
    AmountTooHigh: (
        "Le montant (« amount ») est trop élevé : envoyez au plus {high} {currency}.",
        "The amount (“amount”) is too high: send at most {high} {currency}.",
    ),
    LockedPhoneElsewhere: (
        "« lock_phone_number » vaut true mais le pays de « customer_phone_number » ({country}) ne peut pas payer {amount} {currency} "
        "sur ce site : envoyez un numéro d'un pays qui le peut, ou ne verrouillez pas le numéro.",
        "“lock_phone_number” is true but the country of “customer_phone_number” ({country}) cannot pay {amount} {currency} on this "
        "site: send a number of a country that can, or do not lock the number.",
    ),
    LockedPhoneInvalid: (
        "« lock_phone_number » vaut true mais « customer_phone_number » n'est pas un numéro valide : envoyez-le au format "
        "international, par exemple +2250102324373.",
        "“lock_phone_number” is true but “customer_phone_number” is not a valid number: send it in international format, "
        "for example +2250102324373.",
    ),
    TransactionIdUsed: (
        "Ce « transaction_id » a déjà servi pour ce site : choisissez-en un nouveau pour chaque paiement.",
        "This “transaction_id” was already used by this site: choose a new one for each payment.",
    ),
    IdempotencyMismatch: (
        "Cet en-tête « Idempotency-Key » a déjà servi pour ce « transaction_id » avec un autre corps : renvoyez le corps d'origine, "
        "ou changez de « transaction_id ».",
        "This “Idempotency-Key” header was already used for this “transaction_id” with another body: send the original body again, "
        "or change the “transaction_id”.",
    ),
    PaymentNotFound: (
        "Aucun paiement de ce site ne porte ce « transaction_id » ni ce « payment_token » : vérifiez la valeur et le « site_id ».",
        "No payment of this site bears this “transaction_id” or “payment_token”: check the value and the “site_id”.",
    ),
    StoreUnavailable: (
        "Le service est momentanément indisponible : réessayez dans quelques secondes (en-tête « Retry-After »).",
        "The service is temporarily unavailable: try again in a few seconds (header “Retry-After”).",
    ),
}

MAYBE_RECORDED: Text = (
    "Le service est momentanément indisponible et la requête a peut-être été enregistrée : vérifiez-la avec /v2/payment/check, ou "
    "renvoyez-la avec le même en-tête « Idempotency-Key ».",
    "The service is temporarily unavailable and the request may have been recorded: check it with /v2/payment/check, or send it "
    "again with the same “Idempotency-Key” header.",
)
OUR_BUG: Text = (
    "Erreur interne de notre côté : réessayez, et si elle persiste donnez-nous la référence {error_id}.",
    "An internal error on our side: try again, and if it persists tell us the reference {error_id}.",
)
NO_SUCH_PATH: Text = (
    "Cette adresse n'existe pas : utilisez POST /v2/payment ou POST /v2/payment/check.",
    "This address does not exist: use POST /v2/payment or POST /v2/payment/check.",
)
WRONG_METHOD: Text = (
    "Cette adresse n'accepte que la méthode POST.",
    "This address accepts only the method POST.",
)


def describe(error: CauriError, language: int) -> str:
    """The description of an error. ``language``: FRENCH or ENGLISH."""
    if isinstance(error, FaultyFields):
        values = {
            "faults": "; ".join(
                _fault_text(fault.field, fault.rule, dict(fault.values), language) for fault in error.faults
            )
        }
        return ERRORS[FaultyFields][language].format_map(values)
    if isinstance(error, StoreUnavailable) and error.maybe_recorded:
        return MAYBE_RECORDED[language]
    return ERRORS[type(error)][language].format_map(_values_of(error))


def _fault_text(field: str, rule: str, values: Mapping[str, str], language: int) -> str:
    return RULES[rule][language].format(**{**values, "field": field})


def _values_of(error: CauriError) -> dict[str, str]:
    """The error's own facts: amounts, currencies, seconds."""
    values = {
        name: str(value)[:_SHOWN] for name, value in vars(error).items() if not isinstance(value, tuple)
    }
    if isinstance(error, CurrencyNotEnabled):
        values["enabled"] = ", ".join(error.enabled)
    return values


def language_of(accept_language: str) -> int:
    """ENGLISH where the reader prefers it to French, FRENCH otherwise (and for a header that says nothing about either)."""
    weights = {"fr": 0.0, "en": 0.0}
    for item in accept_language[:1_000].split(","):
        tag, _, parameters = item.strip().lower().partition(";")
        primary = tag.strip().partition("-")[0]
        if primary in weights:
            weights[primary] = max(weights[primary], _quality(parameters))
    return ENGLISH if weights["en"] > weights["fr"] else FRENCH


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
