"""The sandbox's time: the clock's, moved by an offset that the database keeps, so that every process sees the same."""

from __future__ import annotations

import math
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from proxyctl.clock import seconds_of
from proxyctl.errors import UsageError

_NAME = "clock_offset"
_END = 253_370_764_800  # the year 9999: an HTTP date has no later one to move on to


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


def set_clock(db: sqlite3.Connection, wish: str | None, now: float) -> dict[str, Any]:
    """Move the sandbox's time as ``wish`` says, at the clock's time ``now``; None only reads it.

    ``+2h`` moves it on, a time in ISO 8601 sets it, also back, and ``reset`` gives it the clock's. What has expired by
    then stays as it is. Returns ``now`` and ``offset``, in seconds.
    """
    if wish is not None:
        move(db, _wished(wish, offset(db), now))
    return {
        "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(present(db, now))),
        "offset": round(offset(db)),
    }


def _wished(wish: str, ahead: float, now: float) -> float:
    if wish == "reset":
        return 0.0
    seconds = seconds_of(wish.removeprefix("+")) if wish.startswith("+") else None
    try:
        wished = ahead + seconds if seconds is not None else _time(wish) - now
    except (ValueError, OverflowError):
        wished = math.nan
    if not 0 <= now + wished < _END:
        raise UsageError(
            f"{wish!a} is no time to move to",
            hint="Write +90s, +2h, +30d, 2030-01-31T12:00:00Z or reset. Years are from 1970 to 9998.",
        )
    return wished


def _time(text: str) -> float:
    """Seconds since 1970; a time without a zone is in GMT."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
