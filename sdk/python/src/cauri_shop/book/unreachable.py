"""The one error that a store names itself, so that doors answer 503 without knowing whose database it is."""


class StoreUnreachable(Exception):
    """The shop's database cannot be reached, or stayed locked: nothing was recorded, ask again. `__cause__` says why."""
