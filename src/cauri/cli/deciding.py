"""What a person's decision needs of the engine."""

from __future__ import annotations

from cauri.clock import Clock
from cauri.lifecycle import Lifecycle, LifecycleSettings
from cauri.operators.registry import Operators
from cauri.store import Store


def lifecycle_without_operators(store: Store) -> Lifecycle:
    """The life of payments without any operator to call: enough for a person's decisions."""
    return Lifecycle(store, Operators([]), Clock(), LifecycleSettings(public_url=""))
