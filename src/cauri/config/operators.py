"""The ``[operators.…]`` tables: one for each contract with an operator."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.config.values import Text


class PawaPaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``token`` is the API token of pawaPay's dashboard.

    ``callback_url``: the deposit callback entered there, empty for PUBLIC_URL/operators/pawapay/callback. ``public_keys``: PEM texts.
    """

    token: Text
    base_url: Text = "https://api.pawapay.io"
    callback_url: str = ""
    signed_callbacks: Literal["required", "if_present"] = "if_present"
    public_keys: tuple[Text, ...] = ()


class OrangeWebPaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One country's contract. ``segment``: the country in the path, empty for its own two letters, ``dev`` for Orange's sandbox.

    ``failed_code``: what Orange's unexplained FAILED is told as.
    """

    client_id: Text
    client_secret: Text
    merchant_key: Text
    base_url: Text = "https://api.orange.com"
    segment: Annotated[str, Meta(pattern=r"^(?:[a-z]{2,10})?$")] = ""
    failed_code: Literal[600, 606] = 600


class OrangeOmpreqSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Orange Burkina. ``base_url`` is the whole address; the two files are the client certificate that some contracts want."""

    merchant_msisdn: Annotated[str, Meta(pattern=r"^(?:226)?[0-9]{8}$")]
    username: Text
    password: Text
    base_url: Text = "https://apiom.orange.bf"
    client_certificate: str = ""
    client_key: str = ""


class CardPageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One country's contract with an acquirer. ``key`` opens sessions and signs callbacks."""

    base_url: Text
    key: Text


class Moov3ppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Address and account come with the contract; ``hash_header`` for the older gateways that want it."""

    base_url: Text
    username: Text
    password: Text
    hash_header: bool = False


class MtnSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``subscription_key`` is the Collections product's; ``environment`` empty is the country's own."""

    subscription_key: Text
    api_user: Text
    api_key: Text
    base_url: Text = "https://proxy.momoapi.mtn.com"
    environment: str = ""
    check_payer: bool = True
    notify_payer: bool = False
    callbacks: bool = True


class WaveSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``webhook_secrets``: those valid now, in either security mode; ``signing_secret`` where Wave wants our requests signed."""

    api_key: Text
    base_url: Text = "https://api.wave.com"
    webhook_secrets: tuple[Text, ...] = ()
    signing_secret: str = ""
    restrict_payer: bool = False


class PayGateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``auth_token`` is the API key of PayGate's dashboard."""

    auth_token: Text
    base_url: Text = "https://paygateglobal.com"
    national_numbers: bool = False


class OperatorsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pawapay: PawaPaySettings | None = None
    moov_3pp: dict[str, Moov3ppSettings] = {}
    mtn: dict[str, MtnSettings] = {}
    wave: dict[str, WaveSettings] = {}
    paygate: PayGateSettings | None = None
    orange_webpay: dict[str, OrangeWebPaySettings] = {}
    orange_ompreq: OrangeOmpreqSettings | None = None
    card_page: dict[str, CardPageSettings] = {}

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
