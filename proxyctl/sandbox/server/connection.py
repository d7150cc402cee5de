"""One HTTP/1.1 connection from the server's side: h11 for the protocol, a socket, and the time and size
limits that keep a slow or greedy client from holding more than its own connection.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from http import HTTPStatus

import h11

from proxyctl.sandbox.context import ApiError

_CHUNK = 16 * 1024
_MAX_HEAD = 32 * 1024
_LINGER_BYTES = 2 * 1024 * 1024
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Gone(Exception):
    """The client has left, or was too slow or silent for too long; there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes: ``idle`` between requests, ``slow`` for a whole head, a whole body or one answer,
    ``linger`` for a refused body to drain, ``body`` at most.
    """

    idle: float = 75.0
    slow: float = 10.0
    linger: float = 1.0
    body: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The first part of a request: a target in printable ASCII, headers by name in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class Connection:
    """Reads requests from ``sock`` and writes answers to it, one after the other (pipelined ones wait their
    turn).
    """

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._socket = sock
        self._limits = limits
        self._http = _parser()
        self._is_head = False
        self._is_kept = False  # for another request, as the client has it
        self.idle_since: float | None = time.monotonic()

    def read_head(self) -> Head | None:
        """Wait for the next request; None at the end of the connection. ApiError for what is not HTTP."""
        if not self._http.trailing_data[0] and not self._wait_for_first_bytes():
            return None
        self.idle_since = None
        event = self._next_event(time.monotonic() + self._limits.slow)
        if not isinstance(event, h11.Request):
            return None
        self._is_head = event.method == b"HEAD"
        head = _head(event)
        self._is_kept = (
            event.http_version == b"1.1" and "close" not in head.headers.get("connection", "").lower()
        )
        return head

    def read_body(self, head: Head) -> bytes:
        """Return the whole body; ApiError 413 as soon as it is known to be too large."""
        if int(head.headers.get("content-length", "0")) > self._limits.body:
            raise _too_large(self._limits.body)
        if self._http.they_are_waiting_for_100_continue:
            self._send(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            )
        deadline = time.monotonic() + self._limits.slow
        body = bytearray()
        while isinstance(event := self._next_event(deadline), h11.Data):
            body += event.data
            if len(body) > self._limits.body:
                raise _too_large(self._limits.body)
        if not isinstance(event, h11.EndOfMessage):
            raise Gone
        return bytes(body)

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes | None, *, close: bool) -> bool:
        """Send an answer; returns whether the connection can take another request."""
        close = close or not self._is_kept or self._http.their_state is not h11.DONE
        self._send(self._answer_bytes(status, headers, body, close=close))
        if close:
            return False
        self._http = _next(self._http)
        self.idle_since = time.monotonic()
        return True

    def truncate(self, status: int, headers: list[tuple[str, str]], body: bytes | None) -> None:
        """Send an answer without the second half of its body."""
        whole = self._answer_bytes(status, headers, body, close=False)
        sent = 0 if self._is_head else len(body or b"")
        self._send(whole[: len(whole) - (sent + 1) // 2])

    def hold(self, seconds: float) -> None:
        """Say nothing for ``seconds``, or until the client leaves or the server stops."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(Gone):
            while self._receive(deadline):
                pass

    def reset(self) -> None:
        """Close with a reset (RST) in place of an orderly end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def drain(self) -> None:
        """Read on for a moment after a refusal: closing on unread bytes would reset the answer away."""
        deadline = time.monotonic() + self._limits.linger
        left = _LINGER_BYTES
        with contextlib.suppress(Gone, OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while left > 0 and (data := self._receive(deadline)):
                left -= len(data)

    def interrupt(self) -> None:
        """Wake whoever waits for bytes, as if the client had ended the stream; what is under way may still
        answer.
        """
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def abort(self) -> None:
        """End both directions at once."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    def _wait_for_first_bytes(self) -> bool:
        data = self._receive(time.monotonic() + self._limits.idle)
        self._http.receive_data(data)
        return bool(data)

    def _next_event(self, deadline: float) -> object:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(self._receive(deadline))
        except h11.RemoteProtocolError as error:
            raise _protocol_error(error) from None
        return event

    def _receive(self, deadline: float) -> bytes:
        """Return the next bytes, empty at the end of the stream; Gone past the deadline or when the client
        broke off.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise Gone
        try:
            self._socket.settimeout(left)
            return self._socket.recv(_CHUNK)
        except OSError:
            raise Gone from None

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._limits.slow)
            self._socket.sendall(data)
        except OSError:
            raise Gone from None

    def _answer_bytes(
        self, status: int, headers: list[tuple[str, str]], body: bytes | None, *, close: bool
    ) -> bytes:
        lines = [
            f"HTTP/1.1 {status} {_PHRASES.get(status, '')}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        if close:
            lines.append("Connection: close")
        if status != 204:
            lines.append(f"Content-Length: {len(body or b'')}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1:
            raise ValueError("a header holds a line end")
        sent = b"" if body is None or status == 204 or self._is_head else body
        return head.encode("latin-1") + b"\r\n\r\n" + sent


def _parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)


def _next(before: h11.Connection) -> h11.Connection:
    """What reads the next request, of which bytes may be there already; h11 only reads, and so knows no answers."""
    parser = _parser()
    if before.trailing_data[0]:
        parser.receive_data(before.trailing_data[0])
    return parser


def _head(event: h11.Request) -> Head:
    if event.http_version not in (b"1.0", b"1.1"):
        raise ApiError(20400, "This is not HTTP/1.1")
    headers: dict[str, str] = {}
    for name, value in event.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if "transfer-encoding" in headers and "content-length" in headers:
        raise ApiError(20400, "Both Content-Length and Transfer-Encoding were sent")
    return Head(event.method.decode("ascii"), event.target.decode("ascii"), headers)


def _too_large(limit: int) -> ApiError:
    return ApiError(20413, f"The body is larger than {limit} bytes")


def _protocol_error(error: h11.RemoteProtocolError) -> ApiError:
    if error.error_status_hint == 431:
        return ApiError(20431)
    return ApiError(20400, f"This is not a proper HTTP request: {error}")
