"""Endpoints by name, and the settings of notifications: which are refused, and why."""

from __future__ import annotations

from typing import Any

import pytest

from cauri.config import BadSettings, load, read
from cauri.domain.endpoints import endpoint_of, origin_of
from cauri.domain.notifying import NotificationSettings, gap_after, probe_gap

GOOD: dict[str, Any] = {
    "public_url": "https://pay.example.com",
    "database": "postgresql://cauri@127.0.0.1/cauri",
    "secret": "0123456789abcdef",
    "operators": {"pawapay": {"token": "x"}},
}


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example/notify?a=1", "https://shop.example:443"),
        ("https://shop.example:443/other", "https://shop.example:443"),
        ("HTTPS://Shop.Example/", "https://shop.example:443"),
        ("http://shop.example/", "http://shop.example:80"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("http://user:pass@shop.example/", "http://shop.example:80"),
        ("http://[2001:DB8::1]:8080/n", "http://[2001:db8::1]:8080"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
    ],
)
def test_an_endpoint_is_a_site_and_an_origin(url: str, origin: str) -> None:
    endpoint = endpoint_of("445160", url)
    assert endpoint == f"445160 {origin}"
    assert origin_of(endpoint) == origin
    assert endpoint_of("445161", url) != endpoint


@pytest.mark.parametrize(
    "url",
    ["", "http://", "http://x:99999/", "http://x:abc/", "http://[::1/", "nonsense", "http://a b/", "é://"],
)
def test_an_endpoint_has_a_name_whatever_the_url(url: str) -> None:
    assert endpoint_of("1", url).startswith("1 ")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"gaps_s": []}, "notifications.gaps_s"),
        ({"gaps_s": [0]}, "notifications.gaps_s"),
        ({"gaps_s": ["x"]}, "notifications.gaps_s"),
        ({"gaps_s": "10"}, "notifications.gaps_s"),
        ({"timeout_s": 0}, "notifications.timeout_s"),
        ({"timeout_s": 61}, "notifications.timeout_s"),
        ({"at_once": 1}, "notifications.at_once"),
        ({"at_once": 10}, "notifications.per_host: 32 is more than at_once = 10"),
        ({"unproven_percent": 100}, "notifications.unproven_percent"),
        ({"breaker_failures": 1}, "notifications.breaker_failures"),
        ({"probe_gap_s": 90}, "notifications.probe_gap_s: 90 is more than probe_gap_max_s = 60"),
        ({"last_try_after_s": 5}, "notifications.last_try_after_s"),
        ({"keep_days": 1}, "notifications.keep_days"),
        ({"keep_dayz": 1}, "did you mean notifications.keep_days?"),
    ],
)
def test_a_bad_setting_is_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSettings, match=words.replace("?", r"\?")):
        read({**GOOD, "notifications": table})


def test_the_environment_sets_them_too() -> None:
    environment = {
        "CAURI_PUBLIC_URL": GOOD["public_url"],
        "CAURI_DATABASE": GOOD["database"],
        "CAURI_SECRET": GOOD["secret"],
        "CAURI_OPERATORS__PAWAPAY__TOKEN": "x",
        "CAURI_NOTIFICATIONS__GAPS_S": "1, 2,3",
        "CAURI_NOTIFICATIONS__KEEP_DAYS": "7",
    }
    told = load(None, environment).notifications
    assert (told.gaps_s, told.keep_days) == ((1, 2, 3), 7)


def test_another_schedule_is_followed() -> None:
    settings = NotificationSettings(gaps_s=(1, 5), later_gap_s=60, last_try_after_s=100)
    waits = [
        gap_after(settings, tries, elapsed)
        for tries, elapsed in ((1, 0), (2, 1_000), (3, 6_000), (4, 66_000), (5, 100_000))
    ]
    assert waits == [1_000, 5_000, 60_000, 34_000, None]


def test_probes_come_more_and_more_seldom_up_to_a_cap() -> None:
    assert [probe_gap(NotificationSettings(), failures) // 1000 for failures in (0, 1, 2, 3, 50)] == [
        10,
        20,
        40,
        60,
        60,
    ]
