"""Stand-ins for the world around the client: a strict transport, raw servers on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from proxyctl.api.client import ProxyClient
from proxyctl.api.endpoint import Credentials, Endpoint
from proxyctl.bulk.gates import Gates
from proxyctl.writes.reading import Reader
from tests.support import StandingClock

KS = "KS" + "1" * 32
PN = "PN" + "2" * 32
MG = "MG" + "3" * 32
AC = "AC" + "4" * 32
SECRET = "canary-5f2c9e/+secret"


Reply = httpx.Response | Exception


class StrictTransport(httpx.BaseTransport):
    """Answers exactly the calls it was told of, in order; any other fails, and so does one that never comes."""

    def __init__(self, *script: tuple[str, Reply]) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            asked = f"{request.method} {request.url.raw_path.decode()}"
            assert self.script, f"unexpected: {asked}"
            expected, reply = self.script.pop(0)
            assert asked == expected
            if isinstance(reply, Exception):
                raise reply
            return reply

    def forms(self) -> list[str]:
        return [request.content.decode() for request in self.requests]


def answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def refusal(status: int, code: int | None = None, message: str = "no", **headers: str) -> httpx.Response:
    body: dict[str, Any] = {"message": message, "status": status}
    return answer(body | ({"code": code} if code else {}), status, **headers)


def page(key: str, items: list[Any], following: str | None = None) -> httpx.Response:
    return answer({"meta": {"next_page_url": following, "key": key}, key: items})


@contextmanager
def scripted(*script: tuple[str, Reply], **settings: Any) -> Iterator[ProxyClient]:
    """A client whose whole conversation is ``script``; it must be used up at the end."""
    transport = StrictTransport(*script)
    settings.setdefault("clock", StandingClock())
    settings.setdefault("rand", lambda: 0.5)
    with client_of(settings.pop("endpoint", None), transport=transport, **settings) as client:
        yield client
    assert not transport.script, f"never called: {transport.script}"


def client_of(endpoint: Endpoint | int | None = None, **settings: Any) -> ProxyClient:
    """A client of a server on this port of loopback (None: of nobody), or of an endpoint."""
    if not isinstance(endpoint, Endpoint):
        endpoint = Endpoint.at(f"http://127.0.0.1:{9 if endpoint is None else endpoint}")
    settings.setdefault("credentials", Credentials(AC, "SK1", lambda: SECRET))
    return ProxyClient(endpoint, **settings)


@contextmanager
def read_by(*script: tuple[str, Reply], **settings: Any) -> Iterator[Reader]:
    """A reader whose whole conversation is ``script``."""
    with scripted(*script, **settings) as client:
        yield reader_of(client)


def reader_of(client: ProxyClient) -> Reader:
    """A reader of ``client``, by the same clock; no rate is known of."""
    return Reader(client, Gates(0.0, random=lambda: 0.5, clock=client.clock))


def sent(client: ProxyClient) -> list[httpx.Request]:
    assert isinstance(client.transport, StrictTransport)
    return client.transport.requests


def slept(client: ProxyClient) -> list[float]:
    assert isinstance(client.clock, StandingClock)
    return client.clock.slept


def read_request(connection: socket.socket) -> bytes:
    """Read one request, body included; empty where the peer has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(handle: Callable[[socket.socket], None], wrap: Any = None) -> Iterator[int]:
    """Hand each connection to ``handle`` in a thread of its own; yields the port and ends all threads."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            if wrap is not None:
                connection = wrap.wrap_socket(connection, server_side=True)
                connections.append(connection)
            handle(connection)
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()


def answering(data: bytes) -> Callable[[socket.socket], None]:
    """What answers one request with these bytes."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)

    return handle


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
