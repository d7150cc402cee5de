"""A sandbox over HTTP for tests: served on a free port by a thread, with its ledger; used by the tests of
other parts too.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from proxyctl.sandbox.api.control import Control
from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.server.connection import Limits
from proxyctl.sandbox.server.policies import Ledger, Policies
from proxyctl.sandbox.server.server import Respondent, Server
from proxyctl.sandbox.world.store import Store

BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Served:
    """A running server: ``policies`` may be changed meanwhile, ``ledger`` has all that was carried out."""

    url: str
    port: int
    server: Server
    policies: Policies
    ledger: Ledger
    log: io.StringIO


@contextlib.contextmanager
def served(
    sandbox: Respondent | None = None,
    *,
    policies: Policies | None = None,
    limits: Limits | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    connections: int = 512,
) -> Iterator[Served]:
    """Serve ``sandbox`` (default: an empty one in memory) for the length of the block; without limits by
    default.
    """
    with contextlib.ExitStack() as stack:
        if sandbox is None:
            store = Store(":memory:")
            stack.callback(store.close)
            sandbox = Sandbox(store)
        policies = policies or Policies()
        ledger = policies.ledger = policies.ledger or Ledger()
        log = io.StringIO()
        server = Server(
            sandbox,
            host,
            port,
            policies=policies,
            log=log,
            limits=limits,
            connections=connections,
            control=Control(sandbox, policies) if isinstance(sandbox, Sandbox) else None,
        )
        stack.enter_context(server)
        thread = threading.Thread(target=server.run, name="sandbox-server")
        thread.start()
        try:
            yield Served(server.url, server.port, server, policies, ledger, log)
        finally:
            server.stop()
            thread.join(5.0)
            assert not thread.is_alive(), "the server did not stop"


def kept(store: Store, directory: Path) -> Callable[[], None]:
    """Keep what is in a database in memory and in a directory; returns what brings both back."""
    with store.reading() as db:
        image = db.serialize()
    files = shutil.copytree(directory, directory.with_name(f"{directory.name}-kept"))

    def bring_back() -> None:
        connection = store._take()
        connection.deserialize(image)
        store._give_back(connection)
        shutil.rmtree(directory)
        shutil.copytree(files, directory)

    return bring_back


class Client:
    """One keep-alive connection that speaks JSON: ``(status, body, headers)`` for each call."""

    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, method: str, path: str, **form: str) -> tuple[int, Any, http.client.HTTPMessage]:
        body = urlencode(form) if form else None
        self.http.request(method, path, body, {"Authorization": BASIC, "Content-Type": FORM})
        answer = self.http.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None, answer.headers

    def json(self, method: str, path: str, sent: Any = None) -> Any:
        """A request of the sandbox's own: JSON in and out."""
        self.http.request(method, path, None if sent is None else json.dumps(sent), {"Authorization": BASIC})
        return json.loads(self.http.getresponse().read())

    def close(self) -> None:
        self.http.close()


def ask(line: str, *headers: str, body: str = "", host: str = "localhost") -> bytes:
    """Return the bytes of a request (``GET /path``) with the sandbox's credentials, and the last of its
    connection.
    """
    lines = [f"{line} HTTP/1.1", f"Host: {host}", f"Authorization: {BASIC}", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode("latin-1")


def raw(port: int, sent: bytes) -> bytes:
    """Send bytes, and return all that comes until the server closes."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while data := sock.recv(65536):
                received += data
    return bytes(received)


def problem(answer: bytes) -> tuple[int, int]:
    """Return status and code of an error answer, and check that it has Twilio's shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    told = json.loads(body)
    assert set(told) == {"code", "message", "more_info", "status"}
    assert told["status"] == status
    assert b"Twilio-Request-Id: RQ" in head
    return status, told["code"]


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Look at ``condition`` until it holds: for what happens in another thread."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
