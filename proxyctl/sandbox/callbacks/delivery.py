"""One callback: a signed form is posted, the answer is read, and what became of it is kept in the database.

A call is bounded in time and size, follows no redirect and heeds no proxy. It connects to the very address that was
found allowed.
"""

from __future__ import annotations

import base64
import json
import socket
import sqlite3
import ssl
import time
from collections import deque
from collections.abc import Collection
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import h11

from proxyctl.clock import Clock, SystemClock
from proxyctl.sandbox.api.resource import iso_date
from proxyctl.sandbox.callbacks.addresses import NotAllowed, addresses_of
from proxyctl.sandbox.callbacks.signature import sign
from proxyctl.sandbox.context import AUTH_TOKEN, Answer, Callback, insert_row
from proxyctl.sandbox.guesses import RULES
from proxyctl.sandbox.world.clock import present
from proxyctl.sandbox.world.store import Store

_READ_AT_MOST = 64 * 1024
_SHOWN_AT_MOST = 2000  # characters of an answer that are kept
_KEPT, _MADE = 10_000, 100  # callbacks
_SHOWN = ("kind", "status", "url", "milliseconds", "error", "answer", "id", "service_sid")
_CHUNK = 16 * 1024
_IN_URLS = "!#$%&'()*+,/:;=?@[]~"


class Caller:
    """Calls back one after the other, and waits for each. ``hosts`` are those besides this machine."""

    def __init__(
        self,
        hosts: Collection[str] = (),
        *,
        clock: Clock | None = None,
        seconds: float = RULES.callback_seconds,
    ) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._clock = clock or SystemClock()
        self._seconds = seconds
        self.made: deque[int] = deque(maxlen=_MADE)  # the ids of the latest records

    def deliver(self, store: Store, callbacks: list[Callback]) -> None:
        """Make the calls that a request owes."""
        for callback in callbacks:
            self.call(store, callback)

    def call(self, store: Store, callback: Callback) -> Answer:
        """Make one call, and keep what became of it."""
        started = time.monotonic()
        answer, error = Answer(), None
        try:
            answer = _post(callback, self._hosts, started + self._seconds)
        except TimeoutError:
            error = f"no answer within {self._seconds:g} s"
        except (NotAllowed, h11.ProtocolError, OSError, ValueError) as problem:
            error = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        return self.keep(store, callback, answer, error, round((time.monotonic() - started) * 1000))

    def keep(
        self, store: Store, callback: Callback, answer: Answer, error: str | None, milliseconds: int = 0
    ) -> Answer:
        """Write down what became of a call; the answer then knows where."""
        row = {
            **callback._asdict(),
            "parameters": json.dumps(callback.parameters),
            "status": answer.status,
            "answer": answer.text[:_SHOWN_AT_MOST],
            "error": error,
            "milliseconds": milliseconds,
        }
        with store.writing() as db:
            insert_row(db, "callbacks", {**row, "date_created": present(db, self._clock.now())})
            (row_id,) = db.execute("SELECT last_insert_rowid()").fetchone()
            db.execute("DELETE FROM callbacks WHERE id <= ?", (row_id - _KEPT,))
        self.made.append(row_id)
        return answer._replace(id=row_id)


def recent(db: sqlite3.Connection, limit: int | None) -> list[dict[str, Any]]:
    """The latest callbacks, the newest first, as the commands show them."""
    rows = db.execute("SELECT * FROM callbacks ORDER BY id DESC LIMIT ?", (-1 if limit is None else limit,))
    return [
        {
            "date_created": iso_date(row["date_created"]),
            **{name: row[name] for name in _SHOWN},
            "parameters": json.loads(row["parameters"]),
        }
        for row in rows
    ]


def _post(callback: Callback, hosts: Collection[str], deadline: float) -> Answer:
    parts = urlsplit(quote(callback.url.partition("#")[0], safe=_IN_URLS))
    body = urlencode(callback.parameters).encode()
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "User-Agent": "TwilioProxy/1.1",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        "X-Twilio-Signature": sign(AUTH_TOKEN, parts.geturl(), callback.parameters),
        "Connection": "close",
    }
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    http = h11.Connection(h11.CLIENT)
    sent = http.send(h11.Request(method="POST", target=target, headers=list(headers.items()))) or b""
    with _connect(parts, hosts, deadline) as connection:
        connection.settimeout(_left(deadline))
        connection.sendall(sent + (http.send(h11.Data(data=body)) or b""))
        http.send(h11.EndOfMessage())
        return _read(http, connection, deadline)


def _read(http: h11.Connection, connection: socket.socket, deadline: float) -> Answer:
    """The answer, of whose body the first part is read."""
    answer, body = Answer(), bytearray()
    while len(body) < _READ_AT_MOST:
        event = http.next_event()
        if event is h11.NEED_DATA:
            connection.settimeout(_left(deadline))
            http.receive_data(connection.recv(_CHUNK))
        elif isinstance(event, h11.Response):
            kind = dict(event.headers).get(b"content-type", b"").decode("latin-1")
            answer = Answer(event.status_code, kind.partition(";")[0].strip().lower())
        elif isinstance(event, h11.Data):
            body += event.data
        elif not isinstance(event, h11.InformationalResponse):
            break
    text = bytes(body[:_READ_AT_MOST]).decode("utf-8", "replace").replace("\0", "\ufffd")
    return answer._replace(text=text)


def _connect(parts: SplitResult, hosts: Collection[str], deadline: float) -> socket.socket:
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    failure: OSError = OSError("no address")
    for address in addresses_of(host, port, hosts):
        try:
            plain = socket.create_connection((address, port), timeout=_left(deadline))
        except OSError as error:
            failure = error
            continue
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    raise failure


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
