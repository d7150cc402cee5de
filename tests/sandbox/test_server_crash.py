"""kill -9 in the middle."""

from __future__ import annotations

import http.client
import threading
from pathlib import Path

from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Client
from tests.support import Cli


def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    acknowledged: list[str] = []
    sent: list[str] = []
    serve = ("sandbox", "serve", "--port", "0", "--no-rate-limit", "-q", "--database", str(database))
    with Cli(tmp_path).process(*serve) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(b":")[2])
        enough = threading.Event()

        def create(lane: int) -> None:
            client = Client(port)
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
        try:
            assert enough.wait(60)
        finally:
            process.kill()
        for thread in threads:
            thread.join()
    with Store(database) as store, store.reading() as db:
        kept = {name for (name,) in db.execute("SELECT unique_name FROM services")}
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert set(acknowledged) <= kept <= set(sent)
    assert len(kept) <= len(acknowledged) + 4
