# mypy: ignore-errors
"""A provider for this API on django-payments, in the way of its own MercadoPago one: ask, then ``change_status`` to the answer."""

from cauri_shop import Checkout, PaymentState
from django.http import HttpResponse
from payments import PaymentStatus
from payments.core import BasicProvider

STATUS_MAP = {
    PaymentState.PAID: PaymentStatus.CONFIRMED,
    PaymentState.REFUSED: PaymentStatus.REJECTED,
    PaymentState.WAITING: PaymentStatus.WAITING,
}


class CheckoutProvider(BasicProvider):
    def __init__(self, apikey: str, site_id: str, secret_key: str, base_url: str) -> None:
        super().__init__()
        self._checkout = Checkout(apikey, site_id, secret_key, base_url)

    def process_data(self, payment, request):
        headers = request.headers
        self._checkout.read_notification(request.body, headers.get("Content-Type"), headers.get("x-token"))
        status = self._checkout.check(payment.transaction_id)
        if status.state in STATUS_MAP:
            payment.change_status(STATUS_MAP[status.state])
        return HttpResponse("Thanks")
