"""The customer: gives a number, presses pay, confirms, and reads how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp

from cauri.customer.page import Choice, Form, PageRead, read_page

REDIRECTS_MAX = 10
OPERATOR_PAGES_MAX = 5
TEST_CARD = "4000 0027 6000 3184"  # one that the simulated card page asks a 3-D Secure code for
RELOAD_S = 0.5  # between two looks at a page that cannot be watched
WATCH_S = 10
_CARDS = "VISAM"  # how the payment_method of every card begins
REQUEST_S = 15.0


class Ending(Enum):
    PAID = "paid"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and the words of the page that said so."""

    ending: Ending
    text: str


class CustomerTrouble(Exception):
    """The payment could not be played: the message says why, in the page's own words where it has some."""


Tell = Callable[[str], None]


async def pay(
    url: str,
    phone: str = "",
    *,
    method: str | None = None,
    otp: str = "123456",
    card: str = TEST_CARD,
    cancel: bool = False,
    timeout_s: float = 30,
    tell: Tell = lambda _: None,
) -> Ended:
    """Plays the customer of this payment_url until it ends or ``timeout_s`` is over. Raises CustomerTrouble.

    ``phone`` is international with ``+``, or national of the country that the page proposes; empty where a card pays or
    the shop gave the number. ``method`` is a payment_method code
    of the contract, None for the operator that the page finds. After a failed attempt the customer gives up; ``cancel`` presses
    Cancel on the first page.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise CustomerTrouble(f"{url!r} is no http(s) URL: give the payment_url of the created payment")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        browser = _Browser(session, time.monotonic() + timeout_s)
        customer = _Customer(browser, phone, method, otp, card, cancel, tell)
        return await customer.play(url)


class _Browser:
    """Opens pages and sends forms. Follows redirects itself, as far as a browser would with 301, 302, 303 and 307."""

    def __init__(self, session: aiohttp.ClientSession, deadline: float) -> None:
        self._session = session
        self._deadline = deadline
        self.url = ""

    @property
    def seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    async def open(self, url: str, fields: dict[str, str] | None = None) -> PageRead:
        method = "GET" if fields is None else "POST"
        for _ in range(REDIRECTS_MAX):
            status, location, text = await self._request(method, url, fields)
            self.url = url
            if location is None:
                return self._read(status, text)
            url = urljoin(url, location)
            if status not in (307, 308):
                method, fields = "GET", None
        raise CustomerTrouble(f"{url} redirects in a circle")

    async def send(self, form: Form, **typed: str) -> PageRead:
        fields = form.fields | typed
        return await self.open(urljoin(self.url, form.action or self.url), fields)

    async def until_changed(self, page: PageRead) -> None:
        """Asks the page's own state door, as its script does; where it has none or it fails, waits a moment."""
        if page.watch:
            wait_s = min(WATCH_S, math.ceil(max(self.seconds_left, 0)))
            question = urlencode({"seen": page.seen, "wait": wait_s})
            with contextlib.suppress(CustomerTrouble):
                status, _, _ = await self._request("GET", f"{urljoin(self.url, page.watch)}?{question}", None)
                if status == 200:
                    return
        await asyncio.sleep(min(RELOAD_S, max(self.seconds_left, 0)))

    async def _request(
        self, method: str, url: str, fields: dict[str, str] | None
    ) -> tuple[int, str | None, str]:
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        try:
            async with self._session.request(
                method, url, data=fields, allow_redirects=False, timeout=timeout
            ) as answer:
                moved = answer.headers.get("Location") if 300 <= answer.status < 400 else None
                return answer.status, moved, await answer.text(errors="replace")
        except aiohttp.ClientConnectorError as error:
            why = os.strerror(error.os_error.errno) if error.os_error.errno else error.os_error
            raise CustomerTrouble(
                f"cannot connect to {error.host}:{error.port} ({why}): is the gateway running? 'cauri sandbox' starts one"
            ) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            host = urlsplit(url).netloc or url
            raise CustomerTrouble(f"cannot reach {host}: {error or type(error).__name__}") from error

    def _read(self, status: int, text: str) -> PageRead:
        page = read_page(text)
        if page.name == "trouble":
            raise CustomerTrouble(f"the page says (HTTP {status}): {page.heading}. {page.reason}")
        return page


class _Customer:
    def __init__(
        self,
        browser: _Browser,
        phone: str,
        method: str | None,
        otp: str,
        card: str,
        cancel: bool,
        tell: Tell,
    ) -> None:
        self._browser = browser
        self._phone = "+" + phone.strip()[2:] if phone.strip().startswith("00") else phone.strip()
        self._method = method
        self._otp = otp
        self._card = card
        self._cancel = cancel
        self._tell = tell
        self._tried = False
        self._told = ""
        self._at_operator = False

    async def play(self, url: str) -> Ended:
        page = await self._browser.open(url)
        if not page.name:
            raise CustomerTrouble(
                f"{url} is not a payment page of Cauri: give the payment_url of the created payment"
            )
        self._say("page opened")
        while page.name not in ("paid", "refused", "expired"):
            if self._browser.seconds_left <= 0:
                return Ended(Ending.WAITING, page.heading)
            page = await self._step(url, page)
        ending = Ending.PAID if page.name == "paid" else Ending.REFUSED
        return Ended(ending, f"{page.heading}. {page.reason}".rstrip(". ") + ".")

    async def _step(self, url: str, page: PageRead) -> PageRead:
        """What a customer does on this page; the page that follows."""
        if page.name in ("choose", "confirm") and (self._cancel or (self._tried and page.failed)):
            return await self._give_up(page)
        if page.name == "choose":
            return await self._choose(page)
        if page.name == "confirm":
            return await self._confirm(page)
        if page.name == "code":
            return await self._type_code(page)
        if page.name == "redirect" and page.operator_link and not self._at_operator:
            return await self._approve(url, page)
        if page.name in ("prompt", "redirect", "checking"):
            return await self._reload(url, page)
        raise CustomerTrouble(f"{self._browser.url} is not a payment page of Cauri")

    async def _give_up(self, page: PageRead) -> PageRead:
        self._say("cancelled" if self._cancel else f"failed, giving up: {page.heading}")
        return await self._browser.send(_form_of(page, "cancel"))

    async def _choose(self, page: PageRead) -> PageRead:
        form, card = page.form("number"), page.form("card")
        if card is not None and (form is None or (self._method or "").upper() == card.fields["method"]):
            self._tried = True
            self._say("card chosen")
            return await self._browser.send(card)
        if form is None:
            raise CustomerTrouble(f"the page does not take a number: {page.text}")
        if self._phone:
            self._say("number given")
        after = await self._browser.send(form, number=self._phone, **self._country(form))
        if after.error and not self._phone:
            raise CustomerTrouble(self._number_wanted(form, card))
        if after.error:
            raise CustomerTrouble(f"the page refuses the number: {after.error}")
        return after

    def _number_wanted(self, form: Form, card: Form | None) -> str:
        """Whoever asks for the card without a number gave none on purpose: then it is the card that is missing."""
        words = "the page asks for the payer's number: give one (--phone)"
        if not (self._method or "").upper().startswith(_CARDS):
            return words
        offered = "" if card is None else f"; it offers {card.fields['method']}"
        return (
            f"the page does not offer {self._method!r}{offered}: a card is there where the shop sent the whole card block "
            "(customer_id, customer_email …), in a currency that has one; anything else needs a number (--phone)"
        )

    def _country(self, form: Form) -> dict[str, str]:
        """The country whose prefix the number begins with; the page's own choice where none does."""
        if not self._phone.startswith("+"):
            return {}
        for choice in form.choices.get("country", []):
            if choice.prefix and self._phone[1:].startswith(choice.prefix):
                if choice.disabled:
                    raise CustomerTrouble(f"the page does not take this country: {choice.text}")
                return {"country": choice.value}
        return {}

    async def _confirm(self, page: PageRead) -> PageRead:
        form = _form_of(page, "pay")
        operators = form.choices.get("method", [])
        typed = {} if self._method is None else {"method": _operator(operators, self._method).value}
        chosen = typed.get("method", form.fields.get("method"))
        if chosen is None:
            offered = ", ".join(one.value for one in operators if not one.disabled)
            raise CustomerTrouble(
                f"the page proposes no operator for this number: give one of its methods ({offered})"
            )
        self._tried = True
        self._say(f"operator {chosen}, pay pressed")
        after = await self._browser.send(form, **typed)
        if after.error:
            raise CustomerTrouble(f"the page refuses the payment: {after.error}")
        return after

    async def _type_code(self, page: PageRead) -> PageRead:
        if self._cancel:
            return await self._give_up(page)
        self._tried = True
        self._say("one-time code typed")
        after = await self._browser.send(_form_of(page, "code"), code=self._otp)
        if after.error:
            raise CustomerTrouble(f"the page refuses the code: {after.error}")
        return after

    async def _approve(self, url: str, page: PageRead) -> PageRead:
        """On the operator's page: presses the first button that approves, and comes back as that page leads."""
        self._at_operator = True
        self._tried = True
        self._say("gone to the operator's page")
        shown = await self._browser.open(urljoin(self._browser.url, page.operator_link))
        for _ in range(OPERATOR_PAGES_MAX):
            form = next((form for form in shown.forms if form.approves() is not None), None)
            if form is None:
                break
            self._say("approved at the operator")
            shown = await self._browser.send(form, **form.filled(self._answers), **(form.approves() or {}))
            if shown.name:
                return shown
        else:
            raise CustomerTrouble(
                f"the operator's page {self._browser.url} asks again and again: does it refuse what is typed? It says: {shown.text[:200]}"
            )
        if self._told != "approved at the operator":
            raise CustomerTrouble(f"the operator's page {self._browser.url} has no approve button")
        return await self._browser.open(url)

    @property
    def _answers(self) -> dict[str, str]:
        """What the payer types on an operator's page, in the words of HTML's ``autocomplete``."""
        return {
            "tel": self._phone,
            "one-time-code": self._otp,
            "cc-number": self._card,
            "cc-exp": "12/39",
            "cc-csc": "123",
            "cc-name": "Awa Traore",
        }

    async def _reload(self, url: str, page: PageRead) -> PageRead:
        self._tried = True
        self._say(page.heading)
        await self._browser.until_changed(page)
        return await self._browser.open(url)

    def _say(self, what: str) -> None:
        """Once for each thing that happens, however often the page is reloaded."""
        if what != self._told:
            self._told = what
            self._tell(what)


def _form_of(page: PageRead, name: str) -> Form:
    form = page.form(name)
    if form is None:
        raise CustomerTrouble(f"the page {page.heading!r} has no form {name!r}")
    return form


def _operator(operators: list[Choice], method: str) -> Choice:
    """The radio button of this method, whatever the case it was written in."""
    for choice in operators:
        if choice.value.lower() == method.lower():
            if choice.disabled:
                raise CustomerTrouble(f"the page does not take this method: {choice.text}")
            return choice
    offered = ", ".join(choice.value for choice in operators if not choice.disabled)
    raise CustomerTrouble(f"the page does not offer {method!r}; it offers {offered or 'nothing'}")
