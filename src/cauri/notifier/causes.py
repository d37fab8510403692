"""From what aiohttp, the TLS library or the system raised to the fault that a shop's developer is told."""

from __future__ import annotations

import os
import ssl

import aiohttp

from cauri.notifier.addresses import ForbiddenAddress, ForbiddenUrl
from cauri.notifier.faults import Fault

EXPECTED = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request may raise for what the network, the shop or the URL does."""


def fault_of(error: BaseException, timeout_s: float) -> tuple[Fault, object]:
    """Why no answer came, with the detail that its words name."""
    match error:
        case ForbiddenUrl():
            return error.fault, error.detail
        case ForbiddenAddress():
            return Fault.PRIVATE, error
        case TimeoutError():
            connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
            return Fault.CONNECT_TIME if connecting else Fault.TIME, f"{timeout_s:g}"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return _certificate_fault(error)
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Fault.NOT_TLS, getattr(getattr(error, "os_error", error), "reason", None) or error
        case aiohttp.ClientConnectorError():
            return _connection_fault(error)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | ConnectionError():
            return Fault.HUNG_UP, ""
        case aiohttp.InvalidURL():
            return Fault.NOT_A_URL, error.description or ""
        case UnicodeError():  # the system's resolver is asked for no such name: an empty or overlong part
            return Fault.NAME, ""
        case _:
            return _fault_of_nonsense(error)


def _fault_of_nonsense(error: BaseException) -> tuple[Fault, object]:
    if isinstance(error, aiohttp.ClientResponseError) and _TLS_RECORD in error.message:
        return Fault.TLS_PORT, ""
    return Fault.NOT_AN_ANSWER, f"{type(error).__name__}: {_words(error)}"[:300]


def _words(error: BaseException) -> str:
    """Without the URL, which aiohttp adds: shops put secrets into its query, and these words go to the log, too."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join(text.split()).removesuffix(" ^")  # the parser points into the lines that it shows


# How a TLS alert begins, as the HTTP parser quotes it.
_TLS_RECORD = "\\x15\\x03"


def _connection_fault(error: aiohttp.ClientConnectorError) -> tuple[Fault, object]:
    cause, where = error.os_error, f"{error.host}:{error.port}"
    if isinstance(cause, ForbiddenAddress):
        return Fault.PRIVATE, cause
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Fault.NAME, ""
    if isinstance(cause, ConnectionRefusedError):
        return Fault.REFUSED, where
    if isinstance(cause, ConnectionResetError):
        return Fault.HUNG_UP, ""
    return Fault.UNREACHABLE, f"{where}: {os.strerror(cause.errno).lower() if cause.errno else cause}"


# OpenSSL's numbers, X509_V_ERR_…
_CERTIFICATE_FAULTS = {
    9: Fault.CERTIFICATE_EARLY,
    10: Fault.CERTIFICATE_EXPIRED,
    18: Fault.CERTIFICATE_SELF_SIGNED,
    19: Fault.CERTIFICATE_CHAIN,
    20: Fault.CERTIFICATE_CHAIN,
    21: Fault.CERTIFICATE_CHAIN,
    62: Fault.CERTIFICATE_HOST,
    64: Fault.CERTIFICATE_HOST,
}


def _certificate_fault(error: BaseException) -> tuple[Fault, object]:
    cause = getattr(error, "certificate_error", error)
    fault = _CERTIFICATE_FAULTS.get(getattr(cause, "verify_code", 0), Fault.CERTIFICATE)
    return fault, getattr(cause, "verify_message", "") or cause
