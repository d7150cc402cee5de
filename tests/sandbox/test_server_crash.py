"""Many clients at once, several servers on one database, and kill -9 in the middle."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Client, Served


def test_16_adds_at_once_at_4999_of_5000(store: Store, server: Served, call: Client) -> None:
    sid = call("POST", "/v1/Services", UniqueName="full")[1]["sid"]
    sids = [number["sid"] for number in seed_numbers(store, 5015)]
    path = f"/v1/Services/{sid}/PhoneNumbers"
    assert pool_numbers(store, sid, sids[:4999], is_reserved=True) == 4999
    barrier = threading.Barrier(16)

    def add(sid: str) -> tuple[int, int | None]:
        client = Client(server.port)
        barrier.wait()
        status, body, _ = client("POST", path, Sid=sid, IsReserved="true")
        client.close()
        return status, body.get("code")

    with ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(add, sids[4999:]), key=str)
    assert answers == [(201, None)] + [(400, 80622)] * 15
    assert store.status().reserved == 5000


SERVE = """
import signal, sys
from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.server.server import serve
from proxyctl.sandbox.world.store import Store

def ready(server):
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    print(server.port, flush=True)

with Store(sys.argv[1]) as store:
    serve(Sandbox(store), port=0, rate_limit=False, ready=ready)
"""


class Process:
    """A server in a process of its own; `port` is where it listens."""

    def __init__(self, database: Path) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(database)], stdout=subprocess.PIPE, text=True
        )
        assert self.popen.stdout is not None
        self.port = int(self.popen.stdout.readline())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait()
        assert self.popen.stdout is not None
        self.popen.stdout.close()


def test_sigterm_ends_the_process_within_a_second_in_spite_of_idle_connections(tmp_path: Path) -> None:
    with Process(tmp_path / "sandbox.db") as process:
        clients = [Client(process.port) for _ in range(20)]
        assert all(client("GET", "/v1/Services")[0] == 200 for client in clients)
        started = time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(10) == 0
        assert time.monotonic() - started < 1.5  # the interpreter's own end included
        for client in clients:
            client.close()


def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    acknowledged: list[str] = []
    sent: list[str] = []
    with Process(database) as process:
        enough = threading.Event()

        def create(lane: int) -> None:
            client = Client(process.port)
            try:
                for number in range(10_000):
                    sent.append(f"s{lane}-{number}")
                    if client("POST", "/v1/Services", UniqueName=f"s{lane}-{number}")[0] == 201:
                        acknowledged.append(f"s{lane}-{number}")
                    if len(acknowledged) >= 300:
                        enough.set()
            except (OSError, http.client.HTTPException):
                pass
            finally:
                client.close()

        threads = [threading.Thread(target=create, args=(lane,)) for lane in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        os.kill(process.popen.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    with Store(database) as store, store.reading() as db:
        kept = {name for (name,) in db.execute("SELECT unique_name FROM services")}
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert set(acknowledged) <= kept <= set(sent)
    assert len(kept) <= len(acknowledged) + 4


def test_two_servers_on_one_database_are_one_account(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    with Process(database) as one, Process(database) as two:
        here, there = Client(one.port), Client(two.port)
        sid = here("POST", "/v1/Services", UniqueName="shared")[1]["sid"]
        assert there("GET", f"/v1/Services/{sid}")[0] == 200
        assert there("POST", "/v1/Services", UniqueName="shared")[:2][1]["code"] == 80602

        def create(lane: int) -> list[int]:
            client = Client((one if lane % 2 else two).port)
            statuses = [client("POST", "/v1/Services", UniqueName=f"s{number}")[0] for number in range(25)]
            client.close()
            return statuses

        with ThreadPoolExecutor(4) as pool:
            rounds = list(pool.map(create, range(4)))
        for number in range(25):
            assert sorted(statuses[number] for statuses in rounds) == [201, 400, 400, 400]
        here.close()
        there.close()
