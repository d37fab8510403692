"""Which connectors the settings make, and which of them serves which method."""

from __future__ import annotations

from msgspec.structs import asdict

from cauri.clock import Clock
from cauri.config import BadSettings, Settings
from cauri.domain.codes import Code
from cauri.operators.base import Connector
from cauri.operators.card_page import CardPage
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.mtn import Mtn
from cauri.operators.orange_ompreq import OrangeOmpreq
from cauri.operators.orange_webpay import OrangeWebPay
from cauri.operators.pawapay import PawaPay
from cauri.operators.paygate import PayGate
from cauri.operators.registry import Operators, named
from cauri.operators.wave import Wave


def connectors(settings: Settings, clock: Clock) -> list[Connector]:
    """The connectors that are configured, in the order in which they are preferred: an operator's own before an aggregator."""
    operators = settings.operators
    found: list[Connector] = [
        Moov3pp(moov.base_url, moov.username, moov.password, country=country, hash_header=moov.hash_header)
        for country, moov in operators.moov_3pp.items()
    ]
    # The tables of MTN, Wave and PayGate have the names of their connectors' arguments.
    found += [Mtn(country, **asdict(table), clock=clock) for country, table in operators.mtn.items()]
    found += _orange(settings, clock)
    found += [Wave(country, **asdict(table), clock=clock) for country, table in operators.wave.items()]
    if operators.paygate is not None:
        found.append(PayGate(**asdict(operators.paygate)))
    found += [
        CardPage(country, card.base_url, card.key, clock=clock)
        for country, card in operators.card_page.items()
    ]
    return found + _aggregators(settings, clock)


def _aggregators(settings: Settings, clock: Clock) -> list[Connector]:
    pawapay = settings.operators.pawapay
    if pawapay is None:
        return []
    own_url = f"{settings.public_url.rstrip('/')}/operators/{PawaPay.name}/callback"
    return [
        PawaPay(
            pawapay.base_url,
            pawapay.token,
            callback_url=pawapay.callback_url or own_url,
            signed_callbacks=pawapay.signed_callbacks,
            public_keys=pawapay.public_keys,
            clock=clock,
        )
    ]


def _orange(settings: Settings, clock: Clock) -> list[Connector]:
    found: list[Connector] = [
        OrangeWebPay(
            country,
            orange.base_url,
            orange.client_id,
            orange.client_secret,
            orange.merchant_key,
            segment=orange.segment,
            failed=Code.of(str(orange.failed_code)),
            clock=clock,
        )
        for country, orange in settings.operators.orange_webpay.items()
    ]
    if (burkina := settings.operators.orange_ompreq) is not None:
        found.append(
            OrangeOmpreq(
                burkina.base_url,
                burkina.username,
                burkina.password,
                burkina.merchant_msisdn,
                certificate=burkina.client_certificate,
                key=burkina.client_key,
            )
        )
    return found


def operators_of(settings: Settings, clock: Clock | None = None) -> Operators:
    """The connectors and the routing of these settings. Raises BadSettings where they cannot work together."""
    try:
        found = connectors(settings, clock or Clock())
    except ValueError as error:
        raise BadSettings([f"operators: {error}"]) from None
    by_name = {connector.name: connector for connector in found}
    faults = [
        f"methods.{method}: {name} does not serve it; {name} serves {', '.join(by_name[name].routes)}"
        for method, names in settings.methods.items()
        for name in named(names)
        if method not in by_name[name].routes
    ]
    if faults:
        raise BadSettings(faults)
    return Operators(found, settings.methods)
