"""Which connectors the settings make, and which of them serves which method."""

from __future__ import annotations

from cauri.clock import Clock
from cauri.config import BadSettings, Settings
from cauri.domain.codes import Code
from cauri.operators.base import Connector
from cauri.operators.card_page import CardPage
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.orange_ompreq import OrangeOmpreq
from cauri.operators.orange_webpay import OrangeWebPay
from cauri.operators.pawapay import PawaPay
from cauri.operators.registry import Operators


def connectors(settings: Settings, clock: Clock | None = None) -> list[Connector]:
    """The connectors that are configured, in the order in which they are preferred: an operator's own before an aggregator."""
    clock = clock or Clock()
    found: list[Connector] = []
    if (moov := settings.operators.moov_3pp) is not None:
        found.append(Moov3pp(moov.base_url, moov.username, moov.password, hash_header=moov.hash_header))
    found += _orange(settings, clock)
    found += [
        CardPage(country, card.base_url, card.key, clock=clock)
        for country, card in settings.operators.card_page.items()
    ]
    if (pawapay := settings.operators.pawapay) is not None:
        own_url = f"{settings.public_url.rstrip('/')}/operators/{PawaPay.name}/callback"
        found.append(
            PawaPay(
                pawapay.base_url,
                pawapay.token,
                callback_url=pawapay.callback_url or own_url,
                signed_callbacks=pawapay.signed_callbacks,
                public_keys=pawapay.public_keys,
                clock=clock,
            )
        )
    return found


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
        found = connectors(settings, clock)
    except ValueError as error:
        raise BadSettings([f"operators: {error}"]) from None
    by_name = {connector.name: connector for connector in found}
    faults = [
        f"methods.{method}: {name} does not serve it; {name} serves {', '.join(by_name[name].routes)}"
        for method, name in settings.methods.items()
        if method not in by_name[name].routes
    ]
    if faults:
        raise BadSettings(faults)
    return Operators(found, settings.methods)
