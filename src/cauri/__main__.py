"""``python -m cauri``."""

from cauri.cli import main

main()
