"""The sandbox's time: the clock's, moved by an offset that the database keeps, so that every process sees the same."""

from __future__ import annotations

import sqlite3
import time

_NAME = "clock_offset"


def offset(db: sqlite3.Connection) -> float:
    """By how many seconds the sandbox's time is ahead of the clock's."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (_NAME,)).fetchone()
    return 0.0 if row is None else float(row["value"])


def move(db: sqlite3.Connection, seconds: float) -> None:
    """Let the sandbox's time be ``seconds`` ahead of the clock's, or behind it; 0 sets it right."""
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (_NAME, seconds))


def present(db: sqlite3.Connection, now: float | None = None) -> int:
    """The sandbox's time in whole seconds, at the clock's time ``now`` (this moment by default)."""
    return int((time.time() if now is None else now) + offset(db))
