"""Kills the shop with SIGKILL before each line of the book, its storage, its doors and the hooks; restarts it; counts.

Run by test_sqlalchemy_kills.py: `kill KIND FOLDER GATEWAY`; two lines of JSON per kill. Children are forked, so that
everything is imported once.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

import cauri_shop
import cauri_shop.fastapi
import cauri_shop.flask
from cauri_shop import OrderAlreadyPaid
from web_shop import hooks
from web_shop.shop import Shop, create_tables

HERE = Path(cauri_shop.__file__).parent
WATCHED = (
    str(HERE / "book"),
    str(HERE / "sqlalchemy"),
    str(HERE / "flask.py"),
    str(HERE / "fastapi.py"),
    hooks.__file__,
)
KIND, FOLDER, GATEWAY = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
EVERY = 12


def opened(database: Path) -> Shop:
    return Shop(KIND, f"sqlite:///{database}", GATEWAY, durable=False)


def scenario(shop: Shop) -> None:
    """Press "Pay", be notified twice, come back, work what is left."""
    shop.start("o1")
    for payment in shop.payments("o1"):
        shop.notify(payment.transaction_id)
        shop.notify(payment.transaction_id)
        shop.post("/cauri/return", f"transaction_id={payment.transaction_id}".encode())
    shop.reconcile()


def restart(database: Path) -> None:
    """What happens after any crash: the customer presses again, the gateway notifies again, cron runs."""
    shop = opened(database)
    shop.let_time_pass()
    with contextlib.suppress(OrderAlreadyPaid):
        shop.start("o1")
    for payment in shop.payments("o1"):
        assert shop.notify(payment.transaction_id) == 200
    shop.let_time_pass()
    shop.reconcile()
    print(json.dumps({
        "paid": shop.counts("paid"), "mail": shop.counts("mail"), "status": shop.statuses()["o1"],
        "payments": len(shop.payments("o1")),
    }), flush=True)  # fmt: skip


def traced(database: Path, kill_at, seen) -> None:
    """Runs the scenario; dies before `kill_at`, a (file, line), runs for the first time."""
    shop = opened(database)

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
        scenario(shop)
    finally:
        sys.settrace(None)


def forked(work) -> int:
    """Runs `work` in a child; gives its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        work()
        status = 0
    except BaseException as error:
        print(json.dumps({"error": repr(error)}), flush=True)
    finally:
        sys.stdout.flush()
        os._exit(status)


def main() -> None:
    template, first, database = (FOLDER / f"{name}.sqlite3" for name in ("template", "first", "kill"))

    def note() -> None:
        seen: list = []
        traced(first, None, seen)
        (FOLDER / "points.json").write_text(json.dumps(seen))

    create_tables(f"sqlite:///{template}")
    shop = opened(template)
    shop.ordered("o1")
    shutil.copy(template, first)
    # Whatever is imported when it is first used, once for all children.
    scenario(shop)
    shop.close()
    shutil.copy(first, template)
    if forked(note):
        sys.exit("the scenario fails without a kill")
    points = [tuple(point) for point in json.loads((FOLDER / "points.json").read_text())]
    # One line of `every`; CAURI_SHOP_KILLS=all takes them all, and each day's default begins at another line.
    every = 1 if os.environ.get("CAURI_SHOP_KILLS") == "all" else EVERY
    for point in points[datetime.now(timezone.utc).toordinal() % every :: every]:
        for leftover in FOLDER.glob("kill.sqlite3*"):
            leftover.unlink()
        shutil.copy(template, database)
        status = forked(lambda point=point: traced(database, point, None))
        where = f"{Path(point[0]).name}:{point[1]}"
        print(json.dumps({"point": where, "killed": os.WIFSIGNALED(status)}), flush=True)
        forked(lambda: restart(database))


if __name__ == "__main__":
    main()
