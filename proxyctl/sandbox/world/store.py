"""The sandbox's memory: one SQLite database, safe for many threads and for several processes at once.

Apart from the rules, so that the commands can count, reset and rehearse without the emulated API.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxyctl.errors import OutputError, TemporaryError
from proxyctl.files import make_directories, refuse_foreign
from proxyctl.sandbox.world import rehearsal
from proxyctl.sandbox.world.clock import present
from proxyctl.sandbox.world.lifetime import is_due, sweep
from proxyctl.sandbox.world.schema import APPLICATION_ID, IN_USE, SCHEMA, SCHEMA_VERSION, SESSIONS, TABLES

_BUSY_TIMEOUT = 30.0  # seconds that a write waits for another process
_SIDE_FILES = ("-wal", "-shm", "-journal")
_HEADER_SIZE = 100  # bytes of a database that say whose it is
_WAL_ATTEMPTS = 250
_WAL_PAUSE = 0.02  # seconds
_TAKEN_OVER = 2  # the version of the schema before Sessions


class StoreBusy(TemporaryError):
    """Another process kept the database locked for longer than a request may wait."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the sandbox holds. ``in_use`` are numbers, ``sessions`` the active ones; ``size`` is in bytes."""

    database: str
    size: int
    services: int
    numbers: int
    in_pools: int
    reserved: int
    in_use: int
    sessions: int
    messaging_services: int
    messaging_numbers: int


class Store:
    """One sandbox account's data. ``path`` is a file, made on first use with its directory, or ``:memory:``.

    Connections are lent out one a transaction and kept for the next; writes of this process queue on a lock,
    which is far quicker than SQLite's own polling. Raises OutputError for a file that can't be used.
    """

    def __init__(self, path: str | os.PathLike[str] = ":memory:") -> None:
        self.path = os.fspath(path)
        self._in_memory = self.path == ":memory:"
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        if not self._in_memory:
            _make_private(Path(self.path))
        with self._explained():
            self._idle.append(self._prepare())

    # -- transactions ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one state of the database throughout."""
        if self._in_memory:  # its only connection serves one transaction at a time
            with self._write_lock, self._transaction("BEGIN") as connection:
                yield connection
        else:
            with self._transaction("BEGIN") as connection:
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for changes: all are kept when the block ends, none when it raises."""
        with self._write_lock, self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._explained():
            connection = self._take()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise OutputError("the sandbox's database was closed")
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every connection; those still lent out are closed when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- opening -----------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.row_factory = sqlite3.Row
        with _closed_on_error(connection):
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
        return connection

    def _prepare(self) -> sqlite3.Connection:
        connection = self._connect()
        with _closed_on_error(connection):
            self._refuse_foreign(connection)
            _use_wal(connection)
            self._create_tables(connection)
        return connection

    def _refuse_foreign(self, connection: sqlite3.Connection) -> int:
        """Return the version of the schema, 0 where there is none; a file that is not ours is never changed."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application == 0 and version == 0 and tables == 0:
            return 0
        if application != APPLICATION_ID:
            raise OutputError(
                f"{self.path} is a database, but not a sandbox of proxyctl",
                hint="Name another file. This one was not changed.",
            )
        if version not in (SCHEMA_VERSION, _TAKEN_OVER):
            raise OutputError(
                f"{self.path} was made by another version of proxyctl "
                f"(schema {version}, here {SCHEMA_VERSION})",
                hint=f"Use that version, or delete the file: rm {self.path}",
            )
        return int(version)

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")  # another process may be doing the same
        version = self._refuse_foreign(connection)
        if version != SCHEMA_VERSION:
            for statement in (SESSIONS if version else SCHEMA).split("\n\n"):
                connection.execute(statement)
            if version:
                rehearsal.take_over(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's failures into errors that say what to do next."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise StoreBusy(f"the sandbox's database {self.path} is locked by another process") from error
            raise OutputError(
                f"the sandbox's database {self.path} can't be used: {error}",
                hint="Check that the directory exists, that you own it, and that the disk has space left.",
            ) from error
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # an error of ours, not of the file
        except sqlite3.DatabaseError as error:
            raise _damaged(self.path, error) from error

    # -- for the commands --------------------------------------------------------------------------

    def status(self, now: float | None = None) -> Status:
        """Count what is there at the clock's time ``now`` (by default this moment)."""
        with self.reading() as db:
            due = is_due(db, present(db, now))
        if due:
            with self.writing() as db:
                sweep(db, present(db, now))
        with self.reading() as db:
            counts = db.execute(
                "SELECT (SELECT count(*) FROM services), (SELECT count(*) FROM numbers), count(*),"
                f" coalesce(sum(is_reserved), 0), coalesce(sum({IN_USE} > 0), 0),"
                " (SELECT count(*) FROM sessions WHERE status <> 'closed'),"
                " (SELECT count(*) FROM messaging_services), (SELECT count(*) FROM messaging_numbers)"
                " FROM pool JOIN numbers ON numbers.id = number_id"
            ).fetchone()
            (size,) = db.execute(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            ).fetchone()
        return Status(self.path, size, *counts)

    def reset(self) -> None:
        """Forget everything, and set the clock right."""
        with self.writing() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")

    def set_in_use(self, number: str, sessions: int, now: float | None = None) -> dict[str, Any]:
        """As ``rehearsal.set_in_use``, in a transaction."""
        with self.writing() as db:
            sweep(db, present(db, now))
            return rehearsal.set_in_use(db, number, sessions, present(db, now))


def beside(path: Path, account: str | None) -> Path:
    """Where the data of a subaccount are: beside those of the sandbox, which None stands for."""
    return path if account is None else path.with_name(f"{path.stem}-{account}{path.suffix}")


@contextlib.contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close what could not be made ready: Python 3.13 warns of a connection that it has to close itself."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _make_private(path: Path) -> None:
    """Make the directory (0700) and the file (0600) where they are missing, whatever the umask.

    A database of ours that others could read is closed to them before SQLite opens it, since its side files get
    the same mode. What is no database is refused here: SQLite would take a file of one byte for an empty one. It would
    also follow links.
    """
    for suffix in ("", *_SIDE_FILES):
        refuse_foreign(Path(f"{path}{suffix}"))
    try:
        make_directories(path.parent)
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600
        )
        with os.fdopen(descriptor, "rb") as file:
            header = file.read(_HEADER_SIZE)
            ours = not header or header[68:72] == APPLICATION_ID.to_bytes(4, "big")
            if ours and os.fstat(file.fileno()).st_mode & 0o077:
                os.fchmod(file.fileno(), 0o600)
    except OSError as error:
        raise OutputError(
            f"the sandbox's database {path} can't be opened: {error.strerror or error}",
            hint="Give --database FILE in a directory that you own, or set PROXYCTL_STATE_DIR.",
        ) from error
    if header and not header.startswith(b"SQLite format 3\0"):
        raise _damaged(str(path), "it has no database header")


def _damaged(path: str, reason: object) -> OutputError:
    return OutputError(
        f"the sandbox's database {path} is damaged or no database: {reason}",
        hint=f"Name another file, or delete this one: rm {path} {path}-wal {path}-shm",
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, once; a reader then never blocks a writer.

    SQLite does not wait its time-out here where another process is at the same switch, so this does.
    """
    for attempt in range(_WAL_ATTEMPTS):
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "delete":
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_WAL_PAUSE)
