"""When a Session ends, as far as the API's fields say: it computes no date of its own. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

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
