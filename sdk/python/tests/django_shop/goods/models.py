from django.db import models


class Sale(models.Model):
    """An order; nothing here guards it, so that only the book does."""

    ref = models.CharField(primary_key=True, max_length=100)
    status = models.CharField(max_length=20, default="waiting")


class Told(models.Model):
    """One row each time a hook or an effect ran. Nothing forbids repeats: the tests count them."""

    what = models.CharField(max_length=20)
    ref = models.CharField(max_length=100)
    key = models.CharField(max_length=255, blank=True)
