"""Answers that are small on the wire and large in memory: each is refused, or read, in little memory and time."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from tests.api.stubs import AC, KS, SECRET, answering, http, raw_server
from tests.battery.test_memory import peak_of
from tests.support import Cli

SIZE = 32 * 1024 * 1024 - 200
META = b'"meta":{"key":"%s","next_page_url":null}'


def page(key: bytes, rows: bytes) -> bytes:
    return b"{" + META % key + b',"%s":[' % key + rows + b"]}"


def filled(before: bytes, unit: bytes, after: bytes, size: int = SIZE) -> bytes:
    """Return ``unit`` as often as a body of ``size`` bytes takes it, between two ends."""
    return before + unit * ((size - len(before) - len(after)) // len(unit)) + after


def row(unit: bytes, start: bytes = b"") -> bytes:
    """Return a page of one Service whose name is ``unit``, again and again."""
    head, _, end = page(b"services", b'{"sid":"KS1","unique_name":"' + start + b'@"}').partition(b"@")
    return filled(head, unit, end)


HEAD, _, END = page(b"services", b"@").partition(b"@")
# What makes the body, and whether it may be read: it is no larger in memory than on the wire.
BOMBS = {
    "empty rows": (lambda: filled(HEAD, b"{},", b"{}" + END), False),
    "rows": (lambda: filled(HEAD, b'{"sid":"KS1"},', b"{}" + END), False),
    "more rows than a page has": (
        lambda: page(b"services", b'{"sid":"KS1"},' * 1000 + b'{"sid":"KS1"}'),
        False,
    ),
    "numbers": (lambda: filled(HEAD + b'{"a":[', b"1,", b"1]}" + END), False),
    "texts": (lambda: filled(HEAD + b'{"a":[', b'"",', b'""]}' + END), False),
    "lists in lists": (lambda: filled(b"", b"[", b""), False),
    "keys": (lambda: filled(HEAD + b"{", b'"":1,', b'"":1}' + END), False),
    "just below the bound": (lambda: page(b"services", b'{"a":[' + b'{"b":2},' * 124_000 + b"1]}"), True),
    "one long text": (lambda: row(b"x"), True),
    "one long text of wide characters": (lambda: row(b"x", "\U0001f600".encode()), False),
    "one long text with an escape": (lambda: row(b"x", b"\\ud83d\\ude00"), False),
    "one long number": (lambda: filled(HEAD + b'{"a":', b"9", b"}" + END), False),
    "one long fraction": (lambda: filled(HEAD + b'{"a":0.', b"9", b"}" + END), True),
    "beyond the bound": (lambda: filled(b"", b"x", b"", 400 * 1024 * 1024), False),
}


def client_of(directory: Path, port: int) -> Cli:
    environ = {
        "TWILIO_ACCOUNT_SID": AC,
        "TWILIO_AUTH_TOKEN": SECRET,
        "PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}",
    }
    return Cli(directory, environ)


def run(directory: Path, body: bytes, status: str, *arguments: str) -> tuple[int, str]:
    """Run a command against a server that answers with ``body``, packed; check memory and time."""
    packed = http(gzip.compress(body, 9 if len(body) < 2**20 else 1), status, "Content-Encoding: gzip")
    with raw_server(answering(packed)) as port:
        began = time.monotonic()
        code, err, peak = peak_of(
            client_of(directory, port), *arguments, "--retries", "0", out=directory / "out"
        )
    assert peak < 200 and time.monotonic() - began < 15
    assert "Traceback" not in err and "internal" not in err and len(err) < 2000
    return code, err


@pytest.mark.parametrize("name", BOMBS)
def test_a_list(tmp_path: Path, name: str) -> None:
    body, readable = BOMBS[name]
    code, err = run(tmp_path, body(), "200 OK", "service", "list", "-o", "json")
    assert code == (0 if readable else 1), err


@pytest.mark.parametrize("name", ["just below the bound", "rows"])
def test_an_answer_of_any_shape(tmp_path: Path, name: str) -> None:
    body, readable = BOMBS[name]
    code, err = run(tmp_path, body(), "200 OK", "api", "GET", f"/v1/Services/{KS}")
    assert code == (0 if readable else 1), err


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        ("400 Bad Request", "message", 5),
        ("401 Unauthorized", "numbers", 3),
        ("503 No", "message", 7),
    ],
    ids=["400", "401", "503"],
)
def test_an_error_is_short_or_its_status_says_enough(
    tmp_path: Path, status: str, name: str, expected: int
) -> None:
    body = BOMBS["numbers"][0]() if name == "numbers" else filled(b'{"code":20003,"message":"', b"x", b'"}')
    code, err = run(tmp_path, body, status, "service", "list")
    assert code == expected and "20003" not in err


def test_what_follows_a_packed_answer_is_left(tmp_path: Path) -> None:
    """zlib keeps what follows the end, and copies it with each piece."""
    packed = gzip.compress(page(b"services", b""))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {2**29}\r\n\r\n".encode()
    with raw_server(answering(head + packed + bytes(2**28))) as port:
        code, err, peak = peak_of(
            client_of(tmp_path, port), "service", "list", "-o", "json", out=tmp_path / "out"
        )
    assert (code, err, (tmp_path / "out").read_text()) == (0, "", "[]\n")
    assert peak < 60
