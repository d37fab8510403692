"""Moov's connector at an address where nobody listens, in front of pawaPay: starts that cannot have begun anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

import cauri.connectors
from cauri.operators.base import Connector, Flow, Route
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.pawapay import PawaPay


class MoovEverywhere(Moov3pp):
    """The real connector, sent in first for methods of other flows, too."""

    routes: Mapping[str, Route] = {  # type: ignore[assignment]
        "MOOVBF": Route("MOOV_BFA", low=200, high=1_000_000),
        "FLOOZ": Route("MOOV_CIV"),
        "WAVECI": Route("MOOV_CIV"),
        "OMBF": Route("MOOV_BFA"),
        "OM": Route("MOOV_CIV", Flow.CODE),
    }


# The sandbox sends some methods to pawaPay alone.
MOOV_THEN_PAWAPAY = dict.fromkeys(("OM", "WAVECI", "OMBF"), ("moov_3pp", "pawapay"))


@contextmanager
def closed_port() -> Iterator[str]:
    """The URL of a port that is held and not listened on: every connection is refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def moov_first(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Gateways that are made from now on have Moov at this URL, then pawaPay, and nobody else."""
    usual = cauri.connectors.connectors

    def with_moov_first(settings: Any, *rest: Any) -> list[Connector]:
        others = [each for each in usual(settings, *rest) if isinstance(each, PawaPay)]
        return [MoovEverywhere(url, "cauri", "secret"), *others]

    monkeypatch.setattr(cauri.connectors, "connectors", with_moov_first)
