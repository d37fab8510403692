"""`python -m cauri_shop check TRANSACTION_ID`, `listen` (both with the keys from the environment) and `reconcile MODULE:BOOK`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .checkout import CINETPAY, Checkout
from .errors import CauriError, InvalidField
from .listen import listen
from .reconcile_command import reconcile
from .secret_keys import comma_separated

_KEYS = """environment:
  CAURI_APIKEY, CAURI_SITE_ID   your site's keys
  CAURI_SECRET_KEY              verifies x-token; old,new while it is being changed; leave it out for a site without one
  CAURI_BASE_URL                the gateway; CinetPay when it is not set
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 the gateway said no or nothing, 2 a wrong call."""
    given = _parser().parse_args(arguments)
    if given.command == "reconcile":
        return _reconcile(given)
    try:
        with _checkout() as checkout:
            if given.command == "check":
                return _check(checkout, given.transaction_id)
            return listen(checkout, given.host, given.port)
    except InvalidField as error:
        print(f"{error} (set CAURI_{error.field.upper()})", file=sys.stderr)
        return 2
    except CauriError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"cannot listen on {given.host}:{given.port}: {error}. Choose another --port, or 0.",
            file=sys.stderr,
        )
        return 1


def _reconcile(given: argparse.Namespace) -> int:
    try:
        return reconcile(given.book, given.limit, given.rate)
    except InvalidField as error:
        print(f"reconcile: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cauri_shop", description="Try a site's keys and its notifications.", epilog=_KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="ask the gateway for a payment's status")
    check.add_argument("transaction_id", help="the payment's name, as you gave it to start")
    listening = commands.add_parser("listen", help="answer as a notify_url; print and verify what comes")
    listening.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    listening.add_argument(
        "--port", type=int, default=8083, help="port to listen on (8083); 0 takes a free one"
    )
    asking = commands.add_parser(
        "reconcile", help="ask about payments that stayed open, work the outbox: for cron"
    )
    asking.add_argument(
        "book", metavar="MODULE:BOOK", help="the shop's payment book, such as shop.payments:book"
    )
    asking.add_argument("--limit", type=int, help="ask about this many at most")
    asking.add_argument("--rate", type=float, default=5.0, help="questions a second (5)")
    return parser


def _checkout() -> Checkout:
    env = os.environ
    return Checkout(
        env.get("CAURI_APIKEY", ""), env.get("CAURI_SITE_ID", ""), comma_separated(env.get("CAURI_SECRET_KEY")),
        env.get("CAURI_BASE_URL") or CINETPAY,
    )  # fmt: skip


def _check(checkout: Checkout, transaction_id: str) -> int:
    status = checkout.check(transaction_id)
    print(f"{transaction_id}: {status.state.value} ({status.code} {status.message})")
    for name in ("amount", "currency", "payment_method", "operator_id", "payment_date", "api_response_id"):
        if getattr(status, name) is not None:
            print(f"  {name:16} {getattr(status, name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
