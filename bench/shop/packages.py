"""What the comparison needs beyond this repository's own environment, in a folder that is gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from bench.processes import output_of

DJANGO_PAYMENTS = "4.1.0"
_PIP = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target"]


@contextmanager
def rival_packages() -> Iterator[dict[str, str]]:
    """The environment variables with which a child imports django-payments. Raises Failed where pip cannot fetch it.

    Without its dependencies: Django is this environment's own, the same for both shops.
    """
    with tempfile.TemporaryDirectory(prefix="cauri-bench-packages-") as folder:
        if not _is_here():
            output_of(
                [
                    *_PIP,
                    folder,
                    "--no-deps",
                    f"django-payments=={DJANGO_PAYMENTS}",
                    "django-phonenumber-field>=8,<9",
                ]
            )
        if importlib.util.find_spec("psycopg") is None:
            output_of([*_PIP, folder, "psycopg[binary]>=3.1"])
        yield {"PYTHONPATH": os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))}


def _is_here() -> bool:
    try:
        return metadata.version("django-payments") == DJANGO_PAYMENTS
    except metadata.PackageNotFoundError:
        return False
