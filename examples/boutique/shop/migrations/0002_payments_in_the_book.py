"""The payments moved into cauri_shop's book; an order keeps what the shop alone knows."""
# ruff: noqa: RUF012 - this is how Django writes migrations

from django.db import migrations

_IN_THE_BOOK = (
    "paid_at", "payment_method", "payment_token", "payment_url", "problem", "refused_code", "transaction_id",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [migrations.RemoveField(model_name="order", name=name) for name in _IN_THE_BOOK]
