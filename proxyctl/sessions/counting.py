"""What the active Sessions of a Service are like, counted page by page. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proxyctl.api.models import Session
from proxyctl.sessions.lifetime import is_endless, is_overdue


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
