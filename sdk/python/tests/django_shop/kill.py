"""Kills the shop with SIGKILL before each line of the book and of the shop's hooks, restarts it, and counts.

Run by test_django_kills.py: one line of JSON per kill. Children are forked, so that Django is loaded once.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

from django.core.management import call_command
from django.db import connections

import cauri_shop
from cauri_shop.django.book import checkout
from django_shop import scene
from django_shop.goods.models import Sale

WATCHED = (str(Path(cauri_shop.__file__).parent / "book"), str(Path(cauri_shop.__file__).parent / "django"),
           str(Path(__file__).parent / "goods" / "payments.py"))  # fmt: skip


EVERY = 6


def scenario() -> None:
    """Press "Pay", be notified twice, work what is left."""
    scene.start("o1")
    for payment in scene.book.payments_of("o1"):
        scene.notify(payment.transaction_id)
        scene.notify(payment.transaction_id)
    scene.reconcile()


def restart() -> None:
    """What happens after any crash: the customer presses again, the gateway notifies again, cron runs."""
    scene.let_time_pass()
    with contextlib.suppress(cauri_shop.OrderAlreadyPaid):
        scene.start("o1")
    for payment in scene.book.payments_of("o1"):
        assert scene.notify(payment.transaction_id) == 200
    scene.let_time_pass()
    scene.reconcile()
    print(json.dumps({
        "paid": scene.counts("paid"), "mail": scene.counts("mail"), "status": Sale.objects.get(pk="o1").status,
        "payments": len(scene.book.payments_of("o1")),
    }), flush=True)  # fmt: skip


def traced(kill_at, seen) -> None:
    """Runs the scenario; dies before `kill_at`, a (file, line), runs for the first time."""

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        point = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line":
            if point == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if seen is not None and point not in seen:
                seen.append(point)
        return trace

    sys.settrace(trace)
    try:
        scenario()
    finally:
        sys.settrace(None)


def forked(work, database: Path) -> int:
    """Runs `work` in a child on this database; gives its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        connections["default"].settings_dict["NAME"] = str(database)
        work()
        status = 0
    except BaseException as error:
        print(json.dumps({"error": repr(error)}), flush=True)
    finally:
        sys.stdout.flush()
        os._exit(status)


def main() -> None:
    folder = Path(sys.argv[1])
    template = folder / "template.sqlite3"
    forked(lambda: call_command("migrate", verbosity=0, run_syncdb=True), template)
    checkout()

    def note() -> None:
        seen: list = []
        traced(None, seen)
        (folder / "points.json").write_text(json.dumps(seen))

    shutil.copy(template, folder / "first.sqlite3")
    if forked(note, folder / "first.sqlite3"):
        sys.exit("the scenario fails without a kill")
    points = [tuple(point) for point in json.loads((folder / "points.json").read_text())]
    # One line of `every`; CAURI_SHOP_KILLS=all takes them all, and each day's default begins at another line.
    every = 1 if os.environ.get("CAURI_SHOP_KILLS") == "all" else EVERY
    for point in points[datetime.now(timezone.utc).toordinal() % every :: every]:
        database = folder / "kill.sqlite3"
        for leftover in folder.glob("kill.sqlite3*"):
            leftover.unlink()
        shutil.copy(template, database)
        status = forked(lambda point=point: traced(point, None), database)
        where = f"{Path(point[0]).name}:{point[1]}"
        print(json.dumps({"point": where, "killed": os.WIFSIGNALED(status)}), flush=True)
        forked(restart, database)


if __name__ == "__main__":
    main()
