"""A Session's life by the documents' table, and what passes through it: every change, and every refusal."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.asking import BASE_URL, Ask

ALICE, BOB = "+14157770001", "+14157770002"


@pytest.fixture
def service(ask: Ask) -> str:
    path = ask.service(DefaultTtl="600")
    ask.filled(path, 3)
    return path


def test_a_session_is_born_open_and_has_no_dates_of_its_life(ask: Ask, service: str) -> None:
    answer = ask.post(f"{service}/Sessions", UniqueName="ride 7", Mode="voice-only", Ttl="60")
    body = answer.body
    assert (answer.status, body["status"], body["unique_name"], body["mode"]) == (
        *(201, "open", "ride 7"),
        "voice-only",
    )
    assert (body["ttl"], body["closed_reason"]) == (60, None)
    dates = ("date_started", "date_ended", "date_last_interaction", "date_expiry")
    assert [body[name] for name in dates] == [None] * 4
    assert body["url"] == f"{BASE_URL}{service}/Sessions/{body['sid']}"
    for name in ("ride%207", body["sid"]):
        assert ask.get(f"{service}/Sessions/{name}").body == body
    plain = ask.post(f"{service}/Sessions").body
    assert (plain["mode"], plain["ttl"], plain["unique_name"]) == ("voice-and-message", 600, None)
    assert [row["sid"] for row in ask.get(f"{service}/Sessions").body["sessions"]] == [
        body["sid"],
        plain["sid"],
    ]


@pytest.mark.parametrize(
    "form",
    [
        {"UniqueName": "n" * 192},
        {"Ttl": "0"},
        {"Ttl": "2147483647"},
        {"Ttl": "soon"},
        {"Mode": "fax"},
        {"Status": "failed"},
        {"DateExpiry": "tomorrow"},
        {"DateExpiry": "2025-06-15T15:06:39Z"},  # a second ago
        {"DateExpiry": "9999-12-31T23:59:59-23:59"},
        {"Participants": "+14157770001"},
        {"Participants": "[]"},
        {"Participants": '{"Identifier": 14157770001}'},
        {"Participants": "[" * 100_000},
        {"Participants": "{}"},
    ],
)
def test_what_no_session_can_have(ask: Ask, service: str, form: dict[str, str]) -> None:
    assert ask.call("POST", f"{service}/Sessions", form).refusal == (400, 80701)
    assert ask.get(f"{service}/Sessions").body["sessions"] == []


def test_names_are_unique_in_the_service_and_a_closed_session_keeps_its_own(ask: Ask, service: str) -> None:
    session = ask.session(service, UniqueName="ride")
    ask.post(session, Status="closed")
    assert ask.post(f"{service}/Sessions", UniqueName="ride").refusal == (400, 80603)
    assert ask.post(f"{ask.service('other')}/Sessions", UniqueName="ride").status == 201
    assert ask.post(f"{service}/Sessions/ride").refusal == (404, 20404)  # a name is for GET alone
    assert ask.delete(f"{service}/Sessions/ride").refusal == (404, 20404)
    assert ask.get(f"{service}/Sessions/ride/Participants").refusal == (404, 20404)
    old = Ask(ask.store, not_found_status=400)
    assert old.get(f"{service}/Sessions/walk").refusal == (400, 80308)
    assert old.get(f"{service}/Sessions/KC{'0' * 32}").refusal == (400, 80409)


def test_participants_can_come_with_the_session_or_none_does(ask: Ask, service: str) -> None:
    number = ask.get(f"{service}/PhoneNumbers").body["phone_numbers"][2]["phone_number"]
    pairs = [
        ("Participants", json.dumps({"Identifier": ALICE, "FriendlyName": "A"})),
        ("Participants", json.dumps({"identifier": BOB, "proxy_identifier": number})),
    ]
    session = ask.call("POST", f"{service}/Sessions", [*pairs, ("UniqueName", "two")]).body
    rows = ask.get(session["links"]["participants"]).body["participants"]
    assert [(row["identifier"], row["friendly_name"]) for row in rows] == [(ALICE, "A"), (BOB, None)]
    assert rows[1]["proxy_identifier"] == number
    third = ("Participants", json.dumps({"Identifier": "+14157770003"}))
    assert ask.call("POST", f"{service}/Sessions", [*pairs[:1], *pairs[:1]]).refusal == (400, 80103)
    assert ask.call("POST", f"{service}/Sessions", [*pairs[:1], third, third]).refusal == (400, 80103)
    assert len(ask.get(f"{service}/Sessions").body["sessions"]) == 1


def test_closing_and_reopening(ask: Ask, service: str) -> None:
    session = ask.session(service)
    proxy = ask.join(session, ALICE).body["proxy_identifier"]
    before = ask.get(session).body
    assert ask.post(session).body == ask.post(session, UniqueName="x").body == before
    assert ask.post(session, Status="open").body["status"] == "open"
    assert ask.post(session, Status="in-progress").refusal == (400, 80608)
    ask.clock.sleep(10)
    closed = ask.post(session, Status="closed").body
    assert (closed["status"], closed["closed_reason"]) == ("closed", "api")
    assert closed["date_ended"] == closed["date_updated"] == "2025-06-15T15:06:50Z"
    for form, code in (
        ({"Status": "closed"}, 80607),
        ({"Ttl": "5"}, 80607),
        ({"Status": "open"}, 80608),
    ):
        assert ask.call("POST", session, form).refusal == (400, code)
    assert ask.post(session).body == closed
    assert ask.join(session, BOB).refusal == (400, 80607)
    reopened = ask.post(session, Status="in-progress").body
    assert (reopened["status"], reopened["closed_reason"], reopened["date_ended"]) == (
        *("in-progress", None),
        None,
    )
    assert reopened["date_started"] == "2025-06-15T15:06:50Z"
    assert ask.get(f"{session}/Participants").body["participants"][0]["proxy_identifier"] == proxy
    assert ask.post(session, Status="open").refusal == (400, 80608)


def test_a_closed_session_whose_pair_is_active_elsewhere_stays_closed(ask: Ask, service: str) -> None:
    first, second = ask.session(service), ask.session(service)
    number = ask.join(first, ALICE).body["proxy_identifier"]
    ask.post(first, Status="closed")
    assert ask.join(second, ALICE, ProxyIdentifier=number).status == 201
    assert ask.post(first, Status="in-progress").refusal == (400, 80604)
    assert ask.get(first).body["status"] == "closed"
    ask.post(second, Status="closed")
    assert ask.post(first, Status="in-progress").status == 200


def test_a_message_by_the_api_begins_the_session_and_is_logged(ask: Ask, service: str) -> None:
    session = ask.session(service)
    participant = ask.join(session, ALICE).body
    messages = participant["links"]["message_interactions"]
    ask.clock.sleep(5)
    sent = ask.post(messages, Body="hello ☎")
    assert sent.status == 200
    assert json.loads(sent.body["data"]) == {"body": "hello ☎"}
    assert sent.body["participant_sid"] == sent.body["outbound_participant_sid"] == participant["sid"]
    assert {value for name, value in sent.body.items() if name.startswith("inbound_")} == {None}
    assert ask.get(sent.body["url"]).body == sent.body
    shown = ask.get(session).body
    assert shown["status"] == "in-progress"
    assert shown["date_started"] == shown["date_last_interaction"] == "2025-06-15T15:06:45Z"
    log = f"{session}/Interactions"
    (entry,) = ask.get(log).body["interactions"]
    del sent.body["participant_sid"]
    assert entry == {**sent.body, "url": entry["url"]}
    assert ask.get(messages).body["interactions"][0]["sid"] == entry["sid"]
    assert ask.delete(f"{log}/{entry['sid']}").status == 204
    assert ask.delete(f"{log}/{entry['sid']}").refusal == (404, 20404)
    assert ask.get(log).body["interactions"] == ask.get(messages).body["interactions"] == []
    assert ask.post(log).refusal == (405, 20004)


def test_messages_that_cannot_be_sent(ask: Ask, service: str) -> None:
    session = ask.session(service)
    participant, other = (ask.join(session, each).body for each in (ALICE, BOB))
    messages = participant["links"]["message_interactions"]
    assert ask.post(messages, MediaUrl="https://example.com/a.png").refusal == (400, 80701)
    assert ask.delete(other["url"]).status == 200
    assert ask.post(other["links"]["message_interactions"], Body="x").refusal == (404, 20404)
    ask.post(session, Status="closed")
    assert ask.post(messages, Body="x").refusal == (400, 80607)
    assert ask.get(session).body["date_started"] is None


def test_a_delete_takes_all_along(ask: Ask, service: str) -> None:
    session = ask.session(service, UniqueName="ride")
    participant = ask.join(session, ALICE).body
    ask.post(participant["links"]["message_interactions"], Body="x")
    assert ask.delete(session).status == 204
    for path in (session, f"{session}/Participants", f"{session}/Interactions", participant["url"]):
        assert ask.get(path).refusal == (404, 20404)
    assert ask.session(service, UniqueName="ride")  # the name is free, too
    assert {row["in_use"] for row in ask.get(f"{service}/PhoneNumbers").body["phone_numbers"]} == {0}
    ask.delete(service)
    with ask.store.reading() as db:
        for table in ("sessions", "participants", "interactions"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_lists_know_only_their_own_session(ask: Ask, service: str) -> None:
    one, two = ask.session(service), ask.session(service)
    participant = ask.join(one, ALICE).body["sid"]
    other = ask.service("other")
    for path in (
        f"{two}/Participants/{participant}",
        f"{two}/Participants/{participant}/MessageInteractions",
        f"{one.replace(service, other)}",
        f"{one.replace(service, other)}/Participants",
        f"{one}/Participants/KP{'0' * 32}",
        f"{one}/Interactions/KI{'0' * 32}",
        f"{one}/Participants/{participant}/MessageInteractions/KI{'0' * 32}",
    ):
        assert ask.get(path).refusal == (404, 20404)
    old = Ask(ask.store, not_found_status=400)
    assert old.get(f"{one}/Participants/KP{'0' * 32}").refusal == (400, 80405)
    assert old.get(f"{one}/Interactions/KI{'0' * 32}").refusal == (400, 80403)
