"""A developer's machine that hears what a running gateway tells a site: reads the feed over HTTP, forwards, remembers how far it is."""

from cauri.listening.gateway import GatewayFeed, Refused
from cauri.listening.kept import CannotKeep, InUse, Kept, NotOurs, kept_path
from cauri.listening.listener import Beginning, Listener

__all__ = [
    "Beginning",
    "CannotKeep",
    "GatewayFeed",
    "InUse",
    "Kept",
    "Listener",
    "NotOurs",
    "Refused",
    "kept_path",
]
