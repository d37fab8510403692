"""The first tables. Written by `manage.py makemigrations`."""
# ruff: noqa: RUF012 - this is how Django writes migrations

import django.db.models.deletion
from django.db import migrations, models

import shop.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=shop.models.new_order_id, max_length=12, primary_key=True, serialize=False
                    ),
                ),
                ("transaction_id", models.CharField(max_length=100, unique=True)),
                ("form_key", models.CharField(max_length=64, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("paid", "Paid"), ("cancelled", "Cancelled")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("amount", models.PositiveIntegerField(help_text="whole units of the currency")),
                ("currency", models.CharField(default="XOF", max_length=3)),
                ("customer_name", models.CharField(max_length=80)),
                ("customer_surname", models.CharField(max_length=80)),
                ("customer_phone", models.CharField(max_length=20)),
                ("customer_email", models.EmailField(blank=True, max_length=254)),
                ("payment_token", models.CharField(blank=True, max_length=200)),
                ("payment_url", models.URLField(blank=True, max_length=500)),
                ("payment_method", models.CharField(blank=True, max_length=40)),
                ("refused_code", models.CharField(blank=True, max_length=10)),
                (
                    "problem",
                    models.CharField(
                        blank=True, help_text="set when a person must look at this order", max_length=200
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("paid_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="shop.order",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("product_id", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=80)),
                ("price", models.PositiveIntegerField()),
                ("quantity", models.PositiveSmallIntegerField()),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="shop.order"
                    ),
                ),
            ],
        ),
    ]
