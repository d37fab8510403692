"""Everything that can be wrong with a notify_url, each with what its developer can do about it. One table for the delivery log and for
"test this URL". Pure."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a shop was not told."""

    # before anything was sent
    NOT_A_URL = "not a URL"
    NOT_HTTP = "not http"
    USER_IN_URL = "user in URL"
    PORT = "port"
    PRIVATE = "private address"
    NAME = "name"
    # on the way
    REFUSED = "connection refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIME = "connect time"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_EARLY = "certificate not yet valid"
    CERTIFICATE_SELF_SIGNED = "certificate self-signed"
    CERTIFICATE_CHAIN = "certificate chain"
    CERTIFICATE_HOST = "certificate host"
    CERTIFICATE = "certificate"
    NOT_TLS = "not TLS"
    TLS_PORT = "TLS port"
    TLS_TIME = "TLS time"
    TIME = "time"
    HUNG_UP = "hung up"
    NOT_AN_ANSWER = "not an answer"
    # answers
    REDIRECT = "redirect"
    ACCESS = "access"
    NOT_FOUND = "not found"
    GONE = "gone"
    METHOD = "method"
    EXPIRED_FORM = "expired form"
    BODY = "body"
    TOO_MANY = "too many"
    SERVER = "server"
    STATUS = "status"


TEXTS: dict[Fault, str] = {
    Fault.NOT_A_URL: "this is no address that can be called: {detail}",
    Fault.NOT_HTTP: "refused: a notify_url begins with https:// or http://",
    Fault.USER_IN_URL: "refused: a notify_url carries no user name or password (user:password@host); verify x-token instead",
    Fault.PORT: "refused: port {detail} is not open to notifications: use 80 or 443, or have it allowed ([notifications] ports)",
    Fault.PRIVATE: "refused: {detail} is not a public address",
    Fault.NAME: "the host's name cannot be resolved: check its spelling, and that its DNS record is published",
    Fault.REFUSED: "cannot connect to {detail}: connection refused: nothing listens there, or a firewall says no",
    Fault.UNREACHABLE: "cannot connect to {detail}",
    Fault.CONNECT_TIME: "no connection within {detail} s: is the address right, does a firewall drop us?",
    Fault.CERTIFICATE_EXPIRED: "the TLS certificate is not accepted: it has expired: renew it",
    Fault.CERTIFICATE_EARLY: "the TLS certificate is not accepted: it is not valid yet: look at its dates and the server's clock",
    Fault.CERTIFICATE_SELF_SIGNED: (
        "the TLS certificate is not accepted: it is self-signed: use one of a public authority (Let's Encrypt is free)"
    ),
    Fault.CERTIFICATE_CHAIN: (
        "the TLS certificate is not accepted: its issuer is not known here: serve the whole chain, intermediate certificates "
        "included (fullchain.pem), from a public authority"
    ),
    Fault.CERTIFICATE_HOST: "the TLS certificate is not accepted: it is for another name: {detail}",
    Fault.CERTIFICATE: "the TLS certificate is not accepted: {detail}",
    Fault.NOT_TLS: "no TLS connection ({detail}): does this port speak plain http, or an old TLS?",
    Fault.TLS_PORT: "this port speaks TLS: write https:// in the notify_url",
    Fault.TLS_TIME: "connected, but no TLS within {detail} s: does this port speak TLS?",
    Fault.TIME: "no answer within {detail} s: answer first, work after",
    Fault.HUNG_UP: "the connection was closed before an answer came: see the web server's error log (or does the port speak TLS?)",
    Fault.NOT_AN_ANSWER: "what came is no HTTP answer: {detail}",
    Fault.REDIRECT: "redirects are not followed: give the final address as notify_url",
    Fault.ACCESS: "the notify_url refuses us: leave it open to POST and verify x-token instead (CSRF protection, a login wall?)",
    Fault.NOT_FOUND: "nothing answers at this notify_url: check its path",
    Fault.GONE: "the notify_url says that it is gone for good (410): this is parked until its host answers anything again, or until it is replayed",
    Fault.METHOD: "the notify_url must accept POST",
    Fault.EXPIRED_FORM: "the notify_url asks for a form token (419): leave it out of the framework's CSRF protection",
    Fault.BODY: "the notify_url answered {detail}, as if it could not read our body: it gets application/x-www-form-urlencoded unless the site's "
    "notification_format is json",
    Fault.TOO_MANY: "the notify_url has had enough requests (429): let the gateway's notifications through",
    Fault.SERVER: "the notify_url answered {detail}: it failed: see its error log",
    Fault.STATUS: "the notify_url answered {detail}: it must answer 200",
}


def in_words(fault: Fault, detail: object = "") -> str:
    """The fault as its developer reads it, in at most 400 characters."""
    return TEXTS[fault].format(detail=detail)[:400]


def fault_of_status(status: int) -> Fault | None:
    """None for a 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Fault.REDIRECT
    if status >= 500:
        return Fault.SERVER
    return _OF_STATUS.get(status, Fault.STATUS)


_OF_STATUS = {
    400: Fault.BODY,
    401: Fault.ACCESS,
    403: Fault.ACCESS,
    404: Fault.NOT_FOUND,
    405: Fault.METHOD,
    410: Fault.GONE,
    415: Fault.BODY,
    419: Fault.EXPIRED_FORM,
    422: Fault.BODY,
    429: Fault.TOO_MANY,
}
