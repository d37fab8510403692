"""The Django application."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CauriShopConfig(AppConfig):
    """Finds the shop's hooks: the module `payments` of each installed application, as the admin finds its own."""

    name = "cauri_shop.django"
    label = "cauri_shop"
    verbose_name = "Mobile-money payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the system checks and imports the hooks."""
        from . import checks  # noqa: F401

        autodiscover_modules("payments")
