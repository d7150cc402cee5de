"""The readers of data from outside, each with what it knows and the pieces by which that is damaged."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from proxyctl.api import answers
from proxyctl.api.models import Service
from proxyctl.api.resources import INCOMING_NUMBERS, SERVICES, Call
from proxyctl.errors import ProxyctlError
from proxyctl.pools.poolfile import parse_pool_file
from proxyctl.profiles.profile import named_profile
from proxyctl.profiles.store import ProfileStore
from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.state.lock import holder_of
from proxyctl.state.transit import read as read_transit
from tests.api.stubs import AC, KS, PN, client_of, reader_of
from tests.input.reading import read_items
from tests.support import Cli, StandingClock

RUN = "20260101-000000-000"


class Reader(NamedTuple):
    """A reader: what it knows, the pieces that such data are made of, and how it is called."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    pieces: tuple[bytes, ...]


ANY = (
    *(
        b"",
        b"\0",
        b"\n",
        b"\r\n",
        b"\t",
        b" ",
        b'"',
        b"'",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(
        "\u202e".encode(),
        "\u0661\u0662".encode(),
        "\U0001f600".encode(),
        b"-1",
        b"0",
        b"1e309",
        b"NaN",
        b"9" * 5000,
    ),
    *(
        b"null",
        b"true",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"[" * 2000,
        b'{"a":' * 2000,
        b"=",
        b".",
        b"#",
        b"../x",
    ),
    *(PN.encode(), KS.encode(), b"+14155550100", b"[redacted]"),
)


class Everywhere(httpx.BaseTransport):
    """Answers every request alike."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = body, status, headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, content=self.body, headers=self.headers)


def ask(transport: Everywhere) -> None:
    """Read lists to their end, and one resource."""
    with client_of(transport=transport, clock=StandingClock(), retries=0) as client:
        for call in (SERVICES.list(), INCOMING_NUMBERS.list(AC), Call("GET", "/v1/Things")):
            with contextlib.suppress(ProxyctlError):
                for number, page in enumerate(reader_of(client).pages(call)):
                    for row in page.items:
                        service = Service(row)
                        repr((service.sid, service.unique_name, service.raw.keys()))
                    if number > 3:
                        break
        with contextlib.suppress(ProxyctlError):
            client.send(Call("GET", f"/v1/Services/{KS}", expect="sid", sid=KS))


def read_response(data: bytes) -> None:
    for status in (200, 201, 400, 404, 429, 503):
        ask(Everywhere(data, status))


def read_token(data: bytes) -> None:
    url = data.decode("utf-8", "surrogateescape")
    meta = {"meta": {"key": "services", "next_page_url": url}, "services": [{"sid": KS}]}
    ask(Everywhere(json.dumps(meta).encode()))
    ask(Everywhere(json.dumps({"incoming_phone_numbers": [], "next_page_uri": url}).encode()))


def read_retry_after(data: bytes) -> None:
    text = data.decode("latin-1")
    for headers in ({"Retry-After": text}, {"Retry-After": text, "Date": text}, {"Date": text}):
        found = answers.retry_after(headers, 1e9)
        assert found is None or 0 <= found <= 86_400
        answers.request_id({"Twilio-Request-Id": text})


def read_numbers(data: bytes) -> None:
    for options in ({}, {"default_country": "US"}, {"skip_bad": True}):
        with contextlib.suppress(ProxyctlError):
            read_items((), "-", stdin=io.BytesIO(data), **options)


def read_config(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        path.write_bytes(data)
        path.chmod(0o600)
        store = ProfileStore(path)
        for name in store.names():
            with contextlib.suppress(ProxyctlError):
                named_profile(name, "--profile", environ={}, store=store)
        list(store.settings())
        store.default_profile()


def read_record(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        history = Path(directory) / "state" / "history"
        for each in (history.parent, history):
            each.mkdir(mode=0o700)
        record = history / f"{RUN}.jsonl"
        record.write_bytes(data)
        record.chmod(0o600)
        cli = Cli(Path(directory), {"PROXYCTL_PROFILE": "sandbox"})
        lines = (("list", "--all"), ("show", RUN), ("undo", RUN, "--dry-run"), ("undo", "last", "--yes"))
        for line in lines:
            ran = cli("history", *line, "-o", "json")
            assert ran.code != 1, (line, ran.err)


def read_small_files(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        path.write_bytes(data)
        path.chmod(0o600)
        read_transit(path)
        with path.open("rb") as file:
            holder_of(file.fileno(), StandingClock())


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


HEAD = {"type": "run", "id": RUN, "at": "2026-01-01T00:00:00Z", "account_sid": ACCOUNT_SID, "service_sid": KS}
READERS = {
    "pool file": Reader(
        lambda data: parse_pool_file(data, "pool.toml", Path("/nonexistent")),
        (
            f'version = 1\naccount_sid = "{AC}"\n[services.a]\nsid = "{KS}"\ndefault_ttl = 60\n'
            'callback_url = "https://a"\nclear = ["callback_url"]\n[services.a.numbers]\n'
            f'reserved = ["+14155550100", "{PN}"]\nunreserved_from = "x.csv"\n'.encode(),
        ),
        (
            b"[services.",
            b"[[services]]",
            b"services.a.b.c = 1\n",
            b"a.",
            b'"""',
            b"1979-05-27",
            b"0x1",
            b"{a=",
            *ANY,
        ),
    ),
    "config": Reader(
        read_config,
        (
            f'default_profile = "a"\noutput = "json"\n[profiles.a]\naccount_sid = "{AC}"\nauth_token = "x"\n'
            'base_url = "https://a"\nregion = "ie1"\nprotected = true\n'.encode(),
        ),
        (
            b"[profiles.",
            b"[profiles]\n",
            b"profiles.a.edge = 'x'\n",
            b"a.",
            b"'''",
            b"{a=",
            b"output = ",
            *ANY,
        ),
    ),
    "numbers": Reader(
        read_numbers,
        (
            b"+14155550100\n4155550101 # a comment\n",
            b"phone_number,is_reserved,friendly_name\n+14155550100,true,=1+1\n",
            f'sep=;\nsid;phone_number\n{PN};"+14155550100"\n'.encode(),
            b'{"phone_numbers":[{"sid":"%s","phone_number":"+14155550100"}]}' % PN.encode(),
            b'{"phone_number":"+14155550100"}\n{"sid":"%s"}\n' % PN.encode(),
        ),
        (
            b"sep=,\n",
            b"phone_number",
            b"sid",
            b'"="',
            b'="+1"',
            b".0",
            b"PK\x03\x04",
            b"\xff\xfe",
            b"tel:",
            *ANY,
        ),
    ),
    "responses": Reader(
        read_response,
        (
            b'{"meta":{"key":"services","next_page_url":null},"services":[{"sid":"%s"}]}' % KS.encode(),
            b'{"incoming_phone_numbers":[{"sid":"%s"}],"next_page_uri":null}' % PN.encode(),
            b'{"sid":"%s"}' % KS.encode(),
            b'{"code":80104,"message":"m","more_info":"https://www.twilio.com/docs/errors/80104","status":400}',
            b'{"type":"https://a","title":"t","status":400,"code":20001,"detail":"d","errors":[]}',
        ),
        (b"<html>", b'"meta"', b'"key"', b'"next_page_url"', b'"services"', b'"code"', b'"message"', *ANY),
    ),
    "page tokens": Reader(
        read_token,
        (
            b"https://proxy.twilio.com/v1/Services?PageSize=100&Page=1&PageToken=PT1",
            b"/2010-04-01/x?PageToken=1",
        ),
        (b"PageToken=", b"&", b"?", b"%", b"%00", b"%2f", b"//evil", b"http://[", b"@", b";", b"#", *ANY),
    ),
    "Retry-After": Reader(
        read_retry_after,
        (b"30", b"Fri, 31 Dec 1999 23:59:59 GMT", b"Fri Dec 31 23:59:59 1999"),
        (b"GMT", b"+9999", b"-0000", b":", b"Feb 30", b"9999", b"99999999", b"1.5", b"Mon,", *ANY),
    ),
    "history": Reader(
        read_record,
        (
            lines(
                {**HEAD, "command": "proxyctl number add a", "verb": "number add", "services": ["a"]},
                {
                    "type": "intent",
                    "index": 0,
                    "action": "add",
                    "sid": PN,
                    "phone_number": "+14155550100",
                    "service_sid": KS,
                    "after": {"is_reserved": True},
                    "webhooks": {"voice_url": "https://a"},
                },
                {"type": "outcome", "index": 0, "state": "done", "action": "added", "sid": PN},
                {"type": "end", "exit_code": 0, "summary": {"added": 1}, "seconds": 1.5},
            ),
            lines(
                HEAD,
                {
                    "type": "intent",
                    "index": 0,
                    "action": "update_service",
                    "input": "a",
                    "service_sid": KS,
                    "before": {"default_ttl": 1, "callback_url": None},
                    "after": {"default_ttl": 2},
                },
                {"type": "outcome", "index": 0, "state": "lost"},
                {
                    "type": "intent",
                    "index": 1,
                    "action": "set_webhooks",
                    "sid": PN,
                    "service_sid": KS,
                    "before": {"voice_url": ""},
                    "after": {"voice_url": "https://b"},
                },
                {"type": "outcome", "index": 1, "state": "done", "action": "updated"},
                {"type": "refused", "index": 2, "input": "x", "message": "no", "code": 5},
            ),
        ),
        (
            b'"before":',
            b'"after":',
            b'"sid":',
            b'"action":',
            b'"index":',
            b'"summary":',
            b'"move":',
            b'"at":',
            *ANY,
        ),
    ),
    "transit and lock": Reader(
        read_small_files,
        (
            json.dumps({"run": RUN, "services": [KS], "command": "proxyctl", "attaches": 1}).encode(),
            json.dumps({"pid": 1, "host": "a", "since": "now", "command": "proxyctl"}).encode(),
        ),
        (b'"run":', b'"services":', b'"pid":', b'"attaches":', *ANY),
    ),
}
