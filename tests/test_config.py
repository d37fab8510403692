"""Settings: file, environment, flags; every fault at once, each with its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cauri.config import BadSettings, Settings, load, read
from cauri.config.sources import LISTS, environment_values
from cauri.connectors import operators_of
from cauri.domain.methods import METHODS
from cauri.domain.money import Bounds

GOOD: dict[str, Any] = {
    "public_url": "https://pay.example.com",
    "database": "postgresql://cauri@localhost/cauri",
    "secret": "0123456789abcdef",
    "operators": {"pawapay": {"token": "t"}},
}

ORANGE = {"client_id": "i", "client_secret": "s", "merchant_key": "m"}


def test_few_settings_are_enough_and_the_others_have_the_documented_defaults() -> None:
    settings = read(GOOD)
    assert (settings.port, settings.workers, settings.private_notify_urls) == (8080, 1, False)
    assert (settings.limits.rate_per_key, settings.limits.failed_auth_per_address) == (200, 30)
    assert settings.limits.page_posts_per_address == 60
    assert settings.notifications.ports == ()
    assert settings.bounds_table["TG", "XOF"] == Bounds(150, 1_500_000)


FAULTS = [
    pytest.param(
        {"notifications": {"ports": [8443, 70_000]}}, ["notifications.ports: "], id="a port that is none"
    ),
    pytest.param(
        {"notifications": {"port": [1]}},
        ["notifications.port: there is no such setting; did you mean notifications.ports?"],
        id="a notification setting that is none",
    ),
    pytest.param({"public_url": None}, ["public_url: missing"], id="a missing setting"),
    pytest.param(
        {"public_url": None, "secret": None},
        ["public_url: missing", "secret: missing"],
        id="all missing ones at once",
    ),
    pytest.param(
        {"secret": "CHANGE-ME, at least 16 characters"},
        ["secret: still says CHANGE-ME"],
        id="a value left as in the example",
    ),
    pytest.param(
        {"operators": {"pawapay": {"token": "CHANGE-ME"}}},
        ["operators.pawapay.token: still says CHANGE-ME"],
        id="a token left as in the example",
    ),
    pytest.param({"secret": "short"}, ["secret: expected"], id="a secret that is too short"),
    pytest.param({"port": "eighty"}, ["port: expected"], id="a word for a number"),
    pytest.param({"port": 70_000}, ["port: expected"], id="a port beyond the last"),
    pytest.param({"prot": 80}, ["prot: there is no such setting; did you mean port?"], id="a mistyped name"),
    pytest.param(
        {"limits": {"rate_per_keys": 1}},
        ["limits.rate_per_keys: there is no such setting; did you mean limits.rate_per_key?"],
        id="a mistyped name in a table",
    ),
    pytest.param(
        {"operators": {"pawapay": {}}},
        ["operators.pawapay.token: missing"],
        id="an operator without its token",
    ),
    pytest.param({"operators": {}}, ["operators: none is configured"], id="no operator"),
    pytest.param(
        {"operators": {"pawapay": {"token": "t", "base_url": "ftp://x"}}},
        ["operators.pawapay.base_url: 'ftp://x' is no http(s) address"],
        id="an operator's address",
    ),
    pytest.param(
        {"public_url": "pay.example.com"},
        ["public_url: 'pay.example.com' is no http(s) address"],
        id="an address without scheme",
    ),
    pytest.param(
        {"public_url": "https://pay.example.com/?a=1"},
        ["public_url: must have neither ? nor #"],
        id="an address with a query",
    ),
    pytest.param({"database": "mysql://x"}, ["database: must begin with"], id="another database"),
    pytest.param(
        {"database": "sqlite:///x", "workers": 2},
        ["workers: SQLite has one serving process"],
        id="two workers on SQLite",
    ),
    pytest.param(
        {"trusted_proxies": ["10.0.0.0/8", "proxy"]},
        ["trusted_proxies: 'proxy' is neither"],
        id="a proxy that is no address",
    ),
    pytest.param(
        {"methods": {"OMX": "pawapay"}}, ["methods.OMX: no such payment method"], id="an unknown method"
    ),
    pytest.param(
        {"methods": {"FLOOZ": "moov_3pp"}},
        ["methods.FLOOZ: 'moov_3pp' is not a configured operator"],
        id="a method's operator that is not there",
    ),
    pytest.param(
        {"bounds": {"CI-EUR": [1, 2]}}, ["bounds.CI-EUR: write COUNTRY_CURRENCY"], id="bounds of nowhere"
    ),
    pytest.param(
        {"bounds": {"CI_XOF": [200, 100]}}, ["bounds.CI_XOF: the low bound"], id="bounds upside down"
    ),
    pytest.param({"bounds": {"CI_XOF": [100]}}, ["bounds: expected"], id="one bound only"),
    pytest.param({"log_format": "xml"}, ["log_format: invalid"], id="an unknown log format"),
    pytest.param({"limits": {"rate_per_key": -1}}, ["limits.rate_per_key: expected"], id="a negative limit"),
    pytest.param({"operators": "pawapay"}, ["operators: expected"], id="a word for a table"),
    pytest.param(
        {"operators": {"orange_webpay": {"CI": {"client_id": "i"}}}},
        [
            "operators.orange_webpay.CI.client_secret: missing",
            "operators.orange_webpay.CI.merchant_key: missing",
        ],
        id="half of Orange's credentials",
    ),
    pytest.param(
        {"operators": {"orange_webpay": {"client_id": "i"}}},
        ["operators.orange_webpay.client_id: must be a table named after a country"],
        id="Orange without its country",
    ),
    pytest.param(
        {"operators": {"orange_webpay": {"CI": {**ORANGE, "segment": "CI/../x"}}}},
        ["operators.orange_webpay.CI.segment: expected"],
        id="a segment that is none",
    ),
    pytest.param(
        {"operators": {"orange_webpay": {"CI": {**ORANGE, "failed_code": 602}}}},
        ["operators.orange_webpay.CI.failed_code: invalid"],
        id="a code that Orange's FAILED never means",
    ),
    pytest.param(
        {"operators": {"orange_webpay": {"CI": {**ORANGE, "base_url": "api.orange.com"}}}},
        ["operators.orange_webpay_ci.base_url: 'api.orange.com' is no http(s) address"],
        id="Orange's address",
    ),
    pytest.param(
        {"operators": {"orange_ompreq": {"merchant_msisdn": "+226 64", "username": "u", "password": "p"}}},
        ["operators.orange_ompreq.merchant_msisdn: expected"],
        id="a merchant's number that is none",
    ),
    pytest.param(
        {"operators": {"card_page": {"CI": {"base_url": "https://x"}}}},
        ["operators.card_page.CI.key: missing"],
        id="a card page without its key",
    ),
    pytest.param(
        {"operators": {"pawapay": {"token": "t", "signed_callbacks": "yes"}}},
        ["operators.pawapay.signed_callbacks: invalid"],
        id="signatures wanted in a word of one's own",
    ),
    pytest.param(
        {"operators": {"mtn": {"CI": {"subscription_key": "k", "api_user": "u"}}}},
        ["operators.mtn.CI.api_key: missing"],
        id="a country's table without one of its keys",
    ),
    pytest.param(
        {"operators": {"mtn": {"subscription_key": "k"}}},
        ["operators.mtn.subscription_key: must be a table named after a country"],
        id="a table of countries without a country",
    ),
    pytest.param(
        {"operators": {"wave": {"SN": {"api_key": "k", "webhook_secret": "s"}}}},
        [
            "operators.wave.SN.webhook_secret: there is no such setting; did you mean operators.wave.SN.webhook_secrets?"
        ],
        id="a mistyped name in a country's table",
    ),
    pytest.param(
        {"operators": {"wave": {"SN": {"api_key": "k", "webhook_secrets": "s"}}}},
        ["operators.wave.SN.webhook_secrets: expected"],
        id="a text for a list",
    ),
    pytest.param(
        {"operators": {"paygate": {"auth_token": ""}}},
        ["operators.paygate.auth_token: expected"],
        id="an empty token",
    ),
    pytest.param({"operators": "pawapay"}, ["operators: expected"], id="a word for a table"),
]


@pytest.mark.parametrize(("change", "told"), FAULTS)
def test_a_wrong_setting_is_named_with_its_remedy(change: dict[str, Any], told: list[str]) -> None:
    values = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(BadSettings) as caught:
        read(values)
    assert len(caught.value.faults) == len(told)
    for fault, beginning in zip(sorted(caught.value.faults), sorted(told), strict=True):
        assert fault.startswith(beginning)


def test_the_environment_overrides_the_file_and_flags_override_both(tmp_path: Path) -> None:
    file = tmp_path / "cauri.toml"
    file.write_text(
        'public_url = "https://a.example"\ndatabase = "postgresql://x/y"\nsecret = "0123456789abcdef"\nport = 1\n'
        '[operators.pawapay]\ntoken = "from the file"\n'
    )
    environment = {
        "CAURI_PORT": "2",
        "CAURI_OPERATORS__PAWAPAY__TOKEN": "from the environment",
        "CAURI_TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16",
        "CAURI_PRIVATE_NOTIFY_URLS": "true",
        "CAURI_NOTIFICATIONS__PORTS": "8443, 8080",
        "OTHER": "x",
    }
    settings = load(file, environment, host=None, port=3)
    assert settings.port == 3
    assert settings.operators.pawapay is not None
    assert settings.operators.pawapay.token == "from the environment"
    assert settings.trusted_proxies == ("10.0.0.1", "10.1.0.0/16")
    assert settings.private_notify_urls is True
    assert settings.notifications.ports == (8443, 8080)


def test_the_environment_knows_methods_and_bounds_by_any_case(tmp_path: Path) -> None:
    file = tmp_path / "cauri.toml"
    file.write_text(
        'public_url = "https://a.example"\ndatabase = "postgresql://x/y"\nsecret = "0123456789abcdef"\n[operators.pawapay]\ntoken = "t"\n'
    )
    environment = {
        "CAURI_METHODS__MOOVBF": "pawapay",
        "CAURI_BOUNDS__CI_XOF": "200, 300",
        "CAURI_APIKEY": "a shop's own variable",
    }
    settings = load(file, environment)
    assert settings.methods == {"MOOVBF": "pawapay"}
    assert settings.bounds_table["CI", "XOF"] == Bounds(200, 300)


def test_a_method_is_not_routed_to_an_operator_that_does_not_serve_it() -> None:
    with pytest.raises(BadSettings, match=r"methods\.OMML: pawapay does not serve it"):
        operators_of(read({**GOOD, "methods": {"OMML": "pawapay"}}))


def test_each_contract_makes_a_connector_and_an_operators_own_goes_before_an_aggregator() -> None:
    operators = operators_of(
        read(
            {
                **GOOD,
                "operators": {
                    "pawapay": {"token": "t", "signed_callbacks": "required"},
                    "orange_webpay": {country: ORANGE for country in ("ci", "ML", "GN", "CD", "CM")},
                    "orange_ompreq": {"merchant_msisdn": "64000000", "username": "u", "password": "p"},
                    "card_page": {"CI": {"base_url": "https://cards.example", "key": "k"}},
                },
                "methods": {"OMCD": "pawapay"},
            }
        )
    )
    serving = {
        method: found[0].name
        for method in ("OM", "OMML", "OMGN", "OMCM", "OMCD", "OMCDUSD", "OMBF", "OMSN", "VISAM", "VISAMCM")
        if (found := operators.serving(method))
    }
    assert serving == {
        "OM": "orange_webpay_ci",
        "OMML": "orange_webpay_ml",
        "OMGN": "orange_webpay_gn",
        "OMCM": "orange_webpay_cm",
        "OMCD": "pawapay",
        "OMCDUSD": "orange_webpay_cd",
        "OMBF": "orange_ompreq",
        "OMSN": "pawapay",
        "VISAM": "card_page_ci",
    }


@pytest.mark.parametrize(
    ("operators", "told"),
    [
        pytest.param(
            {"orange_webpay": {"SN": ORANGE}}, "orange_webpay serves CI, ML", id="a country without WebPay"
        ),
        pytest.param(
            {"card_page": {"SN": {"base_url": "https://x", "key": "k"}}},
            "card_page serves CI",
            id="a country without cards",
        ),
        pytest.param(
            {"pawapay": {"token": "t", "public_keys": ["x"]}},
            "public_keys must be PEM",
            id="a key that is none",
        ),
        pytest.param(
            {
                "orange_ompreq": {
                    "merchant_msisdn": "64000000",
                    "username": "u",
                    "password": "p",
                    "client_certificate": "/nowhere.pem",
                }
            },
            "both client_certificate and client_key",
            id="half a certificate",
        ),
    ],
)
def test_a_contract_that_cannot_work_is_told_before_anything_starts(
    operators: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadSettings, match=told):
        operators_of(read({**GOOD, "operators": operators}))


def _lists_in(table: type[msgspec.Struct]) -> set[str]:
    """The names of a table's settings that are lists, and of the tables below it."""
    found: set[str] = set()
    for field in msgspec.inspect.type_info(table).fields:  # type: ignore[attr-defined]
        if isinstance(field.type, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
            found.add(field.name)
        below = [field.type, *getattr(field.type, "types", ()), getattr(field.type, "value_type", None)]
        for kind in below:
            if isinstance(kind, msgspec.inspect.StructType):
                found |= _lists_in(kind.cls)
    return found


def test_every_list_can_be_written_in_the_environment() -> None:
    """With commas; those by method and by currency have no name of their own."""
    assert _lists_in(Settings) == LISTS
    values = environment_values(
        {"CAURI_OPERATORS__PAWAPAY__PUBLIC_KEYS": "one,two", "CAURI_STATEMENTS__MTN_CI__PAID": "OK"}
    )
    assert values["operators"]["pawapay"]["public_keys"] == ["one", "two"]
    assert values["statements"]["mtn_ci"]["paid"] == ["OK"]


def test_a_countrys_contract_can_come_from_the_environment() -> None:
    names = {f"CAURI_OPERATORS__ORANGE_WEBPAY__ML__{name.upper()}": value for name, value in ORANGE.items()}
    basics = {f"CAURI_{name.upper()}": value for name, value in GOOD.items() if isinstance(value, str)}
    settings = load(None, {**basics, **names})
    assert settings.operators.orange_webpay["ML"].merchant_key == "m"


MTN = {
    "subscription_key": "k",
    "api_user": "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
    "api_key": "a",
}
MOOV = {"base_url": "https://moov.example", "username": "u", "password": "p"}

CANNOT_WORK = [
    ({"mtn": {"SN": MTN}}, "operators: mtn_sn: MTN MoMo has no wallet there; it serves CI, CM, GN, BJ"),
    ({"mtn": {"CI": {**MTN, "api_user": "cauri"}}}, "operators: mtn_ci: api_user must be a UUID"),
    ({"wave": {"ML": {"api_key": "k"}}}, "operators: wave_ml: the wire has no Wave method there"),
    ({"moov_3pp": {"TG": MOOV}}, "operators: moov_3pp_tg: it serves CI, ML, BF"),
]


@pytest.mark.parametrize(("operators", "told"), CANNOT_WORK)
def test_a_countrys_operator_that_cannot_work_is_told_in_words(operators: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        operators_of(read({**GOOD, "operators": operators}))


def test_each_country_is_a_connector_and_an_operators_own_goes_before_an_aggregator() -> None:
    own = {"mtn": {"CI": MTN, "CM": MTN}, "wave": {"SN": {"api_key": "k"}}, "moov_3pp": {"BF": MOOV}}
    tables = {**own, "paygate": {"auth_token": "t"}, "pawapay": {"token": "t"}}
    operators = operators_of(read({**GOOD, "operators": tables, "methods": {"MTNCM": "pawapay"}}))
    assert set(operators.names) == {"mtn_ci", "mtn_cm", "wave_sn", "moov_3pp_bf", "paygate", "pawapay"}
    served = {method: found[0].name for method in METHODS if (found := operators.serving(method))}
    assert served["MOMO"] == "mtn_ci"
    assert (served["MTNCM"], served["WAVECI"], served["FLOOZTG"]) == ("pawapay", "pawapay", "paygate")
    assert (served["WAVESN"], served["MOOVBF"]) == ("wave_sn", "moov_3pp_bf")
    assert "MTNGN" not in served


def test_the_environment_reaches_a_countrys_table() -> None:
    environment = {
        **{f"CAURI_OPERATORS__MTN__CI__{name.upper()}": text for name, text in MTN.items()},
        "CAURI_OPERATORS__MTN__CI__CHECK_PAYER": "false",
        "CAURI_OPERATORS__WAVE__SN__API_KEY": "k",
        "CAURI_OPERATORS__WAVE__SN__WEBHOOK_SECRETS": "new, old",
        "CAURI_PUBLIC_URL": "https://a.example",
        "CAURI_DATABASE": "postgresql://x/y",
        "CAURI_SECRET": "0123456789abcdef",
    }
    operators = load(None, environment).operators
    assert operators.mtn["CI"].check_payer is False
    assert operators.wave["SN"].webhook_secrets == ("new", "old")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(b"port = ", "not TOML", id="not TOML"),
        pytest.param(b"\xff\xfe", "cannot be read", id="not text"),
    ],
)
def test_a_file_that_is_no_settings_file_is_told_in_words(tmp_path: Path, text: bytes, told: str) -> None:
    file = tmp_path / "cauri.toml"
    file.write_bytes(text)
    with pytest.raises(BadSettings, match=told):
        load(file, {})
