"""The sandbox over HTTP/1.1: sockets and threads. Who is served and what a request means is decided elsewhere;
nothing here knows a Service.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
import time
from functools import partial
from typing import Protocol, TextIO

from proxyctl.errors import UsageError
from proxyctl.sandbox.context import ApiError, Request, Response, problem, with_platform_headers
from proxyctl.sandbox.server.connection import Connection, Gone, Head, Limits
from proxyctl.sandbox.server.faults import Act
from proxyctl.sandbox.server.guards import check_sender, loopback_address, read_request
from proxyctl.sandbox.server.policies import Delivery, Exchange, Policies

_BACKLOG = 512
_FINISH = 0.5
_SHOWN = 500
_STOP = b"\0"  # no signal has this number
_RINGS_AT_ONCE = 4096
_CONTROL = "/_sandbox/"


class Controller(Protocol):
    """What answers requests about the sandbox itself."""

    def respond(self, request: Request) -> Response: ...


class Respondent(Controller, Protocol):
    """What gives the answers: request in, response out."""

    def account_of(self, request: Request) -> str | None: ...


class Server:
    """A listening server; UsageError for a host that is not loopback, or a port that is taken.

    ``run`` blocks until ``stop``, which any thread or signal handler may call. Each connection has a thread;
    past ``connections`` of them, the one that has been idle longest makes room.
    """

    def __init__(
        self,
        sandbox: Respondent,
        host: str = "127.0.0.1",
        port: int = 8181,
        *,
        policies: Policies | None = None,
        log: TextIO | None = None,
        limits: Limits | None = None,
        connections: int = 512,
        control: Controller | None = None,
    ) -> None:
        self.policies = policies or Policies()
        self._sandbox = sandbox
        self._control = control
        self._log = log
        self._limits = limits or Limits()
        self._most = connections
        self._live: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = _listen(loopback_address(host), port)
        self._alarm, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        address, self.port = self._listener.getsockname()[:2]
        self.url = f"http://[{address}]:{self.port}" if ":" in address else f"http://{address}:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self) -> None:
        """Take connections until ``stop``; then let what is under way finish, for half a second at most."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select():
                    if key.fileobj is self._listener:
                        self._accept()
                    elif _STOP in self._alarm.recv(_RINGS_AT_ONCE):
                        self._stopping.set()
        self._finish()

    def stop(self) -> None:
        """Ask ``run`` to end. One byte through a socket and no lock: a signal handler may call it."""
        with contextlib.suppress(OSError):
            self._bell.send(_STOP)

    def wakeup_fd(self) -> int:
        """Return the descriptor for ``signal.set_wakeup_fd``: its bytes wake ``run``, so that handlers get to run."""
        return self._bell.fileno()

    def close(self) -> None:
        """Give the port back; the connections were ended by ``run``."""
        for sock in (self._listener, self._alarm, self._bell):
            sock.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (BlockingIOError, ConnectionError):  # it left before it was taken
            return
        except OSError as error:
            self._note(f"can't take a connection: {error.strerror}")
            self._make_room()
            self._stopping.wait(0.05)  # out of descriptors: a moment for the idle ones to go
            return
        connection = Connection(sock, self._limits)
        if len(self._live) >= self._most and not self._make_room():
            self._turn_away(connection)
            return
        thread = threading.Thread(target=self._attend, args=(connection,), name="sandbox", daemon=True)
        with self._lock:
            self._live[connection] = thread
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            self._note(f"can't take a connection: {error}")
            del self._live[connection]
            self._turn_away(connection)

    def _turn_away(self, connection: Connection) -> None:
        response = with_platform_headers(problem(ApiError(20503)), self.policies.now())
        with contextlib.suppress(Gone):
            connection.answer(response.status, response.headers, response.body, close=True)
        connection.close()

    def _make_room(self) -> bool:
        """End the connection that has been idle longest; False where none is idle."""
        with self._lock:
            idle = [
                (c.idle_since, index, c) for index, c in enumerate(self._live) if c.idle_since is not None
            ]
            if idle:
                min(idle)[2].interrupt()
        return bool(idle)

    def _attend(self, connection: Connection) -> None:
        try:
            while not self._stopping.is_set() and self._exchange(connection):
                pass
        except Gone:
            pass
        except Exception as error:
            self._note(f"internal error: {ascii(error)[:_SHOWN]}")
        finally:
            with self._lock:
                del self._live[connection]
                connection.close()

    def _exchange(self, connection: Connection) -> bool:
        """Take one request and answer it; returns whether the connection goes on."""
        head = None
        try:
            head = connection.read_head()
            if head is None:
                return False
            started = time.monotonic()
            check_sender(head)
            request = read_request(head, connection.read_body(head), self.url)
        except ApiError as error:
            self._refuse(connection, head, error)
            return False
        if self._control is not None and request.path.startswith(_CONTROL):
            response = self._answer(self._control, request)
            return self._deliver(
                connection, Delivery(with_platform_headers(response, self.policies.now()), None)
            )
        delivery = self.policies.carry_out(
            request,
            partial(self._answer, self._sandbox),
            account=self._sandbox.account_of(request),
            now=started,
            wait=self._stopping.wait,
        )
        self._remember(head, request.path, delivery, (time.monotonic() - started) * 1000)
        return self._deliver(connection, delivery)

    def _remember(self, head: Head, path: str, delivery: Delivery, milliseconds: float) -> None:
        status = delivery.fault.name if delivery.fault else str(delivery.response.status)
        self._note(f"{head.method} {head.target[:_SHOWN]} {status} {milliseconds:.1f} ms")
        fault = delivery.fault.name if delivery.fault else None
        self.policies.recent.append(
            Exchange(
                self.policies.now(), head.method, path[:_SHOWN], delivery.sent, fault, round(milliseconds, 1)
            )
        )

    def _answer(self, answering: Controller, request: Request) -> Response:
        try:
            return answering.respond(request)
        except Exception as error:  # the server outlives any error behind it
            self._note(f"internal error: {ascii(error)[:_SHOWN]}")
            return problem(ApiError(20500))

    def _refuse(self, connection: Connection, head: Head | None, error: ApiError) -> None:
        seen = f"{head.method} {head.target[:_SHOWN]}" if head else "- -"
        self._note(f"{seen} {error.status} refused: {error.message!a}")
        response = with_platform_headers(problem(error), self.policies.now())
        connection.answer(response.status, response.headers, response.body, close=True)
        connection.drain()

    def _deliver(self, connection: Connection, delivery: Delivery) -> bool:
        """Send the answer, or break the connection as the fault has it."""
        response, act = delivery.response, delivery.fault.act if delivery.fault else None
        if act is Act.TRUNCATE and response.body:
            connection.truncate(response.status, response.headers, response.body)
            return False
        if act is Act.HOLD and self.policies.faults is not None:
            connection.hold(self.policies.faults.hold)
        if act is Act.RESET:
            connection.reset()
        if act in (Act.HOLD, Act.RESET, Act.CLOSE):
            return False
        close = self._stopping.is_set()
        return connection.answer(response.status, response.headers, response.body, close=close)

    def _finish(self) -> None:
        self._listener.close()
        with self._lock:
            live = dict(self._live)
            for connection in live:
                connection.interrupt()
        deadline = time.monotonic() + _FINISH
        for thread in live.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            for connection in self._live:
                connection.abort()
        for thread in live.values():
            thread.join(max(0.0, deadline + 0.2 - time.monotonic()))

    def _note(self, text: str) -> None:
        """Write one line to the log; a log that is gone never stops the server."""
        if self._log is not None:
            with contextlib.suppress(OSError, ValueError):
                self._log.write(text + "\n")


def _listen(address: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UsageError(f"the sandbox can't listen on port {port}: a port is from 0 (any free one) to 65535")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        raise UsageError(
            f"the sandbox can't listen on port {port} of {address}: {reason}",
            hint="Give another --port. --port 0 takes a free one.",
        ) from None
    listener.setblocking(False)
    return listener
