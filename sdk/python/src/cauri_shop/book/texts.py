"""What the return page tells a payer, in French and English."""

from __future__ import annotations

from dataclasses import dataclass

from .rows import Payment, State


@dataclass(frozen=True)
class PageText:
    """A title, one or two sentences, a tone (good, bad, wait, trouble) and whether the page reloads by itself."""

    title: str
    text: str
    tone: str
    refresh: bool


_FR = {
    "paid": ("Merci !", "Votre paiement est arrivé et votre commande est confirmée."),
    "again": ("Paiement reçu en double", "Cette commande était déjà payée. La boutique vous contacte pour le remboursement."),
    "refused": ("Paiement non abouti", "Le paiement n’a pas été accepté et rien n’est livré. Vous pouvez recommencer depuis la boutique."),
    "mismatch": ("Nous vérifions", "Quelqu’un de la boutique regarde votre paiement. Ne payez pas une deuxième fois."),
    "waiting": ("Paiement en cours", "Nous attendons la confirmation de votre paiement. Cette page se met à jour toute seule ; inutile de payer deux fois."),
    "closed": ("Paiement jamais ouvert", "Rien n’a été débité. Vous pouvez recommencer depuis la boutique."),
    "nowhere": ("Bienvenue", "Nous ne trouvons pas ce paiement. Ouvrez le lien reçu de la boutique, ou retournez à votre commande."),
}  # fmt: skip
_EN = {
    "paid": ("Thank you!", "Your payment arrived and your order is confirmed."),
    "again": ("Paid twice", "This order was already paid. The shop will contact you about a refund."),
    "refused": ("Payment not completed", "The payment was not accepted and nothing is delivered. You can try again from the shop."),
    "mismatch": ("We are checking", "Someone at the shop is looking at your payment. Please do not pay a second time."),
    "waiting": ("Payment in progress", "We are waiting for your payment to be confirmed. This page updates by itself; do not pay twice."),
    "closed": ("Payment never opened", "You were not charged. You can try again from the shop."),
    "nowhere": ("Welcome", "We cannot find this payment. Open the link that the shop sent you, or go back to your order."),
}  # fmt: skip
_TONES = {"paid": "good", "again": "trouble", "refused": "bad", "mismatch": "trouble", "waiting": "wait"}


def page(payment: Payment | None, lang: str = "fr") -> PageText:
    """The words for a payment as the book has it; `lang` is "fr" or "en", any other counts as French."""
    word = _word(payment)
    title, text = (_EN if lang.lower().startswith("en") else _FR)[word]
    return PageText(title, text, _TONES.get(word, "trouble"), word == "waiting")


def _word(payment: Payment | None) -> str:
    if payment is None:
        return "nowhere"
    if payment.paid:
        return "again" if payment.problem else "paid"
    return "waiting" if payment.state is State.OPENED else payment.state.value
