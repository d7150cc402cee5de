"""How many requests a second the served sandbox answers, with the rate limit off: the workload `serving`.

The server is a process of its own over a database file with many Sessions; the load comes from this process, over raw
sockets, so that little of the machine goes into the client. To reach, on two cores where `python -c pass` takes 8 to
10 ms: 1,500/s for a mix of writes and reads, and 700/s for pages of 50.
"""

from __future__ import annotations

import base64
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Request, Sandbox
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.benchmarks.many_sessions import fill

MIXED, PAGES = "a mix of writes and reads", "pages of 50"
TO_REACH = {MIXED: 1500, PAGES: 700}
REQUESTS = 6000
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()

SERVE = """
import sys
from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.server.server import Server
from proxyctl.sandbox.world.store import Store

with Store(sys.argv[1]) as store, Server(Sandbox(store), port=0, log=sys.stderr) as server:
    print(server.port, flush=True)
    server.run()
"""


def request(method: str, path: str, body: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {BASIC}\r\nUser-Agent: bench\r\n"
    head += "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    if method == "POST":
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


class Lane:
    """One connection that sends its next request as soon as the last one is answered."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, data: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.sock.sendall(data)

    def answered(self) -> bool:
        """Read what is there; true once the answer is complete, which must be a good one."""
        self.received += self.sock.recv(65536)
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        assert head[9:10] == b"2", self.received
        start = head.index(b"Content-Length: ") + 16
        if len(body) < int(head[start:].partition(b"\r\n")[0]):
            return False
        self.received = b""
        return True


def drive(port: int, requests: Iterable[bytes], connections: int) -> tuple[float, list[float]]:
    """Send all requests over so many connections; return the seconds it took and each one's latency."""
    waiting, latencies = iter(requests), []
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for data in (data for data, _ in zip(waiting, range(connections), strict=False)):
            lane = Lane(port)
            selector.register(lane.sock, selectors.EVENT_READ, lane)
            lane.send(data)
        while selector.get_map():
            for key, _ in selector.select():
                lane = key.data
                if not lane.answered():
                    continue
                latencies.append(time.perf_counter() - lane.sent_at)
                following = next(waiting, None)
                if following is None:
                    selector.unregister(lane.sock)
                    lane.sock.close()
                else:
                    lane.send(following)
        return time.perf_counter() - started, latencies


@dataclass(frozen=True)
class Prepared:
    """What a database holds: a Service with numbers in its pool and some that are free, and paths of other Sessions."""

    service: str
    pooled: list[str]
    free: list[str]
    sessions: list[str]


def workloads(prepared: Prepared, count: int) -> Iterator[tuple[str, list[bytes]]]:
    """Name and requests, ``count`` of most; the free numbers are used up by the adds."""
    service, pooled, free = prepared.service, prepared.pooled, prepared.free
    pool = f"/v1/Services/{service}/PhoneNumbers"
    fetches = [request("GET", f"{pool}/{sid}") for sid in pooled]
    updates = [request("POST", f"{pool}/{sid}", "IsReserved=true") for sid in pooled]
    adds = [request("POST", pool, f"Sid={sid}&IsReserved=true") for sid in free]
    sessions = [request("GET", path) for path in prepared.sessions]
    participants = [request("GET", f"{path}/Participants") for path in prepared.sessions]
    begun = [request("POST", f"/v1/Services/{service}/Sessions", f"UniqueName={n}") for n in range(count)]
    kinds = (adds, updates, fetches, begun, sessions, participants)
    sixth = count // len(kinds)
    yield MIXED, list(chain.from_iterable(zip(*(each[:sixth] for each in kinds), strict=True)))
    yield "adds", adds[sixth:]
    yield "updates", (updates * 6)[:count]
    yield "fetches", (fetches * 6)[:count]
    yield (
        PAGES,
        [request("GET", f"{prepared.sessions[0].partition('/Sessions')[0]}/PhoneNumbers")] * (count // 6),
    )


def prepare(database: Path, count: int, sessions: int) -> Prepared:
    """Fill a database with so many Sessions, and what ``count`` requests need."""
    with Store(database) as store:
        fill(store, sessions, now=int(time.time()))
        form = [("UniqueName", "bench")]
        Sandbox(store).respond(Request("POST", "/v1/Services", form=form, headers={"authorization": BASIC}))
        with store.reading() as db:
            (service,) = db.execute("SELECT sid FROM services WHERE unique_name = 'bench'").fetchone()
            paths = db.execute(
                "SELECT '/v1/Services/' || services.sid || '/Sessions/' || sessions.sid FROM sessions"
                " JOIN services ON services.id = service_id ORDER BY sessions.sid LIMIT 1000"
            ).fetchall()
        sids = [number["sid"] for number in seed_numbers(store, 1000 + count // 2, seed=1)]
        pool_numbers(store, service, sids[:1000], is_reserved=True)
    return Prepared(service, sids[:1000], sids[1000:], [path for (path,) in paths])


@dataclass(frozen=True)
class Throughput:
    """Requests a second of a workload; ``median`` and ``slowest`` (the 99th percentile) latency in seconds."""

    workload: str
    connections: int
    rate: float
    median: float
    slowest: float


def measured(
    connections: Iterable[int] = (1, 16, 50), count: int = REQUESTS, sessions: int = 100_000
) -> Iterator[Throughput]:
    """Measure each workload of ``count`` requests at each number of connections, on a database of its own."""
    with tempfile.TemporaryDirectory() as directory:
        whole = Path(directory) / "whole.db"
        prepared = prepare(whole, count, sessions)
        for lanes in connections:
            database = shutil.copy(whole, Path(directory) / f"{lanes}.db")
            with served(database) as port:
                for name, requests in workloads(prepared, count):
                    seconds, latencies = drive(port, requests, lanes)
                    cuts = statistics.quantiles(latencies, n=100)
                    yield Throughput(name, lanes, len(requests) / seconds, cuts[49], cuts[98])


@contextmanager
def served(database: Path) -> Iterator[int]:
    """Serve the sandbox of ``database``; yields the port."""
    command = [sys.executable, "-c", SERVE, os.fspath(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()
