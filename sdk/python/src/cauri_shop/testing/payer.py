"""The customer: gives a number on the page, presses pay, confirms, and reads how it ended. Quick, and without script."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from ..codes import PaymentState
from .pages import Form, Page, read_page

PAYING = "+2250102324373"
"""The guide's own test number that pays; Moov of Côte d'Ivoire, FLOOZ."""

_RELOAD_S = 0.03
_REQUEST_S = 15.0
_REDIRECTS_MAX = 10
_ENDS = {"paid": PaymentState.PAID, "refused": PaymentState.REFUSED, "expired": PaymentState.REFUSED}


class CannotPay(Exception):
    """The page could not be used: the text says why, in the page's own words where it has some."""


@dataclass(frozen=True)
class Ended:
    """How the page ended: PAID, REFUSED or WAITING, its words, and where its button leads back to.

    `return_form` is what the customer's browser posts to `return_url`; both are empty while the payment is waiting.
    """

    state: PaymentState
    text: str
    return_url: str = ""
    return_form: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def paid(self) -> bool:
        """The page says that it is paid. Your shop decides by `check` all the same."""
        return self.state is PaymentState.PAID


class Pay(Protocol):
    """The type of the fixture `pay`."""

    def __call__(
        self, payment_url: str, phone: str = PAYING, *, method: str | None = None, otp: str = "123456",
        cancel: bool = False, timeout: float = 10.0,
    ) -> Ended: ...  # fmt: skip


def pay(
    payment_url: str, phone: str = PAYING, *, method: str | None = None, otp: str = "123456",
    cancel: bool = False, timeout: float = 10.0,
) -> Ended:  # fmt: skip
    """Plays the customer of this payment_url until the payment ends, or for `timeout` seconds. Raises CannotPay.

    `phone` is international with `+`, or national of the country that the page proposes, and decides what happens:
    in the sandbox a number ending in 602 has no money, one in 129 never answers (docs/sandbox.md has them all).
    `method` is a payment_method such as "WAVECI"; without it the operator is found from the number. `otp` is the
    one-time code where one is asked ("000000" is wrong). `cancel` presses Cancel on the first page. After a failed
    try the customer gives up. The first notification of the end has been tried when this returns.
    """
    if urlsplit(payment_url).scheme not in ("http", "https"):
        raise CannotPay(f"{payment_url!r} is no http(s) URL: give the payment_url of a started payment")
    number = phone.strip()
    number = "+" + number[2:] if number.startswith("00") else number
    # No proxy of the environment lies between a test and its own machine; plain http need not load certificates.
    certificates = urlsplit(payment_url).scheme == "https"
    with httpx.Client(trust_env=False, verify=certificates, timeout=_REQUEST_S) as client:
        browser = _Browser(client, payment_url)
        return _Customer(browser, number, method, otp, cancel).play(time.monotonic() + timeout)


class _Browser:
    """Opens pages and sends forms; no cookies."""

    def __init__(self, client: httpx.Client, payment_url: str) -> None:
        self._client = client
        self.payment_url = self.url = payment_url

    def open(self, url: str, form: Mapping[str, str] | None = None) -> Page:
        for _ in range(_REDIRECTS_MAX):
            answer = self._request(url, form)
            self.url = url
            if not answer.has_redirect_location:
                return _usable(read_page(answer.text), answer.status_code)
            url = urljoin(url, answer.headers["Location"])
            form = form if answer.status_code in (307, 308) else None
        raise CannotPay(f"{url} redirects in a circle")

    def reload(self) -> Page:
        # "back": the customer comes back from the operator's page or prompt, a reason for the gateway to ask soon.
        return self.open(self.payment_url + ("&" if "?" in self.payment_url else "?") + "back=1")

    def send(self, form: Form, **typed: str) -> Page:
        return self.open(urljoin(self.url, form.action or self.url), {**form.fields, **typed})

    def _request(self, url: str, form: Mapping[str, str] | None) -> httpx.Response:
        try:
            return self._client.request("GET" if form is None else "POST", url, data=form)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            host = urlsplit(url).netloc or url
            raise CannotPay(f"cannot reach {host}: {error or type(error).__name__}") from error


class _Customer:
    def __init__(self, browser: _Browser, phone: str, method: str | None, otp: str, cancel: bool) -> None:
        self._browser, self._phone, self._method, self._otp, self._cancel = (
            browser,
            phone,
            method,
            otp,
            cancel,
        )
        self._tried = False
        self._at_operator = False

    def play(self, deadline: float) -> Ended:
        page = self._browser.open(self._browser.payment_url)
        if not page.name:
            raise CannotPay(
                f"{self._browser.url} is no payment page of Cauri: give the payment_url of a started payment"
            )
        while page.name not in _ENDS:
            if time.monotonic() > deadline:
                return Ended(PaymentState.WAITING, page.heading)
            page = self._step(page)
        back = page.form("return")
        words = f"{page.heading}. {page.reason}".rstrip(". ") + "."
        return Ended(_ENDS[page.name], words, back.action if back else "", back.fields if back else {})

    def _step(self, page: Page) -> Page:
        """What a customer does on this page; the page that follows."""
        if page.name in ("choose", "confirm", "code") and (self._cancel or (self._tried and page.failed)):
            return self._browser.send(_form(page, "cancel"))
        if page.name == "choose":
            return self._give_number(page)
        if page.name == "confirm":
            return self._confirm(page)
        if page.name == "code":
            self._tried = True
            return _taken(self._browser.send(_form(page, "code"), code=self._otp))
        if page.name == "redirect" and page.operator_link and not self._at_operator:
            return self._approve(page)
        if page.name in ("prompt", "redirect", "checking"):
            time.sleep(_RELOAD_S)
            return self._browser.reload()
        raise CannotPay(f"{self._browser.url} is no payment page of Cauri")

    def _give_number(self, page: Page) -> Page:
        form = _form(page, "number")
        return _taken(self._browser.send(form, number=self._phone, **self._country(form)))

    def _country(self, form: Form) -> dict[str, str]:
        """The country whose prefix the number begins with; the page's own choice where none does."""
        if self._phone.startswith("+"):
            for country, prefix in form.offers.get("country", {}).items():
                if prefix and self._phone[1:].startswith(prefix):
                    return {"country": country}
        return {}

    def _confirm(self, page: Page) -> Page:
        form = _form(page, "pay")
        offered = ", ".join(form.offers.get("method", {})) or "nothing"
        chosen = {"method": self._method.upper()} if self._method else {}
        if chosen and chosen["method"] not in form.offers.get("method", {}):
            raise CannotPay(f"the page does not offer {self._method!r}; it offers {offered}")
        if not chosen and "method" not in form.fields:
            raise CannotPay(
                f"the page does not find the operator of this number: give method= one of {offered}"
            )
        self._tried = True
        return _taken(self._browser.send(form, **chosen))

    def _approve(self, page: Page) -> Page:
        """On the operator's own page: presses the button that approves, and comes back."""
        self._at_operator = self._tried = True
        there = self._browser.open(urljoin(self._browser.url, page.operator_link))
        for form in there.forms:
            if form.approve is not None:
                after = self._browser.send(form, **form.approve)
                return after if after.name else self._browser.reload()
        raise CannotPay(f"the operator's page {self._browser.url} has no button that approves")


def _usable(page: Page, status: int) -> Page:
    if page.name == "trouble":
        raise CannotPay(f"the page says (HTTP {status}): {page.heading}. {page.reason}".rstrip(". ") + ".")
    return page


def _taken(page: Page) -> Page:
    if page.error:
        raise CannotPay(f"the page refuses: {page.error}")
    return page


def _form(page: Page, name: str) -> Form:
    form = page.form(name)
    if form is None:
        raise CannotPay(f"the page {page.heading!r} has no form {name!r}")
    return form
