"""A fast, bare server of generated pools, run as `python -m tests.benchmarks.bare_server SETTINGS`: the documented
window, a hidden limit and a latency, at little cost, since the processors are shared with what is measured.

It prints its port, serves until its stdin ends, and then prints its ledger as JSON. It knows what the benchmarks send
and no more; how Twilio really answers is the sandbox's matter.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs

WINDOW = 5.0
BURST = 150
PAGE = 100
SERVICE_SID = "KS" + "5" * 32
SERVICE_NAME = "bench"
ACCOUNT_SID = "AC" + "a" * 32

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nTwilio-Request-Id: RQ%032x\r\n\r\n"
NUMBER = (
    b'{"sid": "PN%032x", "account_sid": "' + ACCOUNT_SID.encode() + b'", "service_sid": "%s",'
    b' "date_created": "2026-01-02T03:04:05Z", "date_updated": "2026-01-02T03:04:05Z", "phone_number": "+1%d",'
    b' "friendly_name": "(415) 555-0100", "iso_country": "US", "capabilities": {"sms_inbound": true,'
    b' "sms_outbound": true, "voice_inbound": true, "voice_outbound": true, "mms_inbound": true, "mms_outbound": true,'
    b' "fax_inbound": false, "fax_outbound": false, "restriction_sms_domestic": false}, "url":'
    b' "https://proxy.twilio.com/v1/Services/%s/PhoneNumbers/PN%032x", "is_reserved": %s,'
    b' "in_use": 0}'
)  # fmt: skip
FIRST_NUMBER = 2_000_000_000
UNRESERVED, RESERVED, ABSENT = 0, 1, 2


def number_sid(index: int) -> str:
    """The SID of a generated number; those of the second Service follow those of the first."""
    return f"PN{index:032x}"


def phone_number(index: int) -> str:
    """The same number in E.164."""
    return f"+1{FIRST_NUMBER + index}"


def service_sid(place: int) -> str:
    """The SID of a Service, the first of which is 0."""
    return f"KS{int(SERVICE_SID[2:], 16) + place:032x}"


def service_name(place: int) -> str:
    """Its unique name."""
    return f"{SERVICE_NAME}-{place}" if place else SERVICE_NAME


@dataclass(frozen=True)
class Settings:
    """``numbers`` in each of ``services`` pools, of them the first ``reserved`` reserved; ``latency`` in seconds, of
    refusals too.

    ``window``: the documented rate, a refused request not counting. ``ceiling``: the hidden limit on requests under
    way, if there is one.
    """

    numbers: int
    reserved: int = 0
    latency: float = 0.0
    window: bool = False
    ceiling: int | None = None
    services: int = 1


@dataclass
class Ledger:
    """What came: ``first`` is the arrival of the first write, ``last`` the last answer to one (seconds)."""

    requests: int = 0
    writes: int = 0
    refused: int = 0
    changed: int = 0
    most: int = 0
    first: float = 0.0
    last: float = 0.0

    @property
    def seconds(self) -> float:
        """From the first write to the last answer."""
        return self.last - self.first


class Pools:
    """The Services' generated numbers: a byte for each says what it is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        pool = bytearray([RESERVED]) * settings.reserved + bytearray(settings.numbers - settings.reserved)
        self.states = pool * settings.services
        self.ledger = Ledger()
        self.running = 0
        self.port = 0
        self._arrivals: dict[tuple[str, str], deque[float]] = {}

    def admit(self, method: str, path: str, now: float) -> bytes | None:
        """Count a request; returns the refusal where a limit is met."""
        if self.settings.ceiling is not None and self.running >= self.settings.ceiling:
            return self.refuse(20429)
        if self.settings.window:
            arrivals = self._arrivals.setdefault((method, path.split("/PN")[0]), deque())
            while arrivals and arrivals[0] <= now - WINDOW:
                arrivals.popleft()
            if len(arrivals) >= BURST:
                return self.refuse(80621)
            arrivals.append(now)
        return None

    def refuse(self, code: int) -> bytes:
        self.ledger.refused += 1
        return self.answer(
            b"429 Too Many Requests", b'{"code": %d, "message": "Too many", "status": 429}' % code
        )

    def answer(self, status: bytes, body: bytes) -> bytes:
        return HEAD % (status, len(body), self.ledger.requests) + body

    def respond(self, method: str, path: str, body: bytes) -> bytes:
        """Carry out a request that was let in."""
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if parts[0] == "messaging":  # an account without Messaging Services
            none = b'{"services": [], "meta": {"key": "services", "next_page_url": null}}'
            return self.answer(b"200 OK", none)
        if len(parts) == 2:
            listed = [self.service(place) for place in range(self.settings.services)]
            body = json.dumps(
                {"services": listed, "meta": {"key": "services", "next_page_url": None}}
            ).encode()
            return self.answer(b"200 OK", body)
        place = int(parts[2][2:], 16) - int(SERVICE_SID[2:], 16)
        if len(parts) == 5:
            return self.one(method, int(parts[4][2:], 16), body)
        if len(parts) == 4:
            page = int(parse_qs(query).get("Page", ["0"])[0])
            return self.answer(b"200 OK", self.page(path, place, page))
        return self.answer(b"200 OK", json.dumps(self.service(place)).encode())

    def service(self, place: int) -> dict[str, str]:
        return {"sid": service_sid(place), "unique_name": service_name(place), "account_sid": ACCOUNT_SID}

    def one(self, method: str, index: int, body: bytes) -> bytes:
        """Fetch, update or delete a number."""
        if index >= len(self.states) or self.states[index] == ABSENT:
            return self.answer(b"404 Not Found", b'{"code": 20404, "message": "not found", "status": 404}')
        if method != "GET":
            self.ledger.changed += 1
        if method == "DELETE":
            self.states[index] = ABSENT
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        if method == "POST":
            self.states[index] = RESERVED if b"IsReserved=true" in body else UNRESERVED
        return self.answer(b"200 OK", self.row(index))

    def row(self, index: int) -> bytes:
        reserved = b"true" if self.states[index] == RESERVED else b"false"
        service = service_sid(index // self.settings.numbers).encode()
        return NUMBER % (index, service, FIRST_NUMBER + index, service, index, reserved)

    def page(self, path: str, place: int, page: int) -> bytes:
        """A page of the list; what was removed leaves its page shorter."""
        size = self.settings.numbers
        end = (page + 1) * PAGE
        indices = range(place * size + page * PAGE, place * size + min(end, size))
        rows = b", ".join([self.row(index) for index in indices if self.states[index] != ABSENT])
        following = "null"
        if end < size:
            token = f"PageSize={PAGE}&Page={page + 1}&PageToken=PT{page + 1}"
            following = f'"http://127.0.0.1:{self.port}{path}?{token}"'
        return (
            b'{"phone_numbers": [%s], "meta": {"key": "phone_numbers", "page": %d, "next_page_url": %s}}'
            % (
                rows,
                page,
                following.encode(),
            )
        )


class Connection(asyncio.Protocol):
    """One client's connection: a request, its answer, the next."""

    def __init__(self, pool: Pools) -> None:
        self.pool = pool
        self.received = b""
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        length, at = 0, head.lower().find(b"content-length:")
        if at >= 0:
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.received = rest[length:]
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.take(method, path, rest[:length])

    def take(self, method: str, path: str, body: bytes) -> None:
        """Let a request in or refuse it, and answer after the latency."""
        pool, now = self.pool, self.loop.time()
        pool.ledger.requests += 1
        if method != "GET":
            pool.ledger.writes += 1
            pool.ledger.first = pool.ledger.first or now
        answer = pool.admit(method, path.partition("?")[0], now)
        admitted = answer is None
        if answer is None:
            pool.running += 1
            pool.ledger.most = max(pool.ledger.most, pool.running)
            answer = pool.respond(method, path, body)
        if pool.settings.latency:
            self.loop.call_later(pool.settings.latency, self.send, answer, admitted, method != "GET")
        else:
            self.send(answer, admitted, method != "GET")

    def send(self, answer: bytes, admitted: bool, write: bool) -> None:
        self.pool.running -= admitted
        if write:
            self.pool.ledger.last = self.loop.time()
        self.transport.write(answer)


async def serve(settings: Settings) -> None:
    """Serve until stdin ends."""
    pool, loop = Pools(settings), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(pool), "127.0.0.1", 0, backlog=512)
    pool.port = server.sockets[0].getsockname()[1]
    print(pool.port, flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    server.close()
    print(json.dumps(asdict(pool.ledger)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Settings(**json.loads(sys.argv[1]))))
