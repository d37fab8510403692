"""Django: `INSTALLED_APPS += ["cauri_shop.django"]`, `include("cauri_shop.django.urls")`, hooks in your app's payments.py.

`book` is the PaymentBook of the settings `CAURI_SHOP`, kept in the default database beside your own tables.
"""

from .book import DjangoBook, book

__all__ = ["DjangoBook", "book"]
