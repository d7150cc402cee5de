"""The sandbox's server against greedy, slow and hostile clients: never a 500, never a hole."""

from __future__ import annotations

import contextlib
import socket
import time
from urllib.parse import quote

import pytest

from proxyctl.sandbox.behaviour import Request, Response, Sandbox
from proxyctl.sandbox.server.connection import Limits
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Client, Served, ask, problem, raw, served, wait_for

QUICK = Limits(idle=0.2, slow=0.2, linger=0.2)


FOREIGN = [
    "evil.com",
    "127.0.0.1.evil.com",
    "localhost.evil.com",
    "localhost@evil.com",
    "127.0.0.1:80@evil.com",
    "localhost,evil.com",
    "0.0.0.0",
    "192.168.0.1",
    "127.0.0.01",
    "2130706433",
    "[::2]",
    "[fe80::1]",
    "[::1",
    "[::1%lo]",
    "localhost:",
    "localhost:80:80",
    "localhost.",
    "localhöst",
    "*",
]


@pytest.mark.parametrize("host", ["", *FOREIGN])
def test_a_foreign_host_is_refused(server: Served, host: str) -> None:
    assert problem(raw(server.port, ask("GET /v1/Services", host=host))) == (421, 20421)


def test_a_foreign_absolute_target_is_refused(server: Served) -> None:
    assert problem(raw(server.port, ask("GET http://evil.com/v1/Services"))) == (421, 20421)


@pytest.mark.parametrize("origin", ["https://evil.com", "null", "http://localhost:8181", ""])
def test_web_pages_are_refused(server: Served, origin: str) -> None:
    sent = ask("POST /v1/Services", f"Origin: {origin}", body="UniqueName=a")
    assert problem(raw(server.port, sent)) == (403, 20403)
    assert server.ledger.entries == []


@pytest.mark.parametrize("length", ["1000000000", "1048577", "9" * 20, "9" * 5000])
def test_a_huge_body_is_refused_unread(server: Served, length: str) -> None:
    sent = ask("POST /v1/Services", f"Content-Length: {length}")
    status, _ = problem(raw(server.port, sent + b"UniqueName=a"))
    assert status == (413 if len(length) <= 20 else 400)


def test_a_huge_body_that_is_really_sent_is_still_answered(server: Served) -> None:
    assert problem(raw(server.port, ask("POST /v1/Services", body="x" * 2_000_000))) == (413, 20413)


def test_chunks_without_end_are_refused(server: Served) -> None:
    chunks = (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 17
    sent = ask("POST /v1/Services", "Transfer-Encoding: chunked") + chunks
    assert problem(raw(server.port, sent)) == (413, 20413)


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: -1",
        "Content-Length: abc",
        "Content-Length: 1e3",
        "Content-Length: ",
        "Content-Length: +3",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3, 4",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: localhost",
        "Bad Name: x",
        ": x",
        "X: a\x00b",
        "no colon",
    ],
)
def test_bad_headers_are_refused(server: Served, headers: str) -> None:
    assert problem(raw(server.port, ask("POST /v1/Services", headers) + b"a=1")) == (400, 20400)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\r\n" * 9 + b"\x00\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(server: Served, sent: bytes) -> None:
    assert problem(raw(server.port, sent)) == (400, 20400)


@pytest.mark.parametrize("head", ["X: " + "a" * 100_000, "X: a\r\n" * 30_000])
def test_headers_without_end_are_refused(server: Served, head: str) -> None:
    sent = ask("GET /v1/Services", head).removesuffix(b"\r\n\r\n")
    assert problem(raw(server.port, sent)) == (431, 20431)


@pytest.mark.parametrize(
    "sent", ["", "GET /v1", "POST /v1/Services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na"]
)
def test_slow_clients_are_left(store: Store, sent: str) -> None:
    with served(Sandbox(store), limits=QUICK) as server:
        started = time.monotonic()
        assert raw(server.port, sent.encode()) == b""
        assert time.monotonic() - started < 8  # the default limits begin at 10 s


def test_a_drip_does_not_renew_the_time_limit(store: Store) -> None:
    with (
        served(Sandbox(store), limits=QUICK) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as sock,
    ):
        sock.sendall(b"GET /v1/Services?")
        deadline = time.monotonic() + 5
        with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError)):
            while time.monotonic() < deadline:
                sock.sendall(b"a")
                with contextlib.suppress(TimeoutError):
                    assert sock.recv(1) != b"", "closed"
        assert time.monotonic() < deadline


def test_200_idle_connections_starve_nobody(server: Served, call: Client) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        for half in idle[:100]:
            half.sendall(b"POST /v1/Services HTTP/1.1\r\n")
        assert all(call("GET", "/v1/Services")[0] == 200 for _ in range(20))
    finally:
        for sock in idle:
            sock.close()


def test_where_no_connection_is_idle_a_new_one_is_turned_away(store: Store) -> None:
    with served(Sandbox(store), connections=2) as server:
        half = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        for sock in half:
            sock.sendall(b"GET /v1")
        wait_for(lambda: [live.idle_since for live in list(server.server._live)] == [None, None])
        assert problem(raw(server.port, b"")) == (503, 20503)
        for sock in half:
            sock.close()


def test_past_the_limit_the_longest_idle_connection_makes_room(store: Store) -> None:
    with served(Sandbox(store), connections=3) as server:
        clients = [Client(server.port) for _ in range(5)]
        for client in clients:
            assert client("GET", "/v1/Services")[0] == 200
            wait_for(lambda: None not in [live.idle_since for live in list(server.server._live)])
        assert clients[0].http.sock.recv(1) == b""
        assert clients[4]("GET", "/v1/Services")[0] == 200
        for client in clients:
            client.close()


HOSTILE = [
    "' OR 1=1--",
    '"; DROP TABLE services;--',
    "%",
    "_",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "😀",
    "../../etc/passwd",
    "a/b",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_paths_and_forms_is_only_text(server: Served, call: Client, text: str) -> None:
    call("POST", "/v1/Services", UniqueName="innocent")
    quoted = quote(text, safe="")
    assert call("GET", f"/v1/Services/{quoted}")[0] == 404
    assert call("DELETE", f"/v1/Services/{quoted}")[0] in (400, 404)
    assert call("GET", f"/v1/Services/{quoted}/PhoneNumbers/{quoted}")[0] in (400, 404)
    status, body, _ = call("POST", "/v1/Services", UniqueName=text)
    assert status in (201, 400)
    assert status == 400 or body["unique_name"] == text
    names = [each["unique_name"] for each in call("GET", "/v1/Services")[1]["services"]]
    assert sorted(names) == sorted(["innocent", text] if status == 201 else ["innocent"])
    assert server.log.getvalue().replace("\n", "").isprintable()
    assert server.log.getvalue().isascii()


def test_a_defect_is_logged_and_answered_and_the_server_lives() -> None:
    class Broken:
        def account_of(self, request: Request) -> None:
            return None

        def respond(self, request: Request) -> Response:
            if request.path == "/bad-header":
                return Response(200, [("X", "a\r\nInjected: 1")], b"")
            raise KeyError("\x1b[31mdefect")

    with served(Broken()) as server:
        answer = raw(server.port, ask("GET /x"))
        assert problem(answer) == (500, 20500)
        assert b"defect" not in answer
        assert b"Injected" not in raw(server.port, ask("GET /bad-header"))
        assert problem(raw(server.port, ask("GET /x"))) == (500, 20500)
        assert "internal error: KeyError" in server.log.getvalue()
        assert "\x1b" not in server.log.getvalue()
