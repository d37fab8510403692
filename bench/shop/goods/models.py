# mypy: disable-error-code="import-untyped, misc"
"""The deliveries, as naively as a shop writes them: nothing forbids a second one."""

from django.db import models


class Delivered(models.Model):
    order_ref = models.CharField(max_length=100)
