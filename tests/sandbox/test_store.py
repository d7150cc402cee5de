"""The database file: who may read it, which files are refused, and what the commands ask of it."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxyctl.errors import NotFoundError, OutputError, RefusedError, UsageError
from proxyctl.sandbox.world.store import Store, StoreBusy
from tests.sandbox.asking import Ask


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sandbox.db"


def test_nobody_else_can_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store(path) as store:
            Ask(store).service()
            assert {_mode(file) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert _mode(path.parent) == 0o700
    path.chmod(0o644)
    with Store(path) as store:
        store.status()
        assert {_mode(file) for file in path.parent.iterdir()} == {0o600}


def test_what_was_answered_is_there_after_closing(path: Path) -> None:
    with Store(path) as store:
        ask = Ask(store)
        service = ask.service()
        sids = ask.filled(service, 3)
    with Store(path) as store:
        rows = Ask(store).get(f"{service}/PhoneNumbers").body["phone_numbers"]
        assert [row["sid"] for row in rows] == sids
    assert sorted(file.name for file in path.parent.iterdir()) == ["sandbox.db"]


def test_a_database_without_sessions_is_taken_over(path: Path) -> None:
    with Store(path) as store:
        ask = Ask(store)
        service = ask.service()
        busy, idle = ask.filled(service, 2)
    with contextlib.closing(sqlite3.connect(path)) as old:
        for table in ("sessions", "participants", "interactions", "callbacks", "settings"):
            old.execute(f"DROP TABLE {table}")
        old.execute("DROP INDEX pool_unreserved")
        for (column,) in old.execute(
            "SELECT name FROM pragma_table_info('numbers') WHERE cid > 21"
        ).fetchall():
            old.execute(f"ALTER TABLE numbers DROP COLUMN {column}")
        old.execute("ALTER TABLE pool ADD COLUMN in_use INTEGER NOT NULL DEFAULT 0")
        old.execute("UPDATE pool SET in_use = 3 WHERE id = 1")
        old.execute("PRAGMA user_version = 2")
        old.commit()
    for _ in range(2):  # only once
        with Store(path) as store:
            ask = Ask(store)
            rows = ask.get(f"{service}/PhoneNumbers").body["phone_numbers"]
            assert [(row["sid"], row["in_use"]) for row in rows] == [(busy, 3), (idle, 0)]
            assert len(ask.get(f"{service}/Sessions").body["sessions"]) == 3
    with Store(path) as store:
        assert Ask(store).join(Ask(store).session(service), "+14157770001").status == 201


def test_two_stores_on_one_file_see_each_other(path: Path) -> None:
    with Store(path) as one, Store(path) as two:
        service = Ask(one).service()
        assert Ask(two).get(service).status == 200
        assert Ask(two).delete(service).status == 204
        assert Ask(one).get(service).status == 404


def _foreign(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE precious (id)")


def _of_another_version(path: Path) -> None:
    Store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _cut_short(path: Path) -> None:
    with Store(path) as store:
        ask = Ask(store)
        ask.filled(ask.service(), 200)
    os.truncate(path, 8192)


@pytest.mark.parametrize(
    ("made", "message", "hint"),
    [
        (b"not a database at all" * 100, "damaged or no database", "rm {path}"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "damaged or no database", "rm {path}"),
        (b"x", "damaged or no database", "rm {path}"),
        (_foreign, "not a sandbox of proxyctl", "Name another file"),
        (_of_another_version, "another version of proxyctl", "delete the file"),
        (_cut_short, "can't be used|damaged", ""),
    ],
    ids=["text", "rubbish", "one byte", "foreign", "another version", "cut short"],
)
def test_what_is_no_sandbox_is_refused_closed_and_left_alone(
    path: Path,
    made: bytes | Callable[[Path], None],
    message: str,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(made) if isinstance(made, bytes) else made(path)
    path.chmod(0o600 if made in (_of_another_version, _cut_short) else 0o640)  # ours are kept private
    content, mode = path.read_bytes(), _mode(path)
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **settings))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    with pytest.raises(OutputError, match=message) as caught, Store(path) as store:
        store.status()
    assert hint.format(path=path) in (caught.value.hint or "")
    assert (path.read_bytes(), _mode(path)) == (content, mode)
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_places_where_no_database_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "sandbox.db", tmp_path / ("n" * 300)):
        with pytest.raises(OutputError, match="can't be opened") as caught:
            Store(path)
        assert caught.value.hint


def test_a_lock_held_too_long_is_temporary(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxyctl.sandbox.world.store._BUSY_TIMEOUT", 0.01)
    with Store(path) as one, Store(path) as two, one.writing():
        with pytest.raises(StoreBusy, match="locked by another process"), two.writing():
            pass
        assert Ask(two).post("/v1/Services", UniqueName="x").refusal == (503, 20503)
        assert Ask(two).get("/v1/Services").status == 200  # reading goes on


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    with Store(path) as store:
        ask = Ask(store)
        service = ask.service()
        with pytest.raises(RuntimeError), store.writing() as db:
            db.execute("DELETE FROM services")
            raise RuntimeError
        assert ask.get(service).status == 200


def test_after_closing_nothing_is_lent(path: Path) -> None:
    store = Store(path)
    with store.reading() as db:
        store.close()
        assert db.execute("SELECT 1").fetchone()[0] == 1  # lent before: closed when it comes back
    store.close()
    with pytest.raises(OutputError, match="closed"), store.reading():
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")


def test_status_counts_and_reset_forgets(store: Store, ask: Ask) -> None:
    service = ask.service()
    busy, _ = ask.filled(service, 2)
    ask.filled(service, 3, reserved=True)
    spare = ask.numbers(4)[0]["sid"]
    url = ask.post("/messaging/v1/Services", FriendlyName="a2p").body["url"]
    ask.post(f"{url}/PhoneNumbers", PhoneNumberSid=spare)
    store.set_in_use(busy, 7)
    status = store.status()
    assert (status.services, status.numbers, status.in_pools, status.reserved) == (1, 9, 5, 3)
    assert (status.in_use, status.sessions) == (1, 7)
    assert (status.messaging_services, status.messaging_numbers) == (1, 1)
    assert (status.database, status.size > 0) == (":memory:", True)
    store.reset()
    assert ask.get("/v1/Services").body["services"] == []
    assert store.status().numbers == store.status().messaging_numbers == 0


def test_each_services_counts_follow_its_pool_whatever_happens(store: Store, ask: Ask) -> None:
    services = [ask.service(name) for name in ("one", "two")]
    draw = random.Random(1)
    sids = [row["sid"] for row in ask.numbers(30)]
    for _ in range(600):
        service, sid, reserved = draw.choice(services), draw.choice(sids), draw.choice(["true", "false"])
        path = f"{service}/PhoneNumbers"
        draw.choice(
            [
                functools.partial(ask.post, path, Sid=sid, IsReserved=reserved),
                functools.partial(ask.post, f"{path}/{sid}", IsReserved=reserved),
                functools.partial(ask.delete, f"{path}/{sid}"),
            ]
        )()
    with store.reading() as db:
        counted = db.execute(
            "SELECT reserved, unreserved, (SELECT total(is_reserved) FROM pool WHERE service_id = services.id),"
            " (SELECT total(1 - is_reserved) FROM pool WHERE service_id = services.id) FROM services"
        ).fetchall()
    assert [tuple(row)[:2] for row in counted] == [tuple(row)[2:] for row in counted]
    assert sum(map(sum, counted)) > 0


def test_making_a_number_busy(store: Store, ask: Ask) -> None:
    service = ask.service()
    sid = ask.filled(service, 1)[0]
    row = store.set_in_use(sid, 3)
    assert row == {
        "sid": sid,
        "phone_number": row["phone_number"],
        "service_sid": service.rpartition("/")[2],
        "is_reserved": False,
        "in_use": 3,
    }
    assert ask.get(f"{service}/PhoneNumbers/{sid}").body["in_use"] == 3
    sessions = ask.get(f"{service}/Sessions").body["sessions"]
    assert [row["status"] for row in sessions] == ["open"] * 3
    rows = ask.get(sessions[0]["links"]["participants"]).body["participants"]
    assert [row["proxy_identifier_sid"] for row in rows] == [sid, sid]
    assert all(row["identifier"].startswith("+1500555") for row in rows)
    assert store.set_in_use(sid, 1)["in_use"] == 1
    statuses = [row["status"] for row in ask.get(f"{service}/Sessions").body["sessions"]]
    assert statuses == ["open", "closed", "closed"]
    assert store.set_in_use(sid, 2)["in_use"] == 2
    assert store.set_in_use(row["phone_number"], 0)["in_use"] == 0
    spare = ask.numbers(1)[0]["phone_number"]
    with pytest.raises(RefusedError, match="in no Service's pool"):
        store.set_in_use(spare, 1)
    with pytest.raises(NotFoundError, match="no number"):
        store.set_in_use("PN" + "0" * 32, 1)
    for number, sessions in ((sid, -1), (sid, 10_001), ("\0", 1), ("\ud800", 1)):
        with pytest.raises(UsageError):
            store.set_in_use(number, sessions)
