# mypy: disable-error-code="import-untyped"
"""The addresses of the shop on cauri-shop."""

from django.urls import include, path

urlpatterns = [path("cauri/", include("cauri_shop.django.urls"))]
