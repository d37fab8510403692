"""What the shop asks of a customer."""

from django import forms
from django.core.validators import RegexValidator

_phone = RegexValidator(r"^\+?[0-9][0-9 ]{7,18}$", "Un numéro de téléphone, par exemple 07 07 12 34 56.")


class CustomerForm(forms.Form):
    """Who ordered, and where the mail and the SMS go."""

    customer_surname = forms.CharField(
        label="Prénom", max_length=80, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    customer_name = forms.CharField(
        label="Nom", max_length=80, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    customer_phone = forms.CharField(
        label="Téléphone", max_length=20, validators=[_phone],
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel", "placeholder": "07 07 12 34 56"}),
    )  # fmt: skip
    customer_email = forms.EmailField(
        label="E-mail (facultatif)", required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
