"""The guide's own samples against our gateway: only the URL and the keys are changed, and what Java and C# need to compile is put around.

They are copied from CinetPay's integration guide of August 2021, mistakes included (the trailing comma, the class name).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.samples, pytest.mark.in_turn]

SAMPLES = Path(__file__).parent / "samples"
GUIDES_URL = "https://api-checkout.cinetpay.com"
GUIDES_KEYS = ("votre-apikey", "votre-aptkey")
GUIDES_SITE = "votre-site-id"

JAVA_IMPORTS = """\
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

"""

CSHARP_USINGS = """\
using System;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Threading;
using Newtonsoft.Json;

"""

# The sample's method is "async void": its end is seen only by what it prints.
CSHARP_MAIN = """
public static class Program {
    public static void Main() {
        var real = Console.Out;
        var printed = new StringWriter();
        Console.SetOut(TextWriter.Synchronized(printed));
        new InitPayment().initPayment();
        for (int i = 0; i < 600 && printed.ToString().Length == 0; i++) Thread.Sleep(50);
        real.WriteLine(printed.ToString());
    }
}
"""

CSHARP_PROJECT = """\
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net{version}</TargetFramework><RollForward>Major</RollForward>
    <ImplicitUsings>disable</ImplicitUsings><Nullable>disable</Nullable>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.0.3" /></ItemGroup>
</Project>
"""


async def run(*command: str, cwd: Path, **environment: str) -> tuple[int, str]:
    """Exit status and everything printed. No proxy: the gateway is on this machine."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, output.decode(errors="replace")


def runtime(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


class Guide:
    """The samples of one endpoint, aimed at one site of one gateway."""

    def __init__(self, gateway: Any, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder

    def sample(self, endpoint: str, name: str) -> str:
        text = (SAMPLES / endpoint / name).read_text(encoding="utf-8").replace(GUIDES_URL, self.gateway.url)
        for key in GUIDES_KEYS:
            text = text.replace(key, self.gateway.apikey)
        return text.replace(GUIDES_SITE, self.gateway.site_id)

    async def curl(self, endpoint: str) -> str:
        return await self._run(endpoint, "curl.sh", runtime("curl") and runtime("bash"))

    async def python(self, endpoint: str) -> str:
        return await self._run(endpoint, "sample.py", sys.executable)

    async def javascript(self, endpoint: str) -> str:
        node = runtime("node")
        return await self._run(endpoint, "sample.js", node, NODE_PATH=str(await axios()))

    async def java(self, endpoint: str) -> str:
        return await self._run(endpoint, "InitPayment.java", runtime("java"), before=JAVA_IMPORTS)

    async def csharp(self, endpoint: str) -> str:
        dotnet = runtime("dotnet")
        _, version = await run(dotnet, "--version", cwd=self.folder)
        target = ".".join(version.strip().split(".")[:2])
        (self.folder / "Sample.csproj").write_text(CSHARP_PROJECT.format(version=target))
        text = CSHARP_USINGS + self.sample(endpoint, "InitPayment.cs") + CSHARP_MAIN
        (self.folder / "Program.cs").write_text(text)
        status, output = await run(dotnet, "run", cwd=self.folder)
        assert status == 0, output
        return output

    async def _run(
        self, endpoint: str, name: str, *command: str, before: str = "", **environment: str
    ) -> str:
        (self.folder / name).write_text(before + self.sample(endpoint, name), encoding="utf-8")
        status, output = await run(*command, name, cwd=self.folder, **environment)
        assert status == 0, output
        return output


async def axios() -> Path:
    """Where node finds axios: installed once into the source tree's cache. Skips where the registry cannot be reached."""
    cache = Path(__file__).parents[2] / ".cache" / "samples"
    modules = cache / "node_modules"
    if not (modules / "axios").exists():
        cache.mkdir(parents=True, exist_ok=True)
        status, output = await run(
            runtime("npm"),
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(cache),
            "axios@1",
            cwd=cache,
        )
        if status:
            pytest.skip(f"axios could not be installed: {output[-300:]}")
    return modules


@pytest.fixture
def guide(gateway: Any, tmp_path: Path) -> Guide:
    return Guide(gateway, tmp_path)


LANGUAGES = ("curl", "python", "javascript", "java", "csharp")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guides_initialisation(guide: Guide, gateway: Any, language: str) -> None:
    output = await getattr(guide, language)("initialisation")
    # The guide's Python sample prints only the status, and C# has another identifier than the others.
    assert "<Response [200]>" in output if language == "python" else "CREATED" in output, output
    named = "id-de-paiement" if language == "csharp" else "id-de-paiement-unique"
    payment = await gateway.store.payment_by_transaction(gateway.site_id, named)
    assert (payment.amount, payment.currency, payment.request.customer_name) == (100, "XOF", "Dje Bi")
    assert payment.request.notify_url == "https://www.exemple.com/notify"
    assert language == "python" or payment.token in output


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_guides_verification(guide: Guide, gateway: Any, language: str) -> None:
    fields = {
        "apikey": gateway.apikey,
        "site_id": gateway.site_id,
        "transaction_id": "id-de-paiement",
        "amount": 100,
        "currency": "XOF",
        "description": "TRANSACTION DESCRIPTION",
        "return_url": "https://www.exemple.com/return",
    }
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert (await client.post(f"{gateway.url}/v2/payment", json=fields)).status_code == 200
    output = await getattr(guide, language)("verification")
    if language == "python":
        assert "<Response [200]>" in output
    else:
        assert re.search(r"""code['"]?: ?['"]662""", output), output
        assert "WAITING_CUSTOMER_PAYMENT" in output


def test_the_samples_are_the_guides_with_nothing_filled_in() -> None:
    texts = [path.read_text() for path in SAMPLES.rglob("*") if path.is_file()]
    assert len(texts) == 2 * len(LANGUAGES)
    assert all(
        GUIDES_URL in text and GUIDES_SITE in text and any(key in text for key in GUIDES_KEYS)
        for text in texts
    )
