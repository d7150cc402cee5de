"""Time: what ends a Session, when it is forgotten, and a clock that can be moved."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.world.clock import move
from tests.sandbox.asking import Ask

ALICE = "+14157770001"
DAY = 86_400


@pytest.fixture
def service(ask: Ask) -> str:
    path = ask.service(DefaultTtl="600")
    ask.filled(path, 1)
    return path


def _ended(ask: Ask, session: str) -> tuple[str, str | None, str | None]:
    body = ask.get(session).body
    return body["status"], body["closed_reason"], body["date_ended"]


def test_the_time_to_live_counts_from_the_creation_then_from_the_last_interaction(
    ask: Ask, service: str
) -> None:
    session = ask.session(service)
    messages = ask.join(session, ALICE).body["links"]["message_interactions"]
    ask.clock.sleep(599)
    assert _ended(ask, session)[0] == "open"
    ask.post(messages, Body="x")
    ask.clock.sleep(599)
    assert _ended(ask, session)[0] == "in-progress"
    assert ask.get(f"{service}/PhoneNumbers").body["phone_numbers"][0]["in_use"] == 1
    ask.clock.sleep(11)
    rows = ask.get(f"{service}/PhoneNumbers").body["phone_numbers"]
    assert rows[0]["in_use"] == 0  # whatever is asked first meets the end
    assert _ended(ask, session) == ("closed", "expired", "2025-06-15T15:26:39Z")
    assert ask.post(messages, Body="x").refusal == (400, 80607)


@pytest.mark.parametrize(
    ("form", "lives"),
    [
        ({"Ttl": "60"}, 60),
        ({"Ttl": "60", "DateExpiry": "2025-06-15T15:08:40Z"}, 120),
        ({"DateExpiry": "2025-06-15T17:08:40+02:00"}, 120),
        ({"DateExpiry": "2025-06-15T15:08:40"}, 120),
    ],
)
def test_what_a_session_asks_for_counts_before_the_services_default(
    ask: Ask, service: str, form: dict[str, str], lives: int
) -> None:
    session = ask.session(service, **form)
    for seconds, status in ((lives - 1, "open"), (1, "closed")):
        ask.clock.sleep(seconds)
        assert ask.get(session).body["status"] == status


def test_without_a_time_to_live_it_never_ends(ask: Ask) -> None:
    session = ask.session(ask.service())
    ask.clock.sleep(1000 * DAY)
    assert ask.get(session).body["status"] == "open"


def test_an_update_moves_the_end(ask: Ask, service: str) -> None:
    session = ask.session(service)
    ask.clock.sleep(500)
    assert ask.post(session, Ttl="900").body["status"] == "open"
    ask.clock.sleep(300)
    ended = ask.post(session, Ttl="60").body  # over for long
    assert (ended["status"], ended["closed_reason"]) == ("closed", "expired")


def test_a_session_that_is_reopened_lives_anew_unless_its_date_has_passed(ask: Ask, service: str) -> None:
    by_ttl = ask.session(service)
    dated = ask.session(service, DateExpiry="2025-06-15T15:08:40Z")
    ask.clock.sleep(700)
    assert ask.post(by_ttl, Status="in-progress").body["status"] == "in-progress"
    assert ask.post(dated, Status="in-progress").body["status"] == "closed"
    moved = ask.post(dated, Status="in-progress", DateExpiry="2025-06-15T16:00:00Z").body
    assert (moved["status"], moved["date_ended"]) == ("in-progress", None)
    ask.clock.sleep(599)
    assert ask.get(by_ttl).body["status"] == "in-progress"
    ask.clock.sleep(1)
    assert ask.get(by_ttl).body["status"] == "closed"
    assert ask.post(dated, DateExpiry="").body["status"] == "closed"  # by its time to live


def test_a_closed_session_is_kept_for_90_days(ask: Ask, service: str) -> None:
    by_hand, by_time = ask.session(service, UniqueName="ride"), ask.session(service)
    participant = ask.join(by_hand, ALICE).body["url"]
    ask.post(by_hand, Status="closed")
    ask.clock.sleep(90 * DAY - 1)
    assert ask.get(by_hand).status == ask.get(participant).status == ask.get(by_time).status == 200
    ask.clock.sleep(1)
    assert ask.get(by_hand).status == ask.get(participant).status == 404
    assert ask.get(by_time).status == 200
    assert ask.session(service, UniqueName="ride")
    ask.clock.sleep(1000 * DAY)
    assert ask.get(f"{service}/Sessions").body["sessions"] == []


def test_a_moved_clock_is_everybodys(ask: Ask, service: str) -> None:
    session = ask.session(service)
    with ask.store.writing() as db:
        move(db, 3600)
    answer = ask.get(session)
    assert (answer.body["status"], answer.headers["Date"]) == ("closed", "Sun, 15 Jun 2025 16:06:40 GMT")
    assert ask.get("/nowhere").headers["Date"] == "Sun, 15 Jun 2025 16:06:40 GMT"
    assert ask.post(f"{service}/Sessions").body["date_created"] == "2025-06-15T16:06:40Z"
    with ask.store.writing() as db:
        move(db, 0)
    assert ask.get(session).headers["Date"] == "Sun, 15 Jun 2025 15:06:40 GMT"
    assert ask.get(session).body["status"] == "closed"  # what is over stays over
