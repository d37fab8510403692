"""The mail and the SMS that a customer gets for a paid order. Both go to the console; put your provider here."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail

from .console import say
from .models import Order
from .templatetags.francs import francs


def sms(order: Order) -> None:
    """Tells the customer that the order is paid and on its way."""
    send_sms(
        order.customer_phone,
        f"Merci ! Commande {order.pk} payée ({francs(order.amount)}), livraison en route.",
    )


def mail(order: Order) -> None:
    """The same by mail, to who gave an address."""
    if order.customer_email:
        send_mail(f"Votre commande {order.pk} est payée", _letter(order), None, [order.customer_email])


def send_sms(phone: str, text: str) -> None:
    """Prints the SMS. The number is masked: a console ends in log files."""
    say(f"SMS to {'•' * max(0, len(phone) - 2)}{phone[-2:]}: {text}")


def _letter(order: Order) -> str:
    lines = "\n".join(
        f"  {line.quantity} × {line.name} : {francs(line.amount)}" for line in order.lines.all()
    )
    return (
        f"Bonjour {order.customer_surname},\n\nVotre paiement de {francs(order.amount)} est arrivé, merci.\n\n{lines}\n\n"
        f"Votre commande : {settings.BOUTIQUE_URL}/orders/{order.pk}\n\nLa boutique\n"
    )
