"""How many requests a second the served sandbox answers, with the rate limit off: the workload `serving`.

The server is a process of its own over a database file; the load comes from this process, over raw sockets,
so that little of the machine goes into the client. To reach: 1,000/s for a mix of writes and reads on two
cores.
"""

from __future__ import annotations

import base64
import os
import selectors
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

TO_REACH = 1000
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


def workloads(
    service: str, pooled: list[str], free: list[str], count: int
) -> Iterator[tuple[str, list[bytes]]]:
    """Name and requests, ``count`` of most; ``free`` is used up by the adds."""
    pool = f"/v1/Services/{service}/PhoneNumbers"
    fetches = [request("GET", f"{pool}/{sid}") for sid in pooled]
    updates = [request("POST", f"{pool}/{sid}", "IsReserved=true") for sid in pooled]
    adds = [request("POST", pool, f"Sid={sid}&IsReserved=true") for sid in free]
    third = count // 3
    mixed = list(chain.from_iterable(zip(adds[:third], updates * 2, fetches * 2, strict=False)))
    yield "adds, updates and fetches", mixed
    yield "adds", adds[third : 2 * third]
    yield "updates", (updates * 6)[:count]
    yield "fetches", (fetches * 6)[:count]
    yield "pages of 50", [request("GET", f"{pool}?PageSize=50")] * (count // 6)


def prepare(database: Path, count: int) -> tuple[str, list[str], list[str]]:
    with Store(database) as store:
        form = [("UniqueName", "bench")]
        Sandbox(store).respond(Request("POST", "/v1/Services", form=form, headers={"authorization": BASIC}))
        with store.reading() as db:
            (service,) = db.execute("SELECT sid FROM services").fetchone()
        sids = [number["sid"] for number in seed_numbers(store, 1000 + 2 * (count // 3), seed=1)]
        pool_numbers(store, service, sids[:1000], is_reserved=True)
    return service, sids[:1000], sids[1000:]


@dataclass(frozen=True)
class Throughput:
    """Requests a second of a workload; ``median`` and ``slowest`` (the 99th percentile) latency in seconds."""

    workload: str
    connections: int
    rate: float
    median: float
    slowest: float


def measured(connections: Iterable[int] = (1, 16, 50), count: int = REQUESTS) -> Iterator[Throughput]:
    """Measure each workload of ``count`` requests at each number of connections."""
    for lanes in connections:
        with tempfile.TemporaryDirectory() as directory:
            database = Path(directory) / "sandbox.db"
            service, pooled, free = prepare(database, count)
            with served(database) as port:
                for name, requests in workloads(service, pooled, free, count):
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
