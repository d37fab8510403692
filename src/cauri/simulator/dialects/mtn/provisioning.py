"""The sandbox's own API users and keys, and the token of every environment."""

from starlette.requests import Request
from starlette.responses import Response

from cauri.simulator.agenda import Agenda
from cauri.simulator.answers import json_answer, read_json_object
from cauri.simulator.dialects.mtn.accounts import TOKEN_S, Accounts, bare_host
from cauri.simulator.dialects.mtn.rules import Refused, malformed, reference_id_of


class Provisioning:
    def __init__(self, accounts: Accounts, agenda: Agenda) -> None:
        self._accounts = accounts
        self._agenda = agenda

    async def create_user(self, request: Request) -> Response:
        self._accounts.provisioner(subscription_key(request))
        user_id = reference_id_of(request.headers.get("x-reference-id"))
        body = await read_json_object(request)
        if body is None:
            raise malformed("the body must be a JSON object with providerCallbackHost")
        self._accounts.create(user_id, bare_host(body.get("providerCallbackHost")))
        return Response(status_code=201)

    async def show_user(self, request: Request) -> Response:
        self._accounts.provisioner(subscription_key(request))
        user = self._accounts.sandbox_user(request.path_params["user_id"])
        return json_answer({"providerCallbackHost": user.callback_host, "targetEnvironment": "sandbox"})

    async def create_key(self, request: Request) -> Response:
        self._accounts.provisioner(subscription_key(request))
        user = self._accounts.sandbox_user(request.path_params["user_id"])
        await _require_empty(request)
        return json_answer({"apiKey": self._accounts.new_key(user)}, 201)

    async def token(self, request: Request) -> Response:
        account = self._accounts.subscription(subscription_key(request), "collection")
        await _require_empty(request)
        token = self._accounts.login(request.headers.get("authorization", ""), account, self._agenda.now())
        return json_answer({"access_token": token, "token_type": "access_token", "expires_in": TOKEN_S})


def subscription_key(request: Request) -> str | None:
    return request.headers.get("ocp-apim-subscription-key")


async def _require_empty(request: Request) -> None:
    if "content-length" not in request.headers:
        raise Refused(411, "LENGTH_REQUIRED", "Content-Length must be present, also when it is 0")
    if await request.body():
        raise malformed("this operation takes no body")
