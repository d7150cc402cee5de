"""When a Session ends, and when it is forgotten. Nothing runs in the background: a request does first what is due."""

from __future__ import annotations

import sqlite3

from proxyctl.sandbox.guesses import RULES, Rules

KEPT = 90 * 86_400  # seconds that a closed Session is kept with all that is its own


def due_of(
    status: str, ttl: int, counts_from: int, date_expiry: int | None = None, date_ended: int | None = None
) -> int | None:
    """When an active Session expires, or a closed one is forgotten; None for never."""
    if status == "closed":
        return (date_ended or 0) + KEPT
    if date_expiry is not None:
        return date_expiry
    return counts_from + ttl if ttl else None


def is_due(db: sqlite3.Connection, now: int) -> bool:
    """Whether a Session's time is over."""
    return db.execute("SELECT 1 FROM sessions WHERE due <= ? LIMIT 1", (now,)).fetchone() is not None


def sweep(db: sqlite3.Connection, now: int, rules: Rules = RULES) -> None:
    """Close the Sessions whose time is over, each as of that time, and forget those that were closed long ago."""
    if not is_due(db, now):
        return
    db.execute(
        "UPDATE sessions SET status = 'closed', closed_reason = ?, date_ended = due, date_updated = due,"
        " due = due + ? WHERE due <= ? AND status <> 'closed'",
        (rules.expired_reason, KEPT, now),
    )
    db.execute("DELETE FROM sessions WHERE due <= ? AND status = 'closed'", (now,))
