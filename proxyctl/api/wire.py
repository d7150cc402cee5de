"""The wire: the open connections, and an httpx transport whose requests end in time, whatever the peer does.

httpx bounds each single read, so that one byte every 0.2 s defeats any time-out, headers included. Here every
wait on a socket gets what is left of the whole request's time. Imported only where a request is sent.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from proxyctl.api.endpoint import Endpoint
from proxyctl.api.environment import proxy_for, tls_context

_KEEP_ALIVE = 30.0  # seconds; longer than the 5 s pauses of the API's rate window


class Deadline:
    """``seconds`` for a whole request, from now on. Real time, not a clock that is handed in: sockets know no
    other.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; negative when it is over."""
        return self._end - time.monotonic()

    def check(self) -> None:
        """Raise httpx.ReadTimeout when it is over."""
        if self.left() <= 0:
            raise httpx.ReadTimeout("deadline")


class _Current(threading.local):
    """The request that this thread is busy with. Its deadline: httpcore hands none down to its sockets. And whether it
    still talks to a proxy, so that a failure says nothing of the server.
    """

    deadline: Deadline | None = None
    at_proxy: bool = False

    def left(self, timeout: float | None, error: type[Exception]) -> float | None:
        """Return the shorter of ``timeout`` and the time left, or raise ``error`` when none is left."""
        if self.deadline is None:
            return timeout
        left = self.deadline.left()
        if left <= 0:
            raise error("deadline")
        return left if timeout is None else min(left, timeout)


_current = _Current()


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end with the request's deadline. ``kept`` has those that are open.

    ``proxy_host`` is that of the proxy that it leads to, until TLS with the server begins.
    """

    def __init__(
        self, inner: httpcore.NetworkStream, kept: set[_Stream], proxy_host: str | None = None
    ) -> None:
        self._inner = inner
        self._kept = kept
        self._proxy_host = proxy_host
        kept.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _current.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _current.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        # Closing alone would leave a thread that reads here asleep until its time is up.
        with contextlib.suppress(OSError):
            self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._inner.close()
        self._kept.discard(self)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _current.left(timeout, httpcore.ConnectTimeout)
        _current.at_proxy = _current.at_proxy and server_hostname == self._proxy_host
        self._kept.discard(self)  # TLS takes the socket over, and closes it where it fails
        inner = self._inner.start_tls(ssl_context, server_hostname, left)
        return _Stream(inner, self._kept, self._proxy_host)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections within the deadline: resolving the name, and all of its addresses, included.

    ``proxy_host``: they all lead to this proxy.
    """

    def __init__(self, proxy_host: str | None = None) -> None:
        self._proxy_host = proxy_host
        self._inner = httpcore.SyncBackend()
        self._open: set[_Stream] = set()
        self._closed = False

    def close(self) -> None:
        """Close what is open, also what a pool does not know yet, and what is opened from now on."""
        self._closed = True
        for stream in tuple(self._open):
            stream.close()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        _current.at_proxy = self._proxy_host is not None
        found = addresses(host, port, _current.left(timeout, httpcore.ConnectTimeout))
        failure: Exception = httpcore.ConnectError("no address")
        for index, address in enumerate(found):
            left = _current.left(timeout, httpcore.ConnectTimeout)
            # A black hole must leave time for the addresses after it.
            share = left / (len(found) - index) if left is not None else None
            try:
                inner = self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            stream = _Stream(inner, self._open, self._proxy_host)
            if self._closed:  # asked after the stream is known: one of the two sides closes it
                stream.close()
                raise httpcore.ConnectError("the client was closed")
            return stream
        raise failure


def addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """Resolve a name in a thread of its own: the system's resolver takes no limit of time.

    ``timeout`` is in seconds. Raises httpcore.ConnectError, with what the resolver said, or ConnectTimeout.
    """
    found: list[str] = []
    problems: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            problems.append(error)

    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        return [host]
    thread = threading.Thread(target=look_up, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the machine grants no more threads
        look_up()
    else:
        thread.join(timeout)
        if thread.is_alive():
            raise httpcore.ConnectTimeout("the host's name was not resolved in time")
    if problems:
        raise httpcore.ConnectError(problems[0])
    return found


class _Body(httpx.SyncByteStream):
    """The answer's body, with httpcore's exceptions as httpx's."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()
        _current.deadline = None


class DeadlineTransport(httpx.BaseTransport):
    """An httpx transport that keeps the Deadline in a request's ``deadline`` extension.

    ``proxy`` is that of https requests; of http requests, which go to this machine alone, it hears nothing.
    """

    def __init__(
        self, *, connections: int, context: ssl.SSLContext | None, proxy: httpx.Proxy | None = None
    ) -> None:
        self.busy = 0  # requests under way
        self._backend = _Backend(None if proxy is None else proxy.url.host)
        through = None
        if proxy is not None:
            secure = context if proxy.url.scheme == "https" else None
            through = httpcore.Proxy(str(proxy.url), proxy.raw_auth, ssl_context=secure)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=through,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=self._backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _current.deadline, _current.at_proxy = request.extensions.get("deadline"), False
        url = request.url
        inner = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            with _as_httpx():
                answer = self._pool.handle_request(inner)
        except BaseException as error:
            _current.deadline = None
            if _current.at_proxy and isinstance(error, httpx.TransportError):
                raise httpx.ProxyError(str(error)) from error
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        self._pool.close()
        self._backend.close()


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise httpcore's exceptions as httpx's of the same name, as all transports do."""
    try:
        yield
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if kind is None:
            raise
        raise kind(str(error)) from error


class Wires:
    """The connections to each host, all with one TLS context. Safe to use from many threads.

    One pool is scanned for each request, so that 100 connections in it are slower than 16: here are up to ``pools`` a
    host, of ``connections`` each, and the least busy one is lent.
    """

    def __init__(self, endpoint: Endpoint, pools: int, connections: int) -> None:
        self._endpoint = endpoint
        self._most, self._connections = max(1, pools), connections
        secure = any(origin[0] == "https" for origin in endpoint.origins)
        self._context = tls_context() if secure else None
        self._pools: dict[str, list[DeadlineTransport]] = {}
        self._closed = False
        self._lock = threading.Lock()
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    @contextlib.contextmanager
    def lease(self, host: str) -> Iterator[httpx.BaseTransport]:
        """Lend the least busy transport to a host for one request; a new one where all are busy."""
        with self._lock:
            if self._closed:
                raise httpx.ConnectError("the client was closed")
            pools = self._pools.setdefault(host, [])
            # Among equals the first: one request after another keeps to one warm connection.
            pool = min(pools, key=lambda pool: pool.busy, default=None)
            if pool is None or (pool.busy and len(pools) < self._most):
                pool = self.transport(host)
                pools.append(pool)
            pool.busy += 1
        try:
            yield pool
        finally:
            with self._lock:
                pool.busy -= 1

    def transport(self, host: str) -> DeadlineTransport:
        """Make one more pool of connections to a host."""
        # A loopback server is this machine's alone: a proxy would be given the credentials.
        named = None if self._endpoint.is_loopback else proxy_for(host)
        proxy = named and named.proxy
        return DeadlineTransport(connections=self._connections, context=self._context, proxy=proxy)

    def close(self) -> None:
        """Close all connections; none is lent again."""
        with self._lock:
            self._closed, pools, self._pools = True, self._pools, {}
        for pool in (pool for of_host in pools.values() for pool in of_host):
            pool.close()
