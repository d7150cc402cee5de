"""Many clients at once, several servers on one database, and kill -9 in the middle."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Client

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
