"""Reading many pools at once: side by side over the Services, each within the rate of its own endpoint and all within
what the account may have under way. Apart from the client's own `request`, which knows of one call only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from proxyctl.api import codes, resources
from proxyctl.api.calls import Answer, Call
from proxyctl.api.client import ProxyClient
from proxyctl.api.models import PhoneNumber
from proxyctl.api.pages import Page, pages
from proxyctl.api.retry import Tally
from proxyctl.bulk.pace import NEVER, ConcurrencyGate, Place, RateGate
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import AuthenticationError, ProxyctlError, ThrottledError
from proxyctl.pools.pool import Pool

WORKERS = 32  # lists read at once; the gates decide how many requests that makes
NAP = 0.25  # seconds: an answer may let a request start before the time that a gate named

Rates = Callable[[str], RateGate]
Told = TypeVar("Told")


class Reader:
    """Sends reads for many threads; ``rates`` and ``concurrency`` decide when. Errors are the client's.

    After refused credentials (AuthenticationError) nothing more is sent: all further reads raise the same.
    """

    def __init__(self, client: ProxyClient, rates: Rates, concurrency: ConcurrencyGate) -> None:
        self.client = client
        self._rates = rates
        self._concurrency = concurrency
        self._settled = threading.Condition()
        self._refused: AuthenticationError | None = None

    def numbers(self, service_sid: str) -> Iterator[Page]:
        """The pool of one Service, page by page."""
        return pages(self, resources.list_numbers(service_sid))

    def account_numbers(self) -> Iterator[Page]:
        """The numbers that the account owns, page by page."""
        return pages(self, resources.list_incoming_numbers(self.client.credentials.account_sid))

    def messaging_services(self) -> Iterator[Page]:
        """The account's Messaging Services, page by page."""
        return pages(self, resources.list_messaging_services())

    def messaging_numbers(self, service_sid: str) -> Iterator[Page]:
        """The numbers of one Messaging Service, page by page."""
        return pages(self, resources.list_senders(service_sid))

    def request(self, call: Call) -> Answer:
        """Send a read when its turn has come, and again after faults that may pass."""
        tally = Tally()
        while True:
            try:
                return self._send(call)
            except ProxyctlError as error:
                delay = self.client.policy.after(error, tally, repeatable=True)
                if delay is None:
                    raise
                if isinstance(error, ThrottledError):
                    continue  # the gate keeps the pause, for all
            self.client.clock.sleep(delay)

    def _send(self, call: Call) -> Answer:
        gate, ticket, place = self._enter(f"{call.method} {call.path}")
        try:
            answer = self.client.send(call)
        except BaseException as error:
            with self._settled:
                self._failed(gate, ticket, place, error)
                self._settled.notify_all()
            raise
        with self._settled:
            self._answered(gate, ticket, place)
            self._settled.notify_all()
        return answer

    def _enter(self, lane: str) -> tuple[RateGate, int, Place]:
        """Wait until both gates are open, and go through."""
        clock = self.client.clock
        while True:
            with self._settled:
                if self._refused is not None:
                    raise self._refused
                now = clock.monotonic()
                gate = self._rates(lane)
                wait = gate.wait(now) or self._concurrency.wait(now)
                if wait <= 0:
                    return gate, gate.start(now), self._concurrency.start(now)
                if wait == NEVER:
                    self._settled.wait()
                    continue
            clock.sleep(min(wait, NAP))

    def _answered(self, gate: RateGate, ticket: int, place: Place) -> None:
        now = self.client.clock.monotonic()
        gate.answered(ticket, place.started, now)
        self._concurrency.answered(place, now)

    def _failed(self, gate: RateGate, ticket: int, place: Place, error: BaseException) -> None:
        now = self.client.clock.monotonic()
        problem = error.problem if isinstance(error, ProxyctlError) else None
        if isinstance(error, AuthenticationError):
            self._refused = error
        if not isinstance(error, ThrottledError):
            if problem is not None:
                self._answered(gate, ticket, place)
            else:
                gate.lost(ticket)
                self._concurrency.leave(place)
        elif problem is not None and problem.code == codes.RATE_LIMITED:
            gate.throttled(ticket, place.started, now, problem.retry_after)
            self._concurrency.answered(place, now)
        else:
            gate.answered(ticket, place.started, now)
            self._concurrency.throttled(place, now, problem.retry_after if problem else None)


def tell_pools(
    reader: Reader, service_sids: Iterable[str], tell: Callable[[str, Iterator[Page]], Told]
) -> Iterator[tuple[str, Told]]:
    """Read pools side by side; yield each Service's SID with what ``tell`` made of its pages, as they are read."""
    return side_by_side(lambda sid: tell(sid, reader.numbers(sid)), service_sids, workers=WORKERS)


def read_pools(
    reader: Reader, service_sids: Iterable[str], *, fields: Iterable[str] | None = None
) -> Iterator[tuple[str, Pool]]:
    """Read whole pools side by side. With ``fields`` only these (and sid) of each number are kept: 50,000 numbers
    take 25 MB then, not 150.
    """
    kept = None if fields is None else frozenset({"sid", *fields})

    def pool_of(sid: str, read: Iterator[Page]) -> Pool:
        pool = Pool(sid)
        for page in read:
            for raw in page.items:
                pool.add(PhoneNumber(raw if kept is None else slim(raw, kept)))
        return pool

    return tell_pools(reader, service_sids, pool_of)


def slim(raw: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """Return only ``fields`` of ``raw``."""
    return {name: value for name, value in raw.items() if name in fields}
