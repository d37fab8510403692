"""The shop on django-payments: its Payment model and a provider."""
