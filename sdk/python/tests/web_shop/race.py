"""One of several processes of the shop, racing: notifications, forged ones, returns and reconcile runs, all at once.

Run by test_sqlalchemy_races.py: `race KIND DATABASE GATEWAY SEED`. Each line that it reads is a command in JSON, each
line that it prints the answer: {"start": [refs]} presses "Pay" twice for each order, {"race": {ref: name}} races.
"""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from cauri_shop.book import starting
from web_shop.shop import Shop, shuffled

EQUAL, AT_ONCE = 4, 12


def main() -> None:
    kind, database, gateway, seed = sys.argv[1:]
    starting._LOOKS *= 20  # who pressed first may be slow here: too many at once are on one machine
    shop = Shop(kind, database, gateway, durable=False)
    for line in sys.stdin:
        ((command, given),) = json.loads(line).items()
        print(json.dumps({"start": start, "race": race}[command](shop, given, int(seed))), flush=True)
    shop.close()


def start(shop, refs, seed):
    urls = all_at_once(shop, [lambda ref=ref: press(shop, ref) for ref in shuffled(refs * 2, seed)])
    return len(set(urls))


def press(shop, ref):
    return shop.book.start(ref, amount=1500, currency="XOF", description="Pagne")


def race(shop, names, seed):
    tasks = []
    for name in names.values():
        back = ("POST", "/cauri/return", f"transaction_id={name}".encode(), {"Content-Type": "text/plain"})
        calls = [("notify", shop.notification(name))] * EQUAL + [("forge", shop.notification(name, "0" * 64))]
        calls += [("back", back), ("page", ("GET", f"/cauri/return?transaction_id={name}"))]
        tasks += [lambda what=what, call=call: answered(shop, what, call) for what, call in calls]
    tasks += [lambda: reconciled(shop)] * 2
    found = all_at_once(shop, shuffled(tasks, seed))
    return sorted({tuple(answer) for answer in found})


def all_at_once(shop, works):
    if not shop.asynchronous:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda work: work(), works))

    async def every():
        room = asyncio.Semaphore(AT_ONCE)

        async def one(work):
            async with room:
                return await work()

        return await asyncio.gather(*(one(work) for work in works))

    return shop.do(every())


def answered(shop, what, call):
    if not shop.asynchronous:
        return what, shop.call(*call)[0]

    async def later():
        return what, (await shop.call(*call))[0]

    return later()


def reconciled(shop):
    if not shop.asynchronous:
        return "unreached", shop.book.reconcile(rate=1e6).unreached

    async def later():
        return "unreached", (await shop.book.reconcile(rate=1e6)).unreached

    return later()


if __name__ == "__main__":
    main()
