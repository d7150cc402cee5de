"""Participants: who can join, with which number, and what each refusal's code is."""

from __future__ import annotations

import pytest

from tests.sandbox.asking import Ask

ALICE, BOB, CAROL = "+14157770001", "+14157770002", "+14157770003"


@pytest.fixture
def service(ask: Ask) -> str:
    path = ask.service()
    ask.filled(path, 2)
    return path


def _in_use(ask: Ask, service: str) -> list[int]:
    return [row["in_use"] for row in ask.get(f"{service}/PhoneNumbers").body["phone_numbers"]]


def test_two_join_with_numbers_of_the_pool_and_leave_softly(ask: Ask, service: str) -> None:
    session = ask.session(service)
    answer = ask.join(session, ALICE, FriendlyName="A")
    alice, bob = answer.body, ask.join(session, BOB).body
    pool = {
        row["sid"]: row["phone_number"] for row in ask.get(f"{service}/PhoneNumbers").body["phone_numbers"]
    }
    assert answer.status == 201
    assert (alice["identifier"], alice["friendly_name"], alice["date_deleted"]) == (ALICE, "A", None)
    assert {row["proxy_identifier_sid"]: row["proxy_identifier"] for row in (alice, bob)} == pool
    assert _in_use(ask, service) == [1, 1]
    assert ask.join(session, CAROL).refusal == (400, 80609)
    ask.clock.sleep(1)
    removed = ask.delete(alice["url"])
    assert (removed.status, removed.body["date_deleted"]) == (200, "2025-06-15T15:06:41Z")
    ask.clock.sleep(1)
    assert ask.delete(alice["url"]).body == removed.body == ask.get(alice["url"]).body
    rows = ask.get(f"{session}/Participants").body["participants"]
    assert [row["sid"] for row in rows] == [alice["sid"], bob["sid"]]
    assert _in_use(ask, service) == [0, 1]
    assert ask.join(session, ALICE).refusal == (400, 80103)
    assert ask.join(session, BOB).refusal == (400, 80103)
    assert ask.join(session, CAROL).status == 201
    assert ask.post(alice["url"], FriendlyName="x").refusal == (405, 20004)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 80701),
        ({"Identifier": " "}, 80701),
        ({"Identifier": "+1" * 96}, 80701),
        ({"Identifier": "4157770001"}, 80404),
        ({"Identifier": "+15551234567"}, 80404),
        ({"Identifier": "+99912345678"}, 80404),
        ({"Identifier": "+٣٣٣٣٣٣٣٣"}, 80404),
        ({"Identifier": ALICE, "FriendlyName": "n" * 256}, 80701),
        ({"Identifier": ALICE, "ProxyIdentifier": "4155550100"}, 80406),
        ({"Identifier": ALICE, "ProxyIdentifier": "+19995550100"}, 80606),
        ({"Identifier": ALICE, "ProxyIdentifierSid": "PN1"}, 80407),
        ({"Identifier": ALICE, "ProxyIdentifierSid": "PN" + "0" * 32}, 80606),
    ],
)
def test_who_cannot_join(ask: Ask, service: str, form: dict[str, str], code: int) -> None:
    session = ask.session(service)
    assert ask.call("POST", f"{session}/Participants", form).refusal == (400, code)
    assert ask.get(f"{session}/Participants").body["participants"] == []


def test_a_number_can_be_named(ask: Ask, service: str) -> None:
    first, second = (row for row in ask.get(f"{service}/PhoneNumbers").body["phone_numbers"])
    session, again = ask.session(service), ask.session(service)
    by_sid = ask.join(session, ALICE, ProxyIdentifierSid=second["sid"]).body
    assert by_sid["proxy_identifier"] == second["phone_number"]
    assert ask.join(again, ALICE, ProxyIdentifier=second["phone_number"]).refusal == (400, 80604)
    assert ask.join(session, BOB, ProxyIdentifier=second["phone_number"]).status == 201  # both share it
    assert _in_use(ask, service) == [0, 1]
    both = {"ProxyIdentifierSid": second["sid"], "ProxyIdentifier": first["phone_number"]}
    assert ask.join(again, BOB, **both).refusal == (400, 80701)
    spare = ask.numbers(1)[0]["sid"]
    elsewhere = ask.filled(ask.service("other"), 1)[0]
    for sid in (spare, elsewhere):
        assert ask.join(again, BOB, ProxyIdentifierSid=sid).refusal == (400, 80605)


def test_a_reserved_number_is_named_but_never_chosen(ask: Ask) -> None:
    service = ask.service()
    (sid,) = ask.filled(service, 1, reserved=True)
    session = ask.session(service)
    assert ask.join(session, ALICE).refusal == (400, 80207)
    strict = Ask(ask.store, reserved_can_be_named=False)
    assert strict.join(session, ALICE, ProxyIdentifierSid=sid).refusal == (400, 80207)
    assert ask.join(session, ALICE, ProxyIdentifierSid=sid).status == 201
    assert ask.delete(f"{service}/PhoneNumbers/{sid}").refusal == (400, 80611)


def test_each_session_of_one_person_needs_a_number_of_its_own(ask: Ask, service: str) -> None:
    numbers = {ask.join(ask.session(service), ALICE).body["proxy_identifier"] for _ in range(2)}
    assert len(numbers) == 2
    third = ask.session(service)
    assert ask.join(third, ALICE).refusal == (400, 80208)
    assert ask.join(third, BOB).status == 201  # other people share them
    ask.post(third.rpartition("/")[0] + "/" + third.rpartition("/")[2], Status="closed")
    assert sorted(_in_use(ask, service)) == [1, 1]


@pytest.mark.parametrize("behaviour", ["prefer-sticky", "avoid-sticky"])
def test_a_person_who_comes_back(ask: Ask, behaviour: str) -> None:
    service = ask.service(NumberSelectionBehavior=behaviour)
    ask.filled(service, 3)
    first = ask.session(service)
    had = ask.join(first, ALICE).body["proxy_identifier"]
    ask.post(first, Status="closed")
    ask.join(ask.session(service), BOB, ProxyIdentifier=had)  # the load alone would choose another
    got = ask.join(ask.session(service), ALICE).body["proxy_identifier"]
    assert (got == had) is (behaviour == "prefer-sticky")


def test_the_refusals_of_selection(ask: Ask) -> None:
    empty = ask.session(ask.service("empty"))
    assert ask.join(empty, ALICE).refusal == (400, 80205)
    german = ask.service("german", GeoMatchLevel="area-code")
    ask.post(f"{german}/PhoneNumbers", Sid=ask.numbers(1, "DE")[0]["sid"])
    assert ask.join(ask.session(german), ALICE).refusal == (400, 80203)
    assert ask.join(ask.session(german), "+4915112345678").status == 201  # areas are of North America
    local = ask.service("local", GeoMatchLevel="area-code")
    number = ask.numbers(1)[0]
    ask.post(f"{local}/PhoneNumbers", Sid=number["sid"])
    elsewhere = "+12125550100" if number["phone_number"][2:5] != "212" else "+14155550100"
    assert ask.join(ask.session(local), elsewhere).refusal == (400, 80206)
    assert ask.join(ask.session(local), f"{number['phone_number'][:5]}5550100").status == 201
    voice = ask.service("voice")
    ask.post(f"{voice}/PhoneNumbers", Sid=ask.numbers(1, "GB", "local")[0]["sid"])
    for mode in ("message-only", "voice-and-message"):
        assert ask.join(ask.session(voice, Mode=mode), "+447400000001").refusal == (400, 80202)
    assert ask.join(ask.session(voice), "+441481234567").status == 201  # Guernsey; no mode asked for


def test_addresses_of_other_channels_stand_outside_selection(ask: Ask) -> None:
    service = ask.service()
    session = ask.session(service)
    plain = ask.join(session, "whatsapp:+14157770001").body
    assert (plain["proxy_identifier"], plain["proxy_identifier_sid"]) == (None, None)
    named = ask.join(session, "messenger:123", ProxyIdentifier="messenger:456").body
    assert (named["proxy_identifier"], named["proxy_identifier_sid"]) == ("messenger:456", None)
    silent = ask.session(service, Mode="voice-only")
    assert ask.join(silent, "whatsapp:+14157770001").refusal == (400, 80616)


def test_older_answers_and_other_guesses(ask: Ask, service: str) -> None:
    old = Ask(
        ask.store,
        participant_delete_status=204,
        message_status=201,
        removed_identifier=80612,
        removed_counts=True,
    )
    session = old.session(service)
    alice = old.join(session, ALICE).body
    assert old.post(alice["links"]["message_interactions"], Body="x").status == 201
    assert (old.delete(alice["url"]).status, old.get(alice["url"]).status) == (204, 200)
    assert old.join(session, ALICE).refusal == (400, 80612)
    assert old.join(session, BOB).status == 201
    assert old.join(session, CAROL).refusal == (400, 80609)
