"""Real sockets on loopback: deadlines, broken connections, sizes, proxies and the spread over several pools."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from proxyctl.api import failures, wire
from proxyctl.api.client import ProxyClient
from proxyctl.api.endpoint import Endpoint
from proxyctl.api.resources import Call
from proxyctl.api.wire import Wires
from proxyctl.errors import AnswerError, NetworkError, ServerError
from tests.api import stubs
from tests.api.stubs import KS, answering, http, raw_server, read_request, reader_of
from tests.support import StandingClock

LIST = Call("GET", "/v1/Services")
CREATE = Call("POST", "/v1/Services", data=(("UniqueName", "a"),))
OK = http(b'{"sid": "KS1"}')


def client_of(port: int, **settings: Any) -> ProxyClient:
    settings = {"clock": StandingClock(), "retries": 1, "rand": lambda: 0.5, "timeout": 10.0} | settings
    return stubs.client_of(port, **settings)


@pytest.mark.parametrize(
    "part",
    [b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 400, http(b" " * 400), b""],
    ids=["headers", "body", "nothing"],
)
def test_the_whole_request_ends_in_time_however_slowly_the_answer_drips(part: bytes) -> None:
    def silent(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)

    def dripping(connection: socket.socket) -> None:
        read_request(connection)
        head, mark, body = part.partition(b"\r\n\r\n")
        # Where the body drips, the head comes at once; else it alone would use the time up.
        slow = body if mark else head
        connection.sendall(head + mark if mark else b"")
        for byte in slow:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)  # so slow is the server; the client does not wait for its end

    handle = dripping if part else silent
    with raw_server(handle) as port, client_of(port, timeout=0.40004) as client:
        started = time.monotonic()
        with pytest.raises(NetworkError, match=r"within 0\.4 s") as caught:
            client.send(CREATE)
        assert time.monotonic() - started < 1.5
    assert caught.value.may_have_happened


def _reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "handle",
    [
        _reset,
        answering(b""),
        answering(OK[:-3]),
        answering(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a'),
        answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 200_000 + b"\r\n\r\n{}"),
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}"),
    ],
    ids=["reset", "closed", "truncated", "truncated chunk", "not HTTP", "huge headers", "two lengths"],
)
def test_a_broken_answer_leaves_a_write_unknown_and_a_read_repeatable(
    handle: Callable[[socket.socket], None],
) -> None:
    with raw_server(handle) as port, client_of(port) as client:
        for call in (CREATE, LIST):
            with pytest.raises(NetworkError) as caught:
                client.send(call)
            assert caught.value.may_have_happened is call.writes
            assert caught.value.repeatable
            assert caught.value.exit_code == 7


def test_an_error_whose_body_is_cut_short_is_still_that_error() -> None:
    handle = answering(http(b'{"code": 20500}', "500 Oops")[:-3])
    with raw_server(handle) as port, client_of(port) as client, pytest.raises(ServerError) as caught:
        client.send(CREATE)
    assert caught.value.may_have_happened


@pytest.mark.usefixtures("no_proxies")
def test_a_name_that_cannot_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(wire.socket, "getaddrinfo", fail)
    with (
        stubs.client_of(Endpoint.twilio(), timeout=5) as client,
        pytest.raises(NetworkError, match=r"proxy\.twilio\.com can't be resolved") as caught,
    ):
        client.send(CREATE)
    assert not caught.value.may_have_happened
    assert caught.value.repeatable


@pytest.mark.usefixtures("no_proxies")
def test_looking_a_name_up_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *arguments, **options: release.wait(10) and [])
    started = time.monotonic()
    with (
        stubs.client_of(Endpoint.twilio(), timeout=0.3) as client,
        pytest.raises(NetworkError, match=r"no connection to proxy\.twilio\.com within 0\.3 s") as caught,
    ):
        client.send(CREATE)
    release.set()
    assert time.monotonic() - started < 2
    assert not caught.value.may_have_happened


def test_an_address_that_refuses_leaves_the_next_one_its_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answering(OK)) as port:
        monkeypatch.setattr(wire, "addresses", lambda *arguments: ["127.0.0.2", "127.0.0.1"])
        backend = wire._Backend()
        stream = backend.connect_tcp("two.example", port, timeout=5)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        stream.close()


def test_an_endless_answer_is_refused() -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 2**20)

    with (
        raw_server(handle) as port,
        client_of(port) as client,
        pytest.raises(AnswerError, match="larger than"),
    ):
        client.send(LIST)


def test_connections_are_kept_and_a_dropped_one_is_replaced() -> None:
    connections: list[int] = []

    def handle(connection: socket.socket) -> None:
        connections.append(1)
        for _ in range(3):
            if not read_request(connection):
                return
            connection.sendall(OK)

    with raw_server(handle) as port, client_of(port) as client:
        for _ in range(3):
            client.send(LIST)
        assert len(connections) == 1
        reader_of(client).request(LIST)
        assert len(connections) == 2


def test_cookies_are_not_kept() -> None:
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(http(b"{}", "200 OK", "Set-Cookie: track=1"))

    with raw_server(handle) as port, client_of(port) as client:
        for _ in range(2):
            client.send(LIST)
    assert len(seen) == 2 and not any(b"cookie" in request.lower() for request in seen)


def test_the_least_busy_pool_is_lent_and_none_without_need() -> None:
    class Pool(httpx.BaseTransport):
        closed = busy = 0

        def close(self) -> None:
            self.closed += 1

    wires, made = Wires(Endpoint.at("http://127.0.0.1:9"), 3, 10), []
    wires.transport = lambda host: made.append(Pool()) or made[-1]  # type: ignore[method-assign, func-returns-value]
    for _ in range(5):
        with wires.lease("a"):
            pass
    assert len(made) == 1, "one after another keeps to one warm connection"
    with ExitStack() as stack:
        lent = [stack.enter_context(wires.lease("a")) for _ in range(7)]
    assert sorted(lent.count(pool) for pool in made) == [2, 2, 3]
    with wires.lease("a"):
        wires.close()  # a lease that outlives it does no harm
    assert [pool.closed for pool in made] == [1, 1, 1]
    with pytest.raises(httpx.ConnectError), wires.lease("a"):
        pass


def test_many_threads_share_one_client_over_several_pools() -> None:
    together = threading.Barrier(12, timeout=60)
    ports: set[int] = set()

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            ports.add(connection.getpeername()[1])
            together.wait()  # all twelve at once, or nobody gets an answer
            connection.sendall(OK)

    got: list[int] = []
    with raw_server(handle) as port, client_of(port, clients=3, connections=4) as client:
        call = Call("GET", f"/v1/Services/{KS}")

        def work() -> None:
            for _ in range(3):
                got.append(client.send(call).status)

        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [200] * 36
    assert len(ports) == 12


def test_closing_while_requests_are_under_way_ends_them() -> None:
    waiting = threading.Event()

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        waiting.set()
        connection.recv(1)

    errors: list[NetworkError] = []
    with raw_server(handle) as port, client_of(port, timeout=5.0) as client:

        def work() -> None:
            try:
                client.send(CREATE)
            except NetworkError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        assert waiting.wait(5)
        client.close()
        thread.join(3)
        assert not thread.is_alive()
    assert [error.may_have_happened for error in errors] == [True]


@pytest.mark.parametrize("moment", ["before", "while the name is looked up", "once connected"])
def test_nothing_stays_open_after_closing(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that nobody waits for any more may be anywhere between its question and its socket."""
    opened: list[socket.socket] = []
    look_up, connect = wire.addresses, wire.httpcore.SyncBackend.connect_tcp

    def looking_up(*args: Any) -> list[str]:
        if moment == "while the name is looked up":
            client.close()
        return look_up(*args)

    def connecting(*args: Any) -> Any:
        stream = connect(*args)
        opened.append(stream.get_extra_info("socket"))
        if moment == "once connected":
            client.close()
        return stream

    monkeypatch.setattr(wire, "addresses", looking_up)
    monkeypatch.setattr(wire.httpcore.SyncBackend, "connect_tcp", connecting)
    with raw_server(lambda connection: None) as port, client_of(port) as client:
        if moment == "before":
            client.close()
        for _ in range(2):
            with pytest.raises(NetworkError):
                client.send(LIST)
        assert len(opened) == (moment != "before")
        assert all(one.fileno() == -1 for one in opened)


# A machine that grants no more files or threads


@pytest.mark.parametrize("free", [True, False])
def test_a_name_that_cannot_be_looked_up_since_no_file_can_be_opened(
    free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver says the same, whether the name is unknown or the files have run out."""

    def opened() -> socket.socket:
        if free:
            return socket.socket()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    system = SimpleNamespace(gaierror=socket.gaierror, socket=opened)
    monkeypatch.setattr(failures, "socket", system)
    error = httpx.ConnectError("unknown")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    found = failures.failure_of(LIST, error, "proxy.twilio.com", 60.0)
    assert ("resolved" in found.message) is free
    assert ("too many files" in found.message) is not free


def test_without_a_thread_a_name_is_looked_up_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert "127.0.0.1" in wire.addresses("localhost", 80, 5.0)
