"""What pawaPay may say, and what nobody should."""

from __future__ import annotations

from scripted_operator import REFERENCE

PAGE = "https://pay.wave.example/c/cos-1"

NONSENSE = {
    "HTML": b"<html><body>It works!</body></html>",
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "cut short": b'{"depositId":"5b3f',
    "a number as status": b'{"status": 7}',
    "a text as failureReason": b'{"status":"REJECTED","failureReason":"INSUFFICIENT_BALANCE"}',
    "bytes that are no text": b'{"status":"\xff\xfe"}',
    "nested without end": b'{"status":' + b"[" * 50_000,
    "a huge body": b'{"status":"ACCEPTED","x":"' + b"x" * 300_000 + b'"}',
    "a byte order mark": b'\xef\xbb\xbf{"status":"REJECTED"}',
}


def started(status="ACCEPTED", **more):
    return {"depositId": REFERENCE, "status": status, "created": "2026-01-01T00:00:00Z", **more}


def found(status, **more):
    return {"status": "FOUND", "data": {"depositId": REFERENCE, "status": status, **more}}


def reason(word, message=""):
    return {"failureReason": {"failureCode": word, "failureMessage": message}}
