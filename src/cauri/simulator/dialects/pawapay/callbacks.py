"""pawaPay's callbacks: one URL for the whole account, tried for a quarter of an hour."""

from collections.abc import Mapping

import msgspec

from cauri.simulator.callbacks import Call, Callbacks
from cauri.simulator.dialects.pawapay.signing import Signer

GAPS_S = (5, 10, 20, 40, 60, 120, 240, 405)
"""Seconds between one try and the next: fifteen minutes in all. pawaPay publishes the sum, not the steps."""


class DepositCallbacks:
    """Delivers to the one URL of the account; without a URL nothing is ever sent."""

    def __init__(self, callbacks: Callbacks, url: str | None, signer: Signer) -> None:
        self.url = url
        self._callbacks = callbacks
        self._signer = signer

    def send(self, body: Mapping[str, object], times: int = 1) -> None:
        """Delivers `body` in the background, one delivery after the other."""
        if self.url is not None:
            self._callbacks.send(self._call(self.url, body), GAPS_S, times)

    async def send_now(self, body: Mapping[str, object]) -> None:
        """The first try is over when this returns; the others follow in the background."""
        if self.url is not None:
            await self._callbacks.send_now(self._call(self.url, body), GAPS_S)

    def _call(self, url: str, body: Mapping[str, object]) -> Call:
        return Call(
            url,
            msgspec.json.encode(body),
            reference=str(body["depositId"]),
            said=str(body["status"]),
            sign=self._signer.headers,
            heard_by=range(200, 201),
        )
