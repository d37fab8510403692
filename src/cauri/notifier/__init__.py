"""Telling sites that their payments changed: one POST at a time for each payment, until it is heard or parked."""
