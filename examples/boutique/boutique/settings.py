"""The shop's settings. What differs between your laptop and the world comes from environment variables."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

# The gateway: the defaults are the sandbox's public ones.
CAURI_BASE_URL = os.environ.get("CAURI_BASE_URL", "http://127.0.0.1:8080")

# Where the gateway and the customers reach this shop; `serve` fills in its own port when the variable is not set.
BOUTIQUE_URL = os.environ.get("BOUTIQUE_URL", "http://127.0.0.1:8082").rstrip("/")

CAURI_SHOP = {
    "BASE_URL": CAURI_BASE_URL,
    "APIKEY": os.environ.get("CAURI_APIKEY", "cauri-sandbox-apikey"),
    "SITE_ID": os.environ.get("CAURI_SITE_ID", "445160"),
    "SECRET_KEY": os.environ.get("CAURI_SECRET_KEY", "cauri-sandbox-secret-key"),
    "PUBLIC_URL": BOUTIQUE_URL,
    "LANG": "fr",
}

# Without the variable a restart empties the baskets (never the orders).
SECRET_KEY = os.environ.get("BOUTIQUE_DJANGO_KEY") or secrets.token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", urlsplit(BOUTIQUE_URL).hostname or "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [BOUTIQUE_URL]
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BOUTIQUE_URL.startswith("https://")

INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.staticfiles", "cauri_shop.django", "shop"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "boutique.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "shop.basket.in_template"]
        },
    }
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BOUTIQUE_DB", str(BASE_DIR / "boutique.sqlite3")),
        # IMMEDIATE: two notifications at once wait for each other instead of failing with "database is locked".
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = "Boutique Cauri <boutique@example.org>"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler"},
        "console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # What the payment book does, one line each, for whoever reads along.
        "cauri_shop.book": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django": {"handlers": [], "level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
