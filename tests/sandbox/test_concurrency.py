"""Several threads and several processes on one database: limits hold, nothing answered is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Ask

# A process that opens the database, says so, waits for a line, and sends every number to the pool from 8 threads.
_ADDER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Ask

path, service, reserved, *sids = sys.argv[1:]
with Store(path) as store, ThreadPoolExecutor(8) as pool:
    ask = Ask(store)
    print("ready", flush=True)
    sys.stdin.readline()
    answers = pool.map(lambda sid: ask.post(f"{service}/PhoneNumbers", Sid=sid, IsReserved=reserved), sids)
    print(json.dumps([[answer.status, answer.body["code" if answer.status >= 400 else "sid"]] for answer in answers]))
"""
_OPENER = """
import sys
from proxyctl.sandbox.world.store import Store

print("ready", flush=True)
sys.stdin.readline()
with Store(sys.argv[1]) as store:
    print(store.status().services)
"""


def _at_once(program: str, *arguments: Sequence[str]) -> list[Any]:
    """Run the program once for each list of arguments, all from the same moment on; returns what each printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, *each],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for each in arguments
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [json.loads(output) for output in outputs]


def _race(path: Path, service: str, reserved: str, shares: list[list[str]]) -> list[tuple[int, object]]:
    printed = _at_once(_ADDER, *([str(path), service, reserved, *share] for share in shares))
    return [(status, what) for outcomes in printed for status, what in outcomes]


def test_of_16_adds_at_4999_of_5000_exactly_one_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with Store(path) as store:
        ask = Ask(store)
        service = ask.service()
        ask.filled(service, 4999, reserved=True)
        sids = [row["sid"] for row in ask.numbers(16)]
        outcomes = _race(path, service, "true", [sids[:8], sids[8:]])
        assert Counter(status for status, _ in outcomes) == {201: 1, 400: 15}
        assert {what for status, what in outcomes if status == 400} == {80622}
        assert store.status().reserved == 5000


def test_two_processes_that_add_the_same_numbers_share_them(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with Store(path) as store:
        ask = Ask(store)
        service = ask.service()
        sids = [row["sid"] for row in ask.numbers(200)]
        outcomes = _race(path, service, "false", [sids, sids])
        assert Counter(status for status, _ in outcomes) == {201: 200, 400: 200}
        assert {what for status, what in outcomes if status == 400} == {80104}
        assert sorted(str(what) for status, what in outcomes if status == 201) == sorted(sids)
        assert store.status().in_pools == 200


def test_four_processes_can_make_the_database_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "sandbox.db")
    assert _at_once(_OPENER, [path], [path], [path], [path]) == [0] * 4


@pytest.mark.parametrize("where", ["memory", "file"])
def test_threads_that_add_reserve_list_and_remove_leave_a_whole_pool(tmp_path: Path, where: str) -> None:
    with Store(":memory:" if where == "memory" else tmp_path / "sandbox.db") as store:
        ask = Ask(store)
        service = ask.service()
        sids = [row["sid"] for row in ask.numbers(160)]

        def come_and_go(sid: str) -> list[int]:
            path = f"{service}/PhoneNumbers"
            return [
                ask.post(path, Sid=sid).status,
                ask.post(f"{path}/{sid}", IsReserved="true").status,
                ask.get(f"{path}?PageSize=100").status,
                ask.delete(f"{path}/{sid}").status,
            ]

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(come_and_go, sids))
        assert outcomes == [[201, 200, 200, 204]] * 160
        assert store.status().in_pools == 0


def test_a_reader_sees_one_state_while_a_writer_writes(tmp_path: Path) -> None:
    with Store(tmp_path / "sandbox.db") as store:
        ask = Ask(store)
        service = ask.service()
        ask.filled(service, 5)
        count: Callable[[], int] = lambda: len(ask.get(f"{service}/PhoneNumbers").body["phone_numbers"])  # noqa: E731
        with store.reading() as db:
            (before,) = db.execute("SELECT count(*) FROM pool").fetchone()
            writer = threading.Thread(target=ask.delete, args=(service,))
            writer.start()
            writer.join()  # the write was answered, and the reader neither blocked it nor saw it
            assert db.execute("SELECT count(*) FROM pool").fetchone()[0] == before == 5
        assert store.status().in_pools == 0
        with pytest.raises(KeyError):
            count()
