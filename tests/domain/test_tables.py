"""The tables of the contract, written down again: codes, methods, bounds, waits."""

from __future__ import annotations

import pytest

from cauri.clock import HOUR, MINUTE, SECOND
from cauri.domain.codes import BY_NUMBER, FAILURES, Code, Kind
from cauri.domain.methods import CHANNELS, METHODS, methods_in
from cauri.domain.money import CURRENCIES, DEFAULT_BOUNDS, Bounds, step_of, widest_bounds
from cauri.domain.notifying import NotificationSettings, gap_after
from cauri.domain.payment import (
    ATTEMPT_MOVES,
    OPEN_ATTEMPTS,
    PAYMENT_MOVES,
    AttemptStatus,
    PaymentStatus,
    slot_of,
    slot_of_token,
)
from cauri.domain.schedules import ask_gap

# Contract section 6.
CODES = """
00  SUCCES paid
600 PAYMENT_FAILED refused
602 INSUFFISENT_BALANCE refused
603 SERVICE_UNAVAILABLE refused
604 OTP_CODE_ERROR refused
606 INCORRECT_SETTINGS refused
623 WAITING_CUSTOMER_TO_VALIDATE waiting
627 TRANSACTION_CANCEL refused
635 ERROR_PHONE_NUMBER_NOT_FOUND refused
636 ERROR_PHONE_NUMBER_NOT_SUPPORTED refused
641 ERROR_AMOUNT_TOO_LOW refused
642 ERROR_AMOUNT_TOO_HIGH refused
662 WAITING_CUSTOMER_PAYMENT waiting
663 WAITING_CUSTOMER_OTP_CODE waiting
664 WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE waiting
804 OPERATOR_UNAVAILABLE refused
807 DAILY_MAX_NUMBER_TRANSACTION_REACHED refused
808 DAILY_MAX_AMOUNT_TRANSACTION_REACHED refused
809 MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED refused
810 MONTHLY_MAX_NUMBER_TRANSACTION_REACHED refused
811 WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED refused
812 WEEKLY_MAX_NUMBER_TRANSACTION_REACHED refused
"""

# Contract section 4.
METHODS_OF_COUNTRY = """
CI OM MOMO FLOOZ WAVECI VISAM
ML OMML MOOVML
SN OMSN FREESN WAVESN EXPRESSOSN
TG TmoneyTG FLOOZTG
BF OMBF MOOVBF
CM OMCM MTNCM EXPRESSUNIONCM VISAMCM
GN OMGN MTNGN
BJ MTNBJ MOOVBJ
CD OMCD MPESACD AIRTELCD OMCDUSD MPESACDUSD AIRTELCDUSD VISAMCDUSD
"""


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def test_the_codes_are_the_contracts() -> None:
    ours = [[code.number, code.message, code.kind.value] for code in Code]
    assert sorted(ours) == sorted(rows(CODES))
    assert len(ours) == 22


@pytest.mark.parametrize("number", [row[0] for row in rows(CODES)])
def test_a_code_is_found_by_its_number(number: str) -> None:
    code = Code.of(number)
    assert code.number == number
    assert BY_NUMBER[number] is code
    assert code.final == (code.kind is not Kind.WAITING)
    assert (code in FAILURES) == (code.kind is Kind.REFUSED)


@pytest.mark.parametrize("number", ["", "0", "000", "201", "608", "661", "SUCCES", " 00"])
def test_other_numbers_are_no_status(number: str) -> None:
    with pytest.raises(KeyError):
        Code.of(number)


def test_the_methods_are_the_contracts() -> None:
    assert [[method.country, method.code] for method in METHODS.values()] == [
        [country, code] for country, *codes in rows(METHODS_OF_COUNTRY) for code in codes
    ]


@pytest.mark.parametrize(
    ("country", "currency", "channels", "found"),
    [
        ("CI", "XOF", ("ALL",), "OM MOMO FLOOZ WAVECI VISAM"),
        ("CI", "XOF", ("MOBILE_MONEY",), "OM MOMO FLOOZ WAVECI"),
        ("CI", "XOF", ("WALLET",), "WAVECI"),
        ("CI", "XOF", ("CREDIT_CARD",), "VISAM"),
        ("CI", "XOF", ("WALLET", "CREDIT_CARD"), "WAVECI VISAM"),
        ("CI", "XAF", ("ALL",), ""),
        ("CD", "CDF", ("ALL",), "OMCD MPESACD AIRTELCD"),
        ("CD", "USD", ("ALL",), "OMCDUSD MPESACDUSD AIRTELCDUSD VISAMCDUSD"),
        ("CD", "USD", ("MOBILE_MONEY",), "OMCDUSD MPESACDUSD AIRTELCDUSD"),
        ("ML", "XOF", ("CREDIT_CARD",), ""),
        ("FR", "XOF", ("ALL",), ""),
    ],
)
def test_channels_choose_among_the_methods(
    country: str, currency: str, channels: tuple[str, ...], found: str
) -> None:
    assert [method.code for method in methods_in(country, currency, channels)] == found.split()


def test_there_are_four_channels() -> None:
    assert set(CHANNELS) == {"ALL", "MOBILE_MONEY", "WALLET", "CREDIT_CARD"}


def test_the_bounds_are_the_contracts() -> None:
    francs = dict.fromkeys(
        [("CI", "XOF"), ("ML", "XOF"), ("BF", "XOF"), ("BJ", "XOF")], Bounds(100, 1_500_000)
    )
    assert {
        **francs,
        ("SN", "XOF"): Bounds(100, 2_000_000),
        ("TG", "XOF"): Bounds(150, 1_500_000),
        ("CM", "XAF"): Bounds(100, 1_500_000),
        ("GN", "GNF"): Bounds(1_000, 15_000_000),
        ("CD", "CDF"): Bounds(100, 2_000_000),
        ("CD", "USD"): Bounds(1, 3_000),
    } == DEFAULT_BOUNDS


@pytest.mark.parametrize(
    ("countries", "currency", "widest"),
    [
        (("CI",), "XOF", Bounds(100, 1_500_000)),
        (("CI", "SN"), "XOF", Bounds(100, 2_000_000)),
        (("TG",), "XOF", Bounds(150, 1_500_000)),
        (("TG", "CI"), "XOF", Bounds(100, 1_500_000)),
        ((), "XOF", None),
        (("CI",), "USD", None),
    ],
)
def test_initialisation_applies_the_widest_bounds(
    countries: tuple[str, ...], currency: str, widest: Bounds | None
) -> None:
    assert widest_bounds(DEFAULT_BOUNDS, countries, currency) == widest


def test_amounts_are_multiples_of_five_but_for_dollars() -> None:
    assert {currency: step_of(currency) for currency in CURRENCIES} == {
        "XOF": 5,
        "XAF": 5,
        "CDF": 5,
        "GNF": 5,
        "USD": 1,
    }


# Contract section 8: after 1, 2, 3, 5, 8, 13, 21, 34 s, then every 60 s to 30 min, 5 min to 6 h, hourly.
@pytest.mark.parametrize(
    ("elapsed", "gap"),
    [
        (0, SECOND),
        (899, 101),
        (900, 1100),
        (33 * SECOND, MINUTE),
        (1 * SECOND, SECOND),
        (2 * SECOND, SECOND),
        (3 * SECOND, 2 * SECOND),
        (5 * SECOND, 3 * SECOND),
        (8 * SECOND, 5 * SECOND),
        (13 * SECOND, 8 * SECOND),
        (21 * SECOND, 13 * SECOND),
        (34 * SECOND, MINUTE),
        (30 * MINUTE - 1, MINUTE),
        (30 * MINUTE, 5 * MINUTE),
        (6 * HOUR - 1, 5 * MINUTE),
        (6 * HOUR, HOUR),
        (1000 * HOUR, HOUR),
    ],
)
def test_operators_are_asked_less_and_less_often(elapsed: int, gap: int) -> None:
    assert ask_gap(elapsed) == gap


# Contract section 8: 10 s, 1 min, 5 min, 30 min, 2 h, 6 h, 12 h, then daily, last at 72 h.
@pytest.mark.parametrize(
    ("tries", "elapsed", "gap"),
    [
        (1, 0, 10 * SECOND),
        (2, 10 * SECOND, MINUTE),
        (3, MINUTE, 5 * MINUTE),
        (4, 6 * MINUTE, 30 * MINUTE),
        (5, 36 * MINUTE, 2 * HOUR),
        (6, 3 * HOUR, 6 * HOUR),
        (7, 9 * HOUR, 12 * HOUR),
        (8, 21 * HOUR, 24 * HOUR),
        (9, 45 * HOUR, 24 * HOUR),
        (10, 69 * HOUR, 3 * HOUR),
        (10, 71 * HOUR + 59 * MINUTE, MINUTE),
        (11, 72 * HOUR, None),
        (1, 72 * HOUR, None),
        (50, 100 * HOUR, None),
    ],
)
def test_shops_are_told_again_until_72_hours(tries: int, elapsed: int, gap: int | None) -> None:
    assert gap_after(NotificationSettings(), tries, elapsed) == gap


def test_final_states_have_no_way_out() -> None:
    assert set(PAYMENT_MOVES) == set(PaymentStatus)
    assert [status.value for status, ways in PAYMENT_MOVES.items() if not ways] == ["paid", "refused"]
    assert set(ATTEMPT_MOVES) == set(AttemptStatus)
    stays = {status.value for status, ways in ATTEMPT_MOVES.items() if ways <= {status}}
    assert stays == {"paid", "dropped", "surplus"}
    assert {status.value for status in OPEN_ATTEMPTS} == {"asked", "sent"}


def test_a_payments_slot_is_its_tokens_first_byte() -> None:
    slot = slot_of("445160", "order-1")
    assert 0 <= slot <= 255
    assert slot_of_token(f"{slot:02x}{'0' * 32}") == slot
    assert len({slot_of("445160", f"order-{number}") for number in range(5_000)}) == 256
