"""Whatever is sent, a simulated operator and the control plane answer in their own words; nothing ends in an exception."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauri.clock import ManualClock
from cauri.simulator.control import payments
from cauri.simulator.control.reading import Mistake, moment
from cauri.simulator.dialects import orange_burkina
from cauri.simulator.dialects.card_page import CardPage, cards
from cauri.simulator.dialects.card_page import rules as card_rules
from cauri.simulator.dialects.orange_burkina import OrangeBurkina
from cauri.simulator.dialects.orange_webpay import OrangeWebPay
from cauri.simulator.dialects.orange_webpay import rules as webpay_rules
from cauri.simulator.dialects.orange_webpay.countries import COUNTRIES, read_phone
from cauri.simulator.dialects.orange_webpay.words import Refused
from cauri.simulator.exchange import Exchange
from cauri.simulator.faults import Weather
from cauri.simulator.received import without_secrets

from .conftest import TOKEN, Start

# The first draw of a run builds tables of characters, which may take seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def bodies(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, each with a likely value or with anything."""
    likely = st.sampled_from(
        ["1500", 1500, "XOF", "ci", "https://shop.example/x", "order-1", "+2250700000001", "CI", "a@b.c"]
    )
    return st.fixed_dictionaries({}, optional={name: likely | JSON for name in names})


CUSTOMER = bodies(*card_rules._CUSTOMER)


@PATIENT
@given(bodies(*card_rules._FIELDS), CUSTOMER)
def test_a_card_session_is_read_or_refused(body: dict[str, Any], customer: dict[str, Any]) -> None:
    for each in (body, {**body, "customer": customer}):
        with contextlib.suppress(card_rules.Refused):
            assert card_rules.read_session(each).reference == each["reference"]


@PATIENT
@given(
    bodies(*webpay_rules._MANDATORY, *webpay_rules._OPTIONAL),
    st.sampled_from(sorted(COUNTRIES)),
    st.booleans(),
)
def test_a_webpay_payment_is_read_or_refused(body: dict[str, Any], segment: str, public: bool) -> None:
    with contextlib.suppress(Refused):
        assert webpay_rules.read_payment(body, segment, public_urls_only=public).amount > 0


@PATIENT
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<COMMAND>{text}</COMMAND>".encode())
)
def test_a_command_of_burkina_is_read_or_refused(body: bytes) -> None:
    operator = OrangeBurkina(Exchange(ManualClock(), 0), "u", "p", "76000001")
    with pytest.raises(orange_burkina.Refused):
        operator._read(body)


@PATIENT
@given(bodies("outcome", "delay_s", "callback", "answer", "amount", "currency"), st.text(max_size=30))
def test_a_story_and_a_moment_are_read_or_refused(body: dict[str, Any], text: str) -> None:
    with contextlib.suppress(Mistake):
        payments.read_story({name: value for name, value in body.items() if value is not None})
    with contextlib.suppress(Mistake):
        moment({"from": text}, "from", ends=True)


@PATIENT
@given(st.text(max_size=30), st.integers(0, 2**53), st.floats(0, 1), st.binary(max_size=200), JSON)
def test_what_people_type_is_read_without_surprise(
    typed: str, seed: int, chance: float, body: bytes, content: Any
) -> None:
    for segment in (None, *COUNTRIES):
        phone = read_phone(typed, segment)
        assert phone is None or (phone.isascii() and phone.isdigit())
    cards.card_number(typed)
    cards.is_current(typed, 1_790_000_000_000)
    cards.is_cvc(typed)
    assert Weather(seed, drop=chance).fault("pawapay", "start", 1) in (None, "drop_before", "drop_after")
    without_secrets(body)
    without_secrets(json.dumps(content).encode())


NONSENSE = [
    b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe\x00", b"a=b&a=c", b"<COMMAND/>", b"[" * 9_000, b'{"a": 1e999}',
    b'{"amount": {"a": []}, "phone": [], "reference": {}, "limits": 5, "operators": {}, "outcomes": {}, "door": []}',
    b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\nb\r\n--x--",
]  # fmt: skip
KINDS = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/xml",
    "",
]


@pytest.mark.parametrize("body", NONSENSE)
async def test_no_door_breaks_on_nonsense(start: Start, body: bytes) -> None:
    def webpay(exchange: Any, url: str) -> OrangeWebPay:
        return OrangeWebPay(exchange, "client", "secret", {"ci": "key"}, url)

    def burkina(exchange: Any, url: str) -> OrangeBurkina:
        return OrangeBurkina(exchange, "u", "p", "76000001")

    def card_page(exchange: Any, url: str) -> CardPage:
        return CardPage(exchange, TOKEN, url)

    basic = "Basic " + base64.b64encode(b"client:secret").decode()
    async with start(dialects=[webpay, burkina, card_page]) as sim:
        async with sim.http.post(
            sim.url + "/orange/oauth/v3/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": basic},
        ) as answer:
            bearer = (await answer.json())["access_token"]
        _, doors = await sim.get("/_control/doors")
        control = [
            f"/_control/{name}"
            for name in ("story", "next", "settle", "wallet", "faults", "weather", "clock")
        ]
        for path in [*doors["paths"], *control]:
            concrete = path.replace("{segment}", "ci").replace("{", "").replace("}", "")
            token = bearer if "webpay" in path else TOKEN
            for kind in KINDS:
                headers = {"authorization": f"Bearer {token}", "content-type": kind, "idempotency-key": "x"}
                async with sim.http.post(
                    sim.url + concrete, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    assert answer.status < 500, (path, kind, await answer.text())
