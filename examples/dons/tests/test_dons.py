"""Gifts paid on a real sandbox's own pages: the total moves by what check says, and by nothing else."""

from __future__ import annotations

import re
import time

import httpx
import pytest

POOR = "+2250102000602"


def paid_form(site):
    """What the gateway's page would post for the newest payment."""
    ((name, token),) = site.rows(
        "SELECT transaction_id, payment_token FROM cauri_shop_payment ORDER BY created_at DESC, number DESC LIMIT 1"
    )
    return {"transaction_id": name, "token": token}


def test_a_gift_that_is_paid_is_counted_when_the_donor_comes_back(site, pay):
    asked = site.give(name="Awa", words="Courage !")
    assert asked.status_code == 303
    assert site.total() == {"amount": 0, "gifts": 0, "goal": 10000, "percent": 0}
    ended = pay(asked.headers["location"])
    assert ended.paid
    page = site.come_back(ended.return_form)
    assert "Merci Awa !" in page
    assert "2\u202f000" in page
    assert site.total() == {"amount": 2000, "gifts": 1, "goal": 10000, "percent": 20}
    home = site.text("/")
    assert "Courage !" in home
    assert "2\u202f000" in home


def test_the_payment_asks_for_no_notification(site, cauri):
    assert site.give().status_code == 303
    assert paid_form(site)["transaction_id"].startswith("DON-")
    assert site.donor.post("/notify").status_code == site.donor.post("/merci/notify").status_code == 404


def test_a_donor_who_never_comes_back_is_counted_when_somebody_looks(site, pay):
    assert pay(site.give().headers["location"]).paid
    assert site.total()["amount"] == 0, "nothing is due within the first minute"
    site.rows("UPDATE cauri_shop_payment SET next_ask_at = created_at")
    deadline = time.monotonic() + 20
    while site.total()["amount"] != 2000:
        assert time.monotonic() < deadline, site.printed


def test_reconcile_counts_from_cron(own_site, pay):
    assert pay(own_site.give().headers["location"]).paid
    own_site.rows("UPDATE cauri_shop_payment SET next_ask_at = created_at")
    own_site.process.kill()
    own_site.process.wait()
    run = own_site.run("reconcile", "--database", str(own_site.database))
    assert (run.returncode, "1 paid" in run.stdout) == (0, True), run.stderr
    own_site.start()
    assert own_site.total()["amount"] == 2000


def test_the_return_decides_nothing(site):
    site.give()
    assert "Don en cours" in site.come_back({**paid_form(site), "status": "ACCEPTED"})
    assert 'http-equiv="refresh"' in site.come_back(paid_form(site))
    assert site.total()["amount"] == 0


def test_a_refused_gift_says_why_and_the_next_try_counts_once(site, pay):
    asked = site.give(name="Ali")
    ended = pay(asked.headers["location"], cancel=True)
    assert not ended.paid
    page = site.come_back(paid_form(site))
    assert "Le don n’a pas abouti" in page
    assert "annulé" in page
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    again = site.donor.post("/donner", data=hidden)
    assert again.headers["location"] != asked.headers["location"]
    assert pay(again.headers["location"]).paid
    assert "Merci Ali" in site.come_back(paid_form(site))
    assert site.total() == {"amount": 2000, "gifts": 1, "goal": 10000, "percent": 20}


def test_a_form_sent_twice_is_one_gift_and_with_another_amount_another(site):
    page = site.donor.get("/").text
    form = {"ref": re.search(r'name="ref" value="([0-9a-f]+)"', page)[1], "amount": "5000"}
    first, second = (site.donor.post("/donner", data=form).headers["location"] for _ in range(2))
    assert first == second
    third = site.donor.post("/donner", data={**form, "amount": "other", "other": "2 500 F"}).headers[
        "location"
    ]
    assert third != first
    assert site.rows("SELECT amount FROM gift ORDER BY amount") == [(2500,), (5000,)]


def test_a_paid_gift_is_not_paid_twice(site, pay):
    form = {"ref": "0" * 16, "amount": "1000"}
    assert pay(site.donor.post("/donner", data=form).headers["location"]).paid
    site.come_back(paid_form(site))
    back = site.donor.post("/donner", data=form)
    assert (back.status_code, back.headers["location"].startswith("/merci?transaction_id=DON-")) == (
        303,
        True,
    )
    assert "Merci" in site.text(back.headers["location"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"amount": "other", "other": ""}, "en chiffres"), ({"amount": "other", "other": "beaucoup"}, "en chiffres"),
     ({"amount": "other", "other": "1003"}, "1\u202f000\u00a0FCFA ou 1\u202f005"), ({"amount": "5"}, "de 100"),
     ({"amount": "99999999999999"}, "en chiffres"), ({"amount": "2000000"}, "1\u202f500\u202f000"), ({"amount": "-500"}, "en chiffres"),
     ({"amount": "٢٠٠٠"}, "en chiffres"), ({"name": "x" * 41}, "40 caractères"), ({"words": "x" * 141}, "140 caractères"),
     ({"name": "a\x00b"}, "ne s’écrit pas"), ({"ref": "x" * 5000, "amount": "1"}, "de 100")],
)  # fmt: skip
def test_a_mistake_is_named_and_opens_no_payment(site, typed, said):
    answer = site.give(**typed)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert site.rows("SELECT * FROM cauri_shop_payment") == []


def test_what_donors_write_is_text(site, pay):
    assert pay(site.give(name="<b>Awa</b>", words="<script>1</script>").headers["location"]).paid
    assert "<b>Awa" not in site.donor.post("/merci", data=paid_form(site), follow_redirects=True).text
    home = site.donor.get("/").text
    assert "<script>1" not in home
    assert "&lt;script&gt;1" in home


@pytest.mark.parametrize(
    "path", ["/merci", "/merci?transaction_id=nobody", "/merci?transaction_id=%00", "/merci?%ff=%ff"]
)
def test_a_return_from_nowhere_is_a_friendly_page(site, path):
    answer = site.donor.get(path)
    assert (answer.status_code, "Nous ne trouvons pas" in answer.text) == (200, True)
    assert answer.headers["referrer-policy"] == "same-origin"


def test_other_addresses_and_methods_and_floods_are_refused(site):
    assert [site.donor.get(path).status_code for path in ("/x", "/donner", "/docs")] == [404, 405, 404]
    assert site.donor.post("/donner", content=b"a=" + b"b" * 200_000).status_code == 422
    assert site.donor.post("/donner", content=b"&".join([b"a=1"] * 1000)).status_code == 422
    assert site.donor.head("/").status_code == 200


def test_a_gateway_that_is_away_keeps_the_gift_and_offers_another_try(own_site, tmp_path, pay):
    own_site.kill()
    gateway = own_site.environment["CAURI_BASE_URL"]
    own_site.environment["CAURI_BASE_URL"] = "http://127.0.0.1:9"
    own_site.start()
    answer = own_site.give(name="Ama")
    assert (answer.status_code, "Réessayer" in answer.text) == (503, True)
    assert own_site.donor.get("/").status_code == 200, "and the page stands without it"
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    own_site.kill()
    own_site.environment["CAURI_BASE_URL"] = gateway
    own_site.start()
    assert pay(own_site.donor.post("/donner", data=hidden).headers["location"]).paid
    assert "Merci Ama" in own_site.come_back(paid_form(own_site))


def test_killed_and_started_again_it_forgets_nothing(own_site, pay):
    asked = own_site.give()
    own_site.kill()
    assert pay(asked.headers["location"]).paid
    own_site.start()
    assert "Merci" in own_site.come_back(paid_form(own_site))
    assert own_site.total()["amount"] == 2000


def test_what_cannot_be_started_says_what_to_change(site, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    port = site.url.rsplit(":", 1)[1]
    taken = site.run("--port", port, "--database", str(tmp_path / "x.sqlite3"))
    nowhere = site.run("--port", "0", "--database", str(tmp_path / "file" / "x.sqlite3"))
    monkeypatch.setitem(site.environment, "DONS_GOAL", "beaucoup")
    goal = site.run("--port", "0", "--database", str(tmp_path / "y.sqlite3"))
    assert [run.returncode for run in (taken, nowhere, goal)] == [1, 1, 1]
    assert "--port" in taken.stderr
    assert "--database" in nowhere.stderr
    assert "DONS_GOAL" in goal.stderr


def test_it_stops_cleanly(own_site):
    with httpx.Client() as other:
        other.get(own_site.url)
    own_site.process.terminate()
    assert own_site.process.wait(20) in (0, -15)
    assert not [line for line in own_site.printed if "Traceback" in line]


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("2 500 F", 2500),
        ("12.500 FCFA", 12500),
        ("1 000 000", 1_000_000),
        ("12.50", None),
        ("10.00", None),
        ("1,5", None),
        ("٥٠٠", None),
    ],
)
def test_a_typed_amount_is_what_was_meant_or_is_refused(site, typed, amount):
    """Also where a proposed amount was left checked beside it."""
    page = site.donor.get("/").text
    form = {"ref": re.search(r'name="ref" value="([0-9a-f]+)"', page)[1], "amount": "5000", "other": typed}
    answer = site.donor.post("/donner", data=form)
    assert (answer.status_code == 303) == (amount is not None)
    assert site.rows("SELECT amount FROM gift") == ([(amount,)] if amount else [])
