"""``cauri site rotate-secret``: a new secret key beside the old one, then in its place."""

from __future__ import annotations

import base64
import re

from tests.cli.conftest import Cauri


def lines(text: str) -> dict[str, str]:
    return dict(re.findall(r"^((?:old )?(?:secret key|webhook secret|webhook)) +(\S+)$", text, re.MULTILINE))


def whsec(secret_key: str) -> str:
    return "whsec_" + base64.b64encode(secret_key.encode()).decode()


def test_a_secret_key_rotates_with_a_grace_and_is_finished(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    first = lines(cauri.run("site", "add", "Chez Koffi", "--site-id", "900").stdout)
    assert first["webhook secret"] == whsec(first["secret key"])
    rotated = cauri.run("site", "rotate-secret", "900", "--grace", "2d")
    second = lines(rotated.stdout)
    assert second == {
        "secret key": second["secret key"],
        "webhook secret": whsec(second["secret key"]),
    }
    assert second["secret key"] != first["secret key"]
    assert first["secret key"] not in rotated.stdout + rotated.stderr
    assert "accept both" in rotated.stderr
    both = lines(cauri.run("site", "show", "900", "--secrets").stdout)
    assert (both["secret key"], both["old secret key"]) == (second["secret key"], first["secret key"])
    shown = cauri.run("site", "show", "900").stdout
    assert "the old secret key signs too until" in shown
    assert not {first["secret key"], second["secret key"]} & set(shown.split())
    again = cauri.run("site", "rotate-secret", "900")
    assert (again.returncode, "--finish" in again.stderr) == (2, True)
    assert cauri.run("site", "rotate-secret", "900", "--finish").returncode == 0
    assert lines(cauri.run("site", "show", "900", "--secrets").stdout) == second
    assert "no rotation" in cauri.run("site", "rotate-secret", "900", "--finish").stderr


def test_without_a_grace_and_without_an_old_secret_the_new_one_stands_alone(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    cauri.run("site", "add", "Chez Koffi", "--site-id", "900", "--without-secret-key")
    made = cauri.run("site", "rotate-secret", "900", "--secret-key", "one")
    assert (lines(made.stdout)["secret key"], "The site had none" in made.stderr) == ("one", True)
    made = cauri.run("site", "rotate-secret", "900", "--secret-key", "two", "--grace", "0s")
    assert "The old one is forgotten" in made.stderr
    assert lines(cauri.run("site", "show", "900", "--secrets").stdout) == {
        "secret key": "two",
        "webhook secret": whsec("two"),
    }


def test_a_rotation_that_makes_no_sense_is_refused_in_words(cauri: Cauri) -> None:
    cauri.start("--data", "cauri-data")
    for arguments, words in [
        (["445160", "--grace", "soon"], "--grace: write a number of at most 6 digits and its unit"),
        (["445160", "--grace", "-1h"], "--grace: write a number of at most 6 digits"),
        (["445160", "--grace", "9999999d"], "--grace: write a number of at most 6 digits"),
        (["445160", "--secret-key", " "], "--secret-key: must not be empty"),
        (["445160", "--finish", "--secret-key", "x"], "leave --secret-key out"),
        (["445160", "--finish"], "no rotation of the secret key is under way"),
        (["1"], "there is no site 1"),
    ]:
        done = cauri.run("site", "rotate-secret", *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
