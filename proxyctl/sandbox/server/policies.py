"""What stands between a request and the sandbox's behaviour: the limits, the latency and the faults, and a
ledger of what was really carried out. Apart from the server, so that a transport without sockets can have the
same troubles.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from proxyctl.sandbox.context import ApiError, Request, Response, problem, with_platform_headers
from proxyctl.sandbox.server.faults import Act, Fault, FaultPlan
from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow, endpoint_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One request in the ledger.

    ``status`` and ``answer`` are what the sandbox itself said, None where the request never reached it;
    ``sent`` is the status that the caller got, None where it got none; ``fault`` names what went wrong on the
    way.
    """

    method: str
    path: str
    form: tuple[tuple[str, str], ...]
    status: int | None
    sent: int | None
    fault: str | None = None
    answer: bytes | None = None

    @property
    def committed(self) -> bool:
        """Whether the request changed something: a write that the sandbox accepted."""
        return self.method in ("POST", "DELETE") and self.status is not None and self.status < 300


class Ledger:
    """Every request, in the order of its end: what tests compare with what a client believes. Thread-safe."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def record(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> list[Entry]:
        """All requests."""
        with self._lock:
            return list(self._entries)

    @property
    def effects(self) -> list[Entry]:
        """The writes that took effect, whatever answer the caller got."""
        return [entry for entry in self.entries if entry.committed]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes back to the caller: ``response``, unless ``fault`` breaks the connection (then it is what was
    to be sent).
    """

    response: Response
    fault: Fault | None

    @property
    def sent(self) -> int | None:
        """The status that the caller gets; None where it gets none."""
        broken = self.fault is not None and self.fault.act in (Act.RESET, Act.CLOSE, Act.HOLD)
        return None if broken else self.response.status


class Exchange(NamedTuple):
    """A request as it is listed for whoever asks: ``date`` in seconds since 1970."""

    date: float
    method: str
    path: str
    status: int | None
    fault: str | None
    milliseconds: float


@dataclass
class Policies:
    """The limits, latency (seconds), faults and ledger of one server; the default has none of them.

    ``retry_after`` is sent with each 429, as it stands. ``concurrency.ceiling`` may be changed while the
    server runs. ``now`` is the time of answers, ``recent`` are the latest
    requests.
    """

    window: SlidingWindow | None = None
    concurrency: ConcurrencyLimit = field(default_factory=ConcurrencyLimit)
    faults: FaultPlan | None = None
    latency: float = 0.0
    retry_after: str | None = None
    ledger: Ledger | None = None
    now: Callable[[], float] = time.time
    recent: deque[Exchange] = field(default_factory=lambda: deque(maxlen=1000))

    def carry_out(
        self,
        request: Request,
        respond: Callable[[Request], Response],
        *,
        account: str | None,
        now: float,
        wait: Callable[[float], object],
    ) -> Delivery:
        """Answer ``request`` of ``account`` (None: nobody's) that came in at ``now`` (monotonic seconds); ``wait``
        spends the latency.
        """
        running = self.concurrency.enter()
        concurrent = running or self.concurrency.running + 1
        try:
            refusal = self._refusal(request, running is not None, account, now)
            fault = self.faults.decide(request.method, request.path) if self.faults and not refusal else None
            if self.latency:
                wait(self.latency)
            own = None
            if refusal is None and (fault is None or fault.after):
                own = respond(replace(request, concurrent=concurrent))
        finally:
            if running is not None:
                self.concurrency.leave()
        response = with_platform_headers(refusal or _spoilt(fault, own), self.now(), concurrent)
        if self.retry_after is not None and response.status == 429:
            response = replace(response, headers=[*response.headers, ("Retry-After", self.retry_after)])
        delivery = Delivery(response, fault)
        self._record(request, own, delivery, refusal)
        return delivery

    def _refusal(self, request: Request, admitted: bool, account: str | None, now: float) -> Response | None:
        if not admitted:
            return problem(ApiError(20429))
        if self.window is None or account is None:  # who is nobody meets a 401, and uses up nobody's rate
            return None
        key = endpoint_of(request.method, request.path)
        if key is None or self.window.admit((account, key), now):
            return None
        return problem(ApiError(80621))

    def _record(
        self, request: Request, own: Response | None, delivery: Delivery, refusal: Response | None
    ) -> None:
        if self.ledger is None:
            return
        fault = delivery.fault
        self.ledger.record(
            Entry(
                method=request.method,
                path=request.path,
                form=tuple(request.form),
                status=own.status if own else None,
                sent=delivery.sent,
                fault=fault.name if fault else "limit" if refusal else None,
                answer=own.body if own else None,
            )
        )


def _spoilt(fault: Fault | None, own: Response | None) -> Response:
    """Return what the caller gets; a 204 has no body to spoil."""
    if fault is not None and fault.act is Act.ANSWER:
        return Response(fault.status or 500, [("Content-Type", fault.content_type)], fault.body)
    if own is None:
        return problem(ApiError(20500))
    if fault is not None and fault.act is Act.BODY and own.body:
        return replace(own, body=fault.body)
    return own
