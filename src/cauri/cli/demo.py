"""``cauri demo``: a whole purchase through the real HTTP doors, told line by line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer

from cauri import logs
from cauri.cli.instance import Trouble, database_in, plain_app
from cauri.customer import CustomerTrouble, pay
from cauri.event_loop import EventLoop
from cauri.sandbox import Sandbox, SandboxOptions
from cauri.serving import bound_socket, stop_signal

app = plain_app()

PHONE = "+2250102324373"
DELIVERED_WITHIN_S = 30
READY_WITHIN_S = 60


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Leave after the story: exit status 0 if the order was delivered.")
    ] = False,
    shop: Annotated[Path, typer.Option(help="The demo shop's folder.")] = Path("examples/boutique"),
    port: Annotated[int, typer.Option(help="The gateway's port; 0 takes a free one.")] = 8080,
    operators_port: Annotated[int, typer.Option(help="The simulated operators' port.")] = 8081,
    shop_port: Annotated[int, typer.Option(help="The demo shop's port.")] = 8082,
) -> None:
    """A purchase from the shop's basket to the delivered order, then everything stays up to be tried by hand."""
    logs.set_up("text", os.environ.get("CAURI_LOG_LEVEL", "warning"))
    if not (shop / "manage.py").exists():
        raise Trouble(
            f"there is no demo shop in {shop}: run this in a clone of the repository, or name it with --shop"
        )
    try:
        sockets = [bound_socket("127.0.0.1", number) for number in (port, operators_port)]
    except OSError as error:
        raise Trouble(f"{error.strerror}; --port, --operators-port and --shop-port take others") from None
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        delivered = runner.run(_demo(once, shop, shop_port, sockets))
    raise typer.Exit(0 if delivered or not once else 1)


async def _demo(once: bool, shop: Path, shop_port: int, sockets: list[Any]) -> bool:
    stop = stop_signal()
    with tempfile.TemporaryDirectory(prefix="cauri-demo-") as folder:
        gateway_socket, operators_socket = sockets
        options = SandboxOptions(database=database_in(Path(folder)))
        sandbox = Sandbox(options, gateway_socket, operators_socket)
        await sandbox.start()
        try:
            async with _started_shop(shop, shop_port, Path(folder), sandbox) as (shop_url, lines):
                typer.echo(
                    f"\ngateway    {sandbox.url}\noperators  {sandbox.operators_url}   (simulated)\nshop       {shop_url}\n"
                )
                delivered = await Story(sandbox, shop_url, lines).play()
                if not once and not stop.is_set():
                    _invite(sandbox, shop_url)
                    await stop.wait()
                return delivered
        finally:
            await sandbox.stop()


class Story:
    """One customer's purchase; every line is told when it happens."""

    def __init__(self, sandbox: Sandbox, shop_url: str, lines: asyncio.Queue[str]) -> None:
        self._sandbox = sandbox
        self._shop_url = shop_url
        self._lines = lines
        self._began = time.monotonic()
        self._told: set[str] = set()

    async def play(self) -> bool:
        """True when the shop has delivered the order."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            try:
                payment_url = await self._order(browser)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch_operator())
                    delivered = group.create_task(self._watch_shop())
                    group.create_task(self._pay(payment_url))
            except (aiohttp.ClientError, ExceptionGroup, Trouble) as error:
                typer.echo(f"the story broke off: {error}", err=True)
                return False
        self._tell(
            "end", "the customer has the order" if delivered.result() else "THE ORDER WAS NOT DELIVERED"
        )
        return delivered.result()

    def _tell(self, what: str, line: str) -> None:
        """Each event once: some are seen from two sides."""
        if what not in self._told:
            self._told.add(what)
            typer.echo(f"{time.monotonic() - self._began:7.3f} s  {line}")

    async def _order(self, browser: aiohttp.ClientSession) -> str:
        """Basket and checkout in the shop, which initialises the payment; gives back its payment_url."""
        home = await _hidden_fields(browser, self._shop_url + "/")
        await _posted(browser, f"{self._shop_url}/basket", {**home, "product": "cafe"})
        self._tell("basket", "basket       one coffee in the shop's basket")
        basket = await _hidden_fields(browser, f"{self._shop_url}/basket")
        customer = {
            "customer_surname": "Awa",
            "customer_name": "Koné",
            "customer_phone": PHONE,
            "customer_email": "awa@example.com",
        }
        payment_url = await _posted(browser, f"{self._shop_url}/pay", {**basket, **customer})
        if "/payment/" not in payment_url:
            raise Trouble(f"the shop could not open the payment: see {self._shop_url}{payment_url}")
        self._tell("initialised", f"initialised  the shop opened the payment: {payment_url}")
        return payment_url

    async def _pay(self, payment_url: str) -> None:
        words = {
            "page opened": "page opened  the customer sees the amount",
            "number given": f"number given {PHONE}",
        }
        try:
            await pay(
                payment_url, PHONE, tell=lambda step: self._tell(step, words[step]) if step in words else None
            )
        except CustomerTrouble as error:
            raise Trouble(f"the customer is stuck: {error}") from error

    async def _watch_operator(self) -> None:
        """What the simulated operator has in its own books."""
        control = f"{self._sandbox.operators_url}/_control"
        async with aiohttp.ClientSession() as session:
            while "approved" not in self._told and "end" not in self._told:
                if await _some(session, f"{control}/prompts", "prompts"):
                    self._tell("prompted", "prompted     the operator asks on the customer's handset")
                if await _some(session, f"{control}/books", "debits"):
                    self._tell("prompted", "prompted     the operator asks on the customer's handset")
                    self._tell(
                        "approved", "approved     the customer typed the PIN, the operator has the money"
                    )
                if time.monotonic() - self._began > DELIVERED_WITHIN_S:
                    return
                await asyncio.sleep(0.02)

    async def _watch_shop(self) -> bool:
        """What the shop says it does. While waiting the shop is told of each change too; only the end is the story's."""
        notified = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DELIVERED_WITHIN_S):
                while True:
                    line = await self._lines.get()
                    if line.startswith("notified "):
                        notified = line
                    elif re.fullmatch(r"checked \S+ 00", line):
                        self._tell(
                            "approved", "approved     the customer typed the PIN, the operator has the money"
                        )
                        self._tell(
                            "notified",
                            f"notified     the gateway told the shop about {notified.removeprefix('notified ')}",
                        )
                        self._tell("checked", "checked      the shop asked the API: 00 SUCCES")
                    elif re.fullmatch(r"order \S+ delivered", line):
                        self._tell("delivered", f"delivered    {line}, once")
                        return True
        return False


async def _some(session: aiohttp.ClientSession, url: str, name: str) -> bool:
    """Whether the simulator's list of this name is not empty."""
    async with session.get(url) as answer:
        return bool((await answer.json())[name])


@contextlib.asynccontextmanager
async def _started_shop(
    shop: Path, port: int, folder: Path, sandbox: Sandbox
) -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """The demo shop as a process of its own, its URL and what it prints."""
    facts = sandbox.facts()
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "CAURI_BASE_URL": facts["base_url"],
        "CAURI_APIKEY": facts["apikey"],
        "CAURI_SITE_ID": facts["site_id"],
        "CAURI_SECRET_KEY": facts["secret_key"],
    }
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "manage.py",
            "serve",
            "--port",
            str(port),
            "--database",
            str(folder / "shop.sqlite3"),
        ),
        cwd=shop,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        url = await _shop_url(process)
        lines: asyncio.Queue[str] = asyncio.Queue()
        reader = asyncio.create_task(_read_lines(process, lines))
        yield url, lines
        reader.cancel()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _shop_url(process: asyncio.subprocess.Process) -> str:
    """Waits for the shop's line that says where it listens."""
    if process.stdout is None:
        raise Trouble("the shop's output cannot be read")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN_S):
            while line := (await process.stdout.readline()).decode():
                found = re.search(r"ready on (http://\S+?)/?(?:\s|$)", line)
                if found:
                    return found[1]
    raise Trouble("the demo shop did not start: its own words are above; is its port free?")


async def _read_lines(process: asyncio.subprocess.Process, lines: asyncio.Queue[str]) -> None:
    if process.stdout is not None:
        while line := await process.stdout.readline():
            lines.put_nowait(line.decode().strip())


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden" and found.get("name"):
            self.fields.setdefault(str(found["name"]), found.get("value") or "")


async def _hidden_fields(browser: aiohttp.ClientSession, url: str) -> dict[str, str]:
    async with browser.get(url) as page:
        parser = _Hidden()
        parser.feed(await page.text())
    return {name: value for name, value in parser.fields.items() if name != "product"}


async def _posted(browser: aiohttp.ClientSession, url: str, fields: dict[str, str]) -> str:
    """Where the form leads."""
    async with browser.post(url, data=fields, headers={"Referer": url}, allow_redirects=False) as answer:
        if answer.status != 303:
            raise Trouble(f"{url} answered {answer.status} to the form")
        return answer.headers["Location"]


def _invite(sandbox: Sandbox, shop_url: str) -> None:
    facts = sandbox.facts()
    typer.echo(
        f"""
Try it by hand:
  shop        {shop_url}/
  API         {facts["base_url"]}/docs
  initialise  POST {facts["payment_endpoint"]}   site_id {facts["site_id"]}, apikey {facts["apikey"]}
  numbers     0102324373 pays, 0749012966 fails, one ending in 602 has no money (docs/sandbox.md has them all)

Ctrl-C stops everything."""
    )
