"""When a Session ends: by date_expiry, else by its ttl after it was last used, else never."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.models import Session
from proxyctl.sessions.lifetime import as_date, ends_about, instant, is_endless, is_overdue
from proxyctl.sessions.reading import SessionFilter

BORN, USED, LATER = "2024-03-01T09:00:00Z", "2024-03-01T10:00:00Z", "2024-03-02T09:00:00Z"
HOUR = 3600


def session(**fields: Any) -> Session:
    return Session({"sid": "KC1", "status": "open", "ttl": 0, "date_created": BORN, **fields})


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({}, None),
        ({"ttl": HOUR}, "2024-03-01T10:00:00Z"),
        ({"ttl": HOUR, "date_last_interaction": USED}, "2024-03-01T11:00:00Z"),
        ({"ttl": HOUR, "date_expiry": LATER, "date_last_interaction": USED}, LATER),
        ({"date_expiry": "2024-03-02T10:00:00+01:00"}, LATER),
        ({"date_expiry": "2024-03-02T09:00:00"}, LATER),
        ({"status": "closed", "ttl": HOUR, "date_ended": USED}, USED),
        ({"status": "closed", "ttl": HOUR}, None),
        ({"ttl": None, "date_created": None}, None),
        ({"ttl": HOUR, "date_created": "yesterday"}, None),
        ({"ttl": 2**31 - 2, "date_created": "9999-12-31T00:00:00Z"}, None),
    ],
)
def test_it_ends_when_the_documents_say(fields: dict[str, Any], ends: str | None) -> None:
    assert as_date(ends_about(session(**fields))) == ends


@pytest.mark.parametrize("status", ["open", "in-progress", "closed", "paused"])
def test_only_active_ones_are_overdue_or_endless(status: str) -> None:
    now = instant(LATER)
    assert now is not None
    active = status in ("open", "in-progress")
    assert is_overdue(session(status=status, ttl=HOUR), now) is active
    assert is_overdue(session(status=status, ttl=HOUR), now - 86_400) is False
    assert is_endless(session(status=status)) is active
    assert not is_endless(session(status=status, ttl=HOUR))


@pytest.mark.parametrize(
    ("chosen", "accepted"),
    [
        (SessionFilter(), True),
        (SessionFilter(statuses=["closed"]), False),
        (SessionFilter(statuses=["closed", "open"], active=True), True),
        (SessionFilter(statuses=["in-progress"], active=True), False),
        (SessionFilter(idle_for=23 * HOUR), True),
        (SessionFilter(idle_for=23 * HOUR + 1), False),
        (SessionFilter(older_than=24 * HOUR), True),
        (SessionFilter(older_than=24 * HOUR + 1), False),
        (SessionFilter(no_expiry=True), True),
        (SessionFilter(expired=True), False),
    ],
)
def test_a_filter_takes_what_it_says(chosen: SessionFilter, accepted: bool) -> None:
    now = instant(LATER)
    assert now is not None
    assert chosen.accepts(session(date_last_interaction=USED), now) is accepted
    undated = session(date_created=None)
    assert chosen.accepts(undated, now) is (accepted and not (chosen.idle_for or chosen.older_than))
