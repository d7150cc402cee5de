"""When a Session ends, as far as the API's fields say: it computes no date of its own; and how many do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proxyctl.api.models import Session


def instant(text: str | None) -> float | None:
    """Return a date of the API in seconds since 1970; None where it is none. One without a zone is in UTC."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def idle_since(session: Session) -> float | None:
    """Return when it was last used: its last interaction, or its creation."""
    used = instant(session.date_last_interaction)
    return instant(session.date_created) if used is None else used


def ends_about(session: Session) -> float | None:
    """Return when it ends: at its expiry, else its time to live after it was last used; None for never.

    A closed one has ended, where the API says when.
    """
    if session.status == "closed":
        return instant(session.date_ended)
    if session.date_expiry:
        return instant(session.date_expiry)
    since = idle_since(session)
    return since + session.ttl if session.ttl and since is not None else None


def is_overdue(session: Session, now: float) -> bool:
    """Whether it is active, though it should have ended."""
    end = ends_about(session)
    return session.is_active and end is not None and end <= now


def is_endless(session: Session) -> bool:
    """Whether it is active, and nothing but a command will end it."""
    return session.is_active and ends_about(session) is None


def as_date(seconds: float | None) -> str | None:
    """Return a time as the API writes dates."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return None


@dataclass
class SessionCounts:
    """The counts of one Service's active Sessions, and which of them is the oldest."""

    active: int = 0
    without_expiry: int = 0
    expired: int = 0
    oldest: Session | None = None

    def add(self, session: Session, now: float) -> None:
        """Count an active Session."""
        self.active += 1
        self.without_expiry += is_endless(session)
        self.expired += is_overdue(session, now)
        if self.oldest is None or (session.date_created or "") < (self.oldest.date_created or ""):
            self.oldest = session

    def row(self) -> dict[str, Any]:
        """Return what a row of `pool status` has of them."""
        oldest = self.oldest and {"sid": self.oldest.sid, "date_created": self.oldest.date_created}
        return {
            "active_sessions": self.active,
            "oldest_session": oldest,
            "sessions_without_expiry": self.without_expiry,
            "sessions_expired": self.expired,
        }
