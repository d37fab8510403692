"""Settings: the file, then the environment (``CAURI_*``), then flags. Read once, frozen, and complete or refused.

``CAURI_DATABASE`` sets ``database``; a double underscore goes into a table: ``CAURI_OPERATORS__PAWAPAY__TOKEN``.
"""

from cauri.config.operators import (
    CardPageSettings,
    Moov3ppSettings,
    MtnSettings,
    OperatorsSettings,
    OrangeOmpreqSettings,
    OrangeWebPaySettings,
    PawaPaySettings,
    PayGateSettings,
    WaveSettings,
)
from cauri.config.reading import load, read
from cauri.config.settings import Limits, Routing, Settings
from cauri.config.statements import StatementSettings
from cauri.config.values import BadSettings
from cauri.domain.notifying import NotificationSettings

__all__ = [
    "BadSettings",
    "CardPageSettings",
    "Limits",
    "Moov3ppSettings",
    "MtnSettings",
    "NotificationSettings",
    "OperatorsSettings",
    "OrangeOmpreqSettings",
    "OrangeWebPaySettings",
    "PawaPaySettings",
    "PayGateSettings",
    "Routing",
    "Settings",
    "StatementSettings",
    "WaveSettings",
    "load",
    "read",
]
