"""The simulated operators as the sandbox and the tests use them: their accounts, and the settings that match them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from cauri.config import (
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
from cauri.simulator.app import Dialect
from cauri.simulator.dialects.card_page import CardPage
from cauri.simulator.dialects.moov_3pp import Moov3pp
from cauri.simulator.dialects.mtn import Mtn, MtnAccount
from cauri.simulator.dialects.orange_burkina import OrangeBurkina
from cauri.simulator.dialects.orange_webpay import OrangeWebPay
from cauri.simulator.dialects.pawapay import PawaPay
from cauri.simulator.dialects.paygate import PayGate, PayGateAccount
from cauri.simulator.dialects.wave import Wave, WaveAccount, WaveWebhook
from cauri.simulator.exchange import Exchange

# The gateway's accounts with the simulated operators: public knowledge, like the sandbox's own keys.
PAWAPAY_TOKEN = "sandbox-pawapay-token"  # noqa: S105
USER, PASSWORD = "cauri", "sandbox-operator-password"
MERCHANT = "64000001"
CARD_KEY = "sandbox-card-page-key"
PAYGATE_TOKEN = "sandbox-paygate-token"  # noqa: S105
WAVE_SECRET = "sandbox-wave-webhook-secret"  # noqa: S105
API_USER = "5a0dc3c2-0000-4000-8000-0000000000{:02d}"
MTN_ENVIRONMENTS = {
    "CI": "mtnivorycoast",
    "CM": "mtncameroon",
    "GN": "mtnguineaconakry",
    "BJ": "mtnbenin",
}
MOOV_COUNTRIES = ("CI", "BF", "ML")
WEBPAY_COUNTRIES = ("CI", "ML", "GN", "CM", "CD")
WAVE_COUNTRIES = {"CI": "+2250700000001", "SN": "+221770000001"}
CARD_COUNTRIES = ("CI", "CM", "CD")

# By default an operator's own connector goes before an aggregator. The sandbox keeps to pawaPay where that spares the payer a page.
METHODS = {
    method: "pawapay"
    for method in (
        "OM", "MOMO", "WAVECI", "WAVESN", "OMBF", "OMCM", "MTNCM", "MTNBJ", "OMCD", "OMCDUSD"
    )
}  # fmt: skip


def simulated_settings(operators_url: str) -> OperatorsSettings:
    """Every operator, where the simulated ones answer. ``operators_url`` has no slash at its end."""
    return OperatorsSettings(
        pawapay=PawaPaySettings(base_url=f"{operators_url}/pawapay", token=PAWAPAY_TOKEN),
        moov_3pp=dict.fromkeys(
            MOOV_COUNTRIES,
            Moov3ppSettings(base_url=f"{operators_url}/moov", username=USER, password=PASSWORD),
        ),
        mtn={country: _mtn(operators_url, country) for country in MTN_ENVIRONMENTS},
        orange_webpay={country: _webpay(operators_url, country) for country in WEBPAY_COUNTRIES},
        orange_ompreq=OrangeOmpreqSettings(
            base_url=f"{operators_url}/orange-burkina/payment",
            username=USER,
            password=PASSWORD,
            merchant_msisdn=MERCHANT,
        ),
        wave={
            country: WaveSettings(
                base_url=f"{operators_url}/wave",
                api_key=_key("wave", country),
                webhook_secrets=(WAVE_SECRET,),
            )
            for country in WAVE_COUNTRIES
        },
        paygate=PayGateSettings(base_url=f"{operators_url}/paygate", auth_token=PAYGATE_TOKEN),
        card_page=dict.fromkeys(
            CARD_COUNTRIES, CardPageSettings(base_url=f"{operators_url}/card-page", key=CARD_KEY)
        ),
    )


def simulated_operators(operators_url: str, gateway_url: str) -> list[Callable[[Exchange], Dialect]]:
    """Every dialect with the accounts of ``simulated_settings``. ``gateway_url``: where the operators call back."""
    callbacks = f"{gateway_url}/operators/{{}}/callback"
    merchant_keys = {country.lower(): _key("merchant", country) for country in WEBPAY_COUNTRIES}
    paygate = PayGateAccount(PAYGATE_TOKEN, callbacks.format("paygate"))
    return [
        lambda exchange: PawaPay(exchange, PAWAPAY_TOKEN, operators_url, callbacks.format("pawapay")),
        lambda exchange: Moov3pp(exchange, {USER: PASSWORD}),
        lambda exchange: Mtn(exchange, [_mtn_account(country, gateway_url) for country in MTN_ENVIRONMENTS]),
        lambda exchange: OrangeWebPay(exchange, USER, PASSWORD, merchant_keys, operators_url),
        lambda exchange: OrangeBurkina(exchange, USER, PASSWORD, MERCHANT),
        lambda exchange: Wave(
            exchange,
            [_wave_account(country, callbacks) for country in WAVE_COUNTRIES],
            operators_url,
            plain_http=True,
        ),
        lambda exchange: PayGate(exchange, [paygate]),
        lambda exchange: CardPage(exchange, CARD_KEY, operators_url),
    ]


def _key(what: str, country: str) -> str:
    return f"sandbox-{what}-key-{country.lower()}"


def _api_user(country: str) -> str:
    return API_USER.format(list(MTN_ENVIRONMENTS).index(country) + 1)


def _mtn(operators_url: str, country: str) -> MtnSettings:
    return MtnSettings(
        base_url=f"{operators_url}/mtn",
        subscription_key=_key("subscription", country),
        api_user=_api_user(country),
        api_key=_key("mtn", country),
    )


def _mtn_account(country: str, gateway_url: str) -> MtnAccount:
    return MtnAccount(
        subscription_key=_key("subscription", country),
        environment=MTN_ENVIRONMENTS[country],
        api_user=_api_user(country),
        api_key=_key("mtn", country),
        callback_host=urlsplit(gateway_url).hostname,
        callback_scheme="http",
    )


def _webpay(operators_url: str, country: str) -> OrangeWebPaySettings:
    return OrangeWebPaySettings(
        base_url=f"{operators_url}/orange",
        client_id=USER,
        client_secret=PASSWORD,
        merchant_key=_key("merchant", country),
    )


def _wave_account(country: str, callbacks: str) -> WaveAccount:
    webhook = WaveWebhook(callbacks.format(f"wave_{country.lower()}"), signing_secrets=(WAVE_SECRET,))
    return WaveAccount(_key("wave", country), default_payer=WAVE_COUNTRIES[country], webhooks=(webhook,))
