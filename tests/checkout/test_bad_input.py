"""Nonsense at every door of the page: a clear answer, and nothing lost or changed."""

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from cauri.checkout.assets import Assets, read_assets
from cauri.checkout.door import Counter, Door
from cauri.checkout.rendering import Renderer
from cauri.checkout.routes import build
from cauri.clock import Clock
from cauri.lifecycle import Lifecycle, LifecycleSettings
from cauri.operators.registry import Operators
from cauri.store import Store, Vault, engine_for
from cauri.wire.callers import Addresses, Buckets
from tests.logs import own_lines

from .visitors import STEPS, Shop, page_name, text_of

pytestmark = pytest.mark.in_turn


def pages_of(lifecycle: Lifecycle, posts: int = 0) -> Starlette:
    """The page's doors alone, in this process."""
    return Starlette(
        routes=build(
            lifecycle,
            public_url="http://page.example",
            page_posts_per_address=posts,
            trusted_proxies=("127.0.0.1",),
            clock=lifecycle.clock,
        )
    )


@pytest.mark.parametrize(
    ("country", "number", "field", "reason"),
    [
        ("CI", "", "number", "phone_unreadable"),
        ("CI", "bonjour", "number", "phone_unreadable"),
        ("CI", "01\x0002324373", "number", "phone_unreadable"),
        ("CI", "9" * 300, "number", "phone_unreadable"),
        ("CI", "<script>alert(1)</script>", "number", "phone_unreadable"),
        ("CI", "' OR 1=1 --", "number", "phone_unreadable"),
        ("CI", "0102", "number", "phone_length"),
        ("CI", "010232437399", "number", "phone_length"),
        ("CI", "+221771234567", "number", "phone_country"),
        ("CI", "+33612345678", "number", "phone_country"),
        ("CM", "650000000", "country", "country_unavailable"),
        ("FR", "0612345678", "country", "country_unavailable"),
        ("", "0102324373", "country", "country_unavailable"),
        ("\x00\x00", "0102324373", "country", "country_unavailable"),
    ],
)
async def test_a_wrong_number_or_country_is_said_beside_its_field(
    shop: Shop, country: str, number: str, field: str, reason: str
) -> None:
    visitor = await shop.opens()
    for step in ("number", "pay"):
        page = await visitor.post(step, {"country": country, "number": number})
        assert (page.status_code, page_name(page)) == (422, "choose")
        assert f'id="{field}-error" data-error="{reason}"' in page.text
        control = re.search(rf'<\w+ id="{field}"[^>]*>', page.text)
        assert control
        for part in ('aria-invalid="true"', f"{field}-error", "autofocus"):
            assert part in control[0]
        assert "<title>Erreur" in page.text
        assert "<script>alert" not in page.text
    assert (await shop.gateway.store.payment_by_token(visitor.token)).attempts == 0


async def test_what_was_typed_is_still_there(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "SN", "number": '77 "12'})
    assert page.status_code == 422
    assert 'value="77 &#34;12"' in page.text
    assert re.search(r'value="SN"[^>]* selected', page.text)


@pytest.mark.parametrize("method", ["NOPE", "OMSN", "VISAM", "flooz'"])
async def test_a_method_that_cannot_be_used_is_said_beside_the_choice(shop: Shop, method: str) -> None:
    visitor = await shop.opens(channels="MOBILE_MONEY")
    page = await visitor.post("pay", {"country": "CI", "number": "0102324373", "method": method})
    if method == "flooz'":  # no method at all: the number's own is taken
        assert page.status_code == 303
        return
    assert (page.status_code, page_name(page)) == (422, "confirm")
    assert 'id="method-error" data-error="method_unavailable"' in page.text


async def test_a_country_below_its_bounds_is_shown_with_the_reason(shop: Shop) -> None:
    visitor = await shop.opens(amount=100)
    page = await visitor.get()
    assert re.search(r'value="TG"[^>]*disabled>Togo \(\+228\) – à partir de 150', page.text)
    answer = await visitor.post("number", {"country": "TG", "number": "90000000"})
    assert 'data-error="country_unavailable"' in answer.text


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"number=" + b"0" * 9000, 413),
        ("application/json", b'{"number":"0102324373"}', 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"number=0102324373", 415),
        ("", b"number=0102324373", 415),
        ("application/x-www-form-urlencoded", b"number=%ff%fe", 400),
        ("application/x-www-form-urlencoded", b"number=\xff", 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(50)), 400),
    ],
)
async def test_a_body_that_is_no_form_of_ours_gets_a_page(
    shop: Shop, content_type: str, body: bytes, status: int
) -> None:
    visitor = await shop.opens()
    for step in STEPS:
        headers = {"content-type": content_type} if content_type else {}
        answer = await shop.client.post(f"{visitor.url}/{step}", content=body, headers=headers)
        assert (answer.status_code, page_name(answer)) == (status, "trouble"), step
        assert "Rien n'a été payé ni changé" in text_of(answer)
        assert f'href="/payment/{visitor.token}"' in answer.text
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    assert payment.version == 1


@pytest.mark.parametrize(
    "token",
    [
        "0" * 34,
        "x",
        "ab" * 500,
        "..%2f..%2fetc",
        "%00",
        "%ff%fe",
        "é" * 34,
        "' OR 1=1 --",
        "<script>alert(1)</script>",
    ],
)
@pytest.mark.parametrize(("accept", "words"), [("fr", "n'existe pas"), ("en", "does not exist")])
async def test_unknown_payments_get_a_page_that_says_what_to_do(
    shop: Shop, token: str, accept: str, words: str
) -> None:
    headers = {"accept-language": accept}
    answer = await shop.client.get(f"{shop.gateway.url}/payment/{token}", headers=headers)
    assert (answer.status_code, page_name(answer)) == (404, "trouble")
    assert words in text_of(answer)
    assert f'<html lang="{accept}">' in answer.text
    assert "<script>alert" not in answer.text


async def test_every_step_of_an_unknown_payment_is_404(shop: Shop) -> None:
    url = f"{shop.gateway.url}/payment/{'0' * 34}"
    data = {"country": "CI", "number": "0102324373", "code": "123456"}
    for step in STEPS:
        answer = await shop.client.post(f"{url}/{step}", data=data)
        assert (answer.status_code, page_name(answer)) == (404, "trouble"), step
    assert (await shop.client.get(f"{url}/state")).status_code == 404


async def test_paths_that_do_not_exist_are_404_pages(shop: Shop) -> None:
    visitor = await shop.opens()
    for path in (
        "/payment",
        "/payment/",
        f"/payment/{visitor.token}/nothing",
        f"/payment/{visitor.token}/pay/x",
    ):
        answer = await shop.client.get(shop.gateway.url + path)
        assert (answer.status_code, page_name(answer)) == (404, "trouble"), path
    assert (await shop.client.get(f"{shop.gateway.url}/static/nothing.css")).status_code == 404
    answer = await visitor.get("")
    slashed = await shop.client.get(visitor.url + "/")
    assert (slashed.status_code, slashed.headers["location"]) == (308, f"/payment/{visitor.token}")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_other_methods_are_405_pages(shop: Shop, method: str) -> None:
    visitor = await shop.opens()
    for step in ("", *(f"/{step}" for step in STEPS), "/state"):
        answer = await shop.client.request(method, visitor.url + step)
        assert (answer.status_code, page_name(answer)) == (405, "trouble"), step
        assert "GET" in answer.headers["allow"]


async def test_a_post_to_the_page_itself_is_405(shop: Shop) -> None:
    visitor = await shop.opens()
    answer = await shop.client.post(visitor.url, data={"x": "1"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_step_opened_by_get_leads_to_the_page(shop: Shop) -> None:
    visitor = await shop.opens()
    for step in STEPS:
        answer = await visitor.get(step, params={"lang": "en"})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/payment/{visitor.token}?lang=en"


async def test_too_many_forms_get_a_page_with_retry_after(shop: Shop) -> None:
    visitor = await shop.opens()
    gateway = shop.gateway
    door = httpx.ASGITransport(pages_of(gateway.lifecycle, posts=3))
    async with httpx.AsyncClient(transport=door, base_url="http://page.example") as client:
        path, data = f"/payment/{visitor.token}/number", {"country": "CI", "number": "1"}
        answers = [await client.post(path, data=data) for _ in range(8)]
        assert [answer.status_code for answer in answers[:3]] == [422] * 3
        refused = answers[-1]
        assert (refused.status_code, page_name(refused)) == (429, "trouble")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "Attendez une minute" in text_of(refused)
        elsewhere = await client.post(path, data=data, headers={"x-forwarded-for": "9.9.9.9"})
        assert elsewhere.status_code == 422
        assert (await client.get(f"/payment/{visitor.token}")).status_code == 200


@pytest.mark.parametrize("query", ["seen=x", "wait=x", "seen=1.5", "seen=" + "9" * 30, "wait=-" + "9" * 30])
async def test_the_state_door_refuses_what_is_no_number(shop: Shop, query: str) -> None:
    visitor = await shop.opens()
    answer = await shop.client.get(f"{visitor.url}/state?{query}")
    assert answer.status_code == 400
    assert "whole numbers" in answer.json()["error"]


@pytest.mark.parametrize("query", ["", "seen=0", "seen=-5&wait=10", "wait=-1&seen=1", "seen=0&wait=9999"])
async def test_the_state_door_tolerates_the_rest(shop: Shop, query: str) -> None:
    visitor = await shop.opens()
    answer = await shop.client.get(f"{visitor.url}/state?{query}")
    assert (answer.status_code, answer.json()) == (200, {"version": 1, "status": "waiting"})


async def test_the_state_door_answers_when_something_changes(shop: Shop) -> None:
    visitor = await shop.opens()
    asked = asyncio.create_task(visitor.state(seen=1, wait=25))
    await visitor.post("cancel")
    assert await asked == {"version": 2, "status": "refused"}


async def test_the_state_door_ends_when_the_client_goes_away(shop: Shop) -> None:
    visitor = await shop.opens()
    app = pages_of(shop.gateway.lifecycle)
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(_: object) -> None:
        return None

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/payment/{visitor.token}/state",
        "query_string": b"seen=1&wait=25",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }
    async with asyncio.timeout(20):
        await app(scope, receive, send)


async def test_a_database_that_cannot_be_reached_gets_a_page_that_says_so() -> None:
    store = Store(engine_for("postgresql://nobody@127.0.0.1:1/none"), Vault("0123456789abcdef"))
    settings = LifecycleSettings(public_url="https://pay.example")
    lifecycle = Lifecycle(store, Operators([]), Clock(), settings)
    door = httpx.ASGITransport(pages_of(lifecycle))
    url = f"/payment/{'0' * 34}"
    words = {"fr": "momentanément indisponible", "en": "not available for a moment"}
    asked = [("fr", "GET", ""), ("en", "GET", ""), ("fr", "POST", "/pay"), ("en", "POST", "/cancel")]
    async with httpx.AsyncClient(transport=door, base_url="https://pay.example", timeout=30) as client:
        answers = await asyncio.gather(
            *(
                client.request(method, url + step, headers={"accept-language": lang})
                for lang, method, step in asked
            )
        )
    for (lang, _, _), answer in zip(asked, answers, strict=True):
        assert (answer.status_code, page_name(answer)) == (503, "trouble")
        assert answer.headers["retry-after"] == "5"
        assert words[lang] in text_of(answer)
    await store.close()


async def test_a_bug_of_ours_gets_a_page_with_a_number_that_the_log_carries() -> None:
    async def breaks(_: Request) -> Response:
        raise ZeroDivisionError

    renderer = Renderer("", Assets(read_assets()).urls)
    counter = Counter(renderer, Buckets(Clock(), 0, per_s=60), Addresses(()))
    app = Starlette(routes=[Route("/payment/{token}", Door(counter, {"GET": breaks}))])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://page.example"
    ) as client:
        with own_lines() as logs:
            answer = await client.get("/payment/abc")
    assert (answer.status_code, page_name(answer)) == (500, "trouble")
    assert logs[0]["error_id"] in text_of(answer)
    assert "ZeroDivision" not in answer.text


async def test_a_visitor_whose_line_breaks_while_a_form_is_sent_raises_no_alert(shop: Shop) -> None:
    visitor = await shop.opens()
    at = httpx.URL(visitor.url)
    head = f"POST {at.path}/pay HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with capture_logs() as logs:
        _, line = await asyncio.open_connection(at.host, at.port)
        line.write(f"{head}Content-Length: 100\r\n\r\ncountry=".encode())
        await line.drain()
        await asyncio.sleep(0.2)
        line.close()
        await asyncio.sleep(0.5)
    assert not [each for each in logs if each["event"] == "page_failed"]
