"""What happens when the payer opens the page or presses one of its buttons."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cauri.checkout.language import Language, language_of
from cauri.checkout.offers import chose_card, given_phone, payer_phone, untold_methods
from cauri.checkout.pages import Confirm, Page, Problem, Wait, choose_page, confirm_page, is_fresh, page_of
from cauri.checkout.rendering import Renderer, Trouble
from cauri.checkout.typed import Typed, read_form, typed_of
from cauri.checkout.way_back import way_back
from cauri.clock import SECOND
from cauri.domain.codes import Code
from cauri.domain.errors import PayerError, PaymentNotFound
from cauri.domain.payment import AttemptStatus, Payment
from cauri.lifecycle import Lifecycle, View
from cauri.wire.callers import Addresses

FIRST_DELIVERY_S = 2.0

# Which field of the form a reason belongs to; the others belong to the form as a whole.
FIELD_OF_REASON = {
    "phone_unreadable": "number",
    "phone_length": "number",
    "phone_country": "number",
    "country_unavailable": "country",
    "method_unavailable": "method",
    "method_needed": "method",
    "code_format": "code",
    "too_soon": "",
    "too_many_prompts": "",
}
# The payment has moved on without this form: its page says where it stands.
_MOVED_ON = frozenset({"in_flight", "ended", "no_code_expected", "session_over"})


class Desk:
    """One handler for each door. Raises BadForm and StoreUnavailable, which the door turns into pages."""

    def __init__(self, lifecycle: Lifecycle, renderer: Renderer, addresses: Addresses) -> None:
        self._lifecycle = lifecycle
        self._renderer = renderer
        self._addresses = addresses

    async def show(self, request: Request) -> Response:
        """The page of the payment's state."""
        view = await self._lifecycle.view(request.path_params["token"])
        if view is None:
            return self._unknown(request)
        if view.payment.final and is_fresh(view):
            await self._lifecycle.first_delivery(view.payment.token, FIRST_DELIVERY_S)
        if "back" in request.query_params:
            await self._lifecycle.hint(view.payment.token)
        page = page_of(view)
        if isinstance(page, Confirm) and page.method is None:
            page = confirm_page(view, await self._advised(view, Typed()))
        return self._renderer.page(page, _language(request, view), _onward(request, page))

    async def back_to_page(self, request: Request) -> Response:
        """A step that was reloaded or bookmarked has nothing to show by itself."""
        language = language_of(request.query_params, request.headers)
        return RedirectResponse(self._renderer.path(request.path_params["token"], language=language), 303)

    async def number(self, request: Request) -> Response:
        """Country and number → the operator found, or the same form with what is wrong."""
        typed = typed_of(await read_form(request))
        view = await self._lifecycle.view(request.path_params["token"])
        if view is None:
            return self._unknown(request)
        if not _can_choose(view):
            return self._see(request, view.payment)
        if typed.edit:
            return self._page(request, view, choose_page(view, typed))
        return self._page(request, view, _confirm(view, await self._advised(view, typed)))

    async def pay(self, request: Request) -> Response:
        """Starts the attempt. A number that was changed beside the pay button is looked at again first."""
        typed = typed_of(await read_form(request))
        token = request.path_params["token"]
        view = await self._lifecycle.view(token)
        if view is None:
            return self._unknown(request)
        if not _can_choose(view):
            return self._see(request, view.payment)
        if typed.confirmed is not None and typed.confirmed != typed.number:
            typed = await self._advised(view, replace(typed, method=""))
            return self._page(request, view, _confirm(view, typed, changed=True))
        try:
            return self._see(request, await self._start(view, typed, self._addresses.of(request.scope)))
        except PayerError as error:
            return await self._refused(request, error, typed)

    async def code(self, request: Request) -> Response:
        typed = typed_of(await read_form(request))
        try:
            payment = await self._lifecycle.give_code(request.path_params["token"], typed.code)
        except PaymentNotFound:
            return self._unknown(request)
        except PayerError as error:
            return await self._refused(request, error, typed)
        return self._see(request, payment)

    async def cancel(self, request: Request) -> Response:
        """Ends the payment; its page tells, with the way back. Something in flight: its page shows that instead."""
        await read_form(request)
        try:
            payment = await self._lifecycle.cancel(request.path_params["token"])
        except PaymentNotFound:
            return self._unknown(request)
        except PayerError as error:
            return await self._refused(request, error, Typed())
        return self._see(request, payment)

    async def leave(self, request: Request) -> Response:
        """Records that the customer went back to the shop, and sends the customer there with the same form.

        307 keeps method and fields, so that one press of a button without script both tells us and returns. A form without the
        return's own fields only tells us.
        """
        fields = await read_form(request)
        try:
            payment = await self._lifecycle.leave(request.path_params["token"])
        except PaymentNotFound:
            return self._unknown(request)
        except PayerError as error:
            return await self._refused(request, error, Typed())
        back = way_back(payment)
        if back is None or fields != {"transaction_id": back.transaction_id, "token": back.token}:
            return self._see(request, payment)
        if payment.final:
            await self._lifecycle.first_delivery(payment.token, FIRST_DELIVERY_S)
        return RedirectResponse(
            back.url, 307, headers={"referrer-policy": "no-referrer", "cache-control": "no-store"}
        )

    async def _start(self, view: View, typed: Typed, address: str) -> Payment:
        if chose_card(typed):
            return await self._lifecycle.start(view.payment.token, typed.country, None, typed.method, address)
        phone = payer_phone(view, typed, bounded=False)
        given = view.payment.request.lock_phone_number or not typed.number
        number = None if given else typed.number
        return await self._lifecycle.start(
            view.payment.token, phone.country, number, typed.method or None, address
        )

    async def _refused(self, request: Request, error: PayerError, typed: Typed) -> Response:
        """The form again with what is wrong, or the page of the state that made the form pointless."""
        view = await self._lifecycle.view(request.path_params["token"])
        if view is None:
            return self._unknown(request)
        if error.reason in _MOVED_ON:
            return self._see(request, view.payment)
        problem = Problem(
            field=FIELD_OF_REASON[error.reason], reason=error.reason, wait_s=_wait_s(error, view.now)
        )
        if problem.field == "code":
            page = page_of(view, problem)
            return self._page(request, view, page) if page.status != 200 else self._see(request, view.payment)
        if error.reason == "method_needed":
            typed = await self._advised(view, typed)
        return self._page(request, view, _form_again(view, typed, problem))

    async def _advised(self, view: View, typed: Typed) -> Typed:
        """With the operator preselected that other operators name, where the number's prefix tells none."""
        if typed.method:
            return typed
        try:
            phone = payer_phone(view, typed)
        except PayerError:
            return typed
        offered = untold_methods(view, phone)
        method = await self._lifecycle.predicted(phone, offered) if offered else None
        return replace(typed, method=method or "")

    def _page(self, request: Request, view: View, page: Page) -> Response:
        problem = getattr(page, "problem", None)
        headers = {"retry-after": str(problem.wait_s or 5)} if problem and page.status == 429 else {}
        return self._renderer.page(page, _language(request, view), headers)

    def _see(self, request: Request, payment: Payment) -> Response:
        """303 to the payment's page; ``go`` there leads on to the operator's page, once."""
        language = language_of(request.query_params, request.headers, payment.request.lang)
        path = self._renderer.path(payment.token, language=language)
        if request.url.path.endswith("/pay") and payment.code is Code.WAITING_AT_OPERATOR:
            path += "&go=1" if language.query else "?go=1"
        return RedirectResponse(path, 303, headers={"cache-control": "no-store"})

    def _unknown(self, request: Request) -> Response:
        return self._renderer.trouble(
            Trouble("unknown", 404), language_of(request.query_params, request.headers)
        )


def _language(request: Request, view: View) -> Language:
    return language_of(request.query_params, request.headers, view.payment.request.lang)


def _wait_s(error: PayerError, now: int) -> int:
    """Whole seconds until it may be tried again, 0 where nobody knows."""
    return 0 if error.again_at is None else max(1, -(-(error.again_at - now) // SECOND))


def _can_choose(view: View) -> bool:
    """Whether a number can be given now: an attempt that only waits for a code gives way."""
    in_flight = view.attempt is not None and view.attempt.status is AttemptStatus.SENT
    return not view.payment.final and not in_flight and view.now < view.payment.expires_at


def _confirm(view: View, typed: Typed, *, changed: bool = False) -> Page:
    """The confirm step where the number can be read, else the choose page with what is wrong."""
    try:
        payer_phone(view, typed)
    except PayerError as error:
        return _form_again(view, typed, Problem(field=FIELD_OF_REASON[error.reason], reason=error.reason))
    return confirm_page(view, typed, changed=changed)


def _form_again(view: View, typed: Typed, problem: Problem) -> Page:
    """Number and country belong to the first step, the operator to the second, the card without a number to the page that came first."""
    if chose_card(typed):
        locked = view.payment.request.lock_phone_number and given_phone(view.payment.request) is not None
        return confirm_page(view, Typed(), problem) if locked else choose_page(view, typed, problem)
    if problem.field in ("number", "country"):
        return choose_page(view, typed, problem)
    return confirm_page(view, typed, problem)


def _onward(request: Request, page: Page) -> dict[str, str]:
    """After the pay button, on to the operator's page; a Refresh of a second leaves no stop for the browser's back button."""
    if "go" not in request.query_params or not isinstance(page, Wait) or page.operator_page is None:
        return {}
    return {"refresh": f"1; url={page.operator_page}"}
