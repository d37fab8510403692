# mypy: ignore-errors
"""What django-payments asks a shop for: a model of its payments."""

from payments.models import BasePayment


class Payment(BasePayment):
    def get_failure_url(self) -> str:
        return "http://127.0.0.1:9/failure"

    def get_success_url(self) -> str:
        return "http://127.0.0.1:9/success"
