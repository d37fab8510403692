"""The ``[operators.…]`` tables: one for each contract with an operator."""

from __future__ import annotations

import msgspec

from cauri.config.values import Text


class PawaPaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``token`` is the API token of pawaPay's dashboard."""

    token: Text
    base_url: Text = "https://api.pawapay.io"


class Moov3ppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Address and account come with the contract; ``hash_header`` for the older gateways that want it."""

    base_url: Text
    username: Text
    password: Text
    hash_header: bool = False


class OperatorsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pawapay: PawaPaySettings | None = None
    moov_3pp: Moov3ppSettings | None = None

    @property
    def connectors(self) -> dict[str, msgspec.Struct]:
        """The configured tables by their connector's name: ``pawapay``; of a table of countries ``mtn_ci``, ``mtn_cm`` …"""
        found: dict[str, msgspec.Struct] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, dict):
                found |= {f"{name}_{country.lower()}": table for country, table in value.items()}
            elif value is not None:
                found[name] = value
        return found
