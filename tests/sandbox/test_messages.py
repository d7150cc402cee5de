"""Messages of people: where they go, what the log has of them, and which callbacks they make."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.sandbox.behaviour import ACCOUNT_SID, Sandbox
from proxyctl.sandbox.callbacks.delivery import Caller, recent
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Ask
from tests.sandbox.receiver import NOTHING, Form, Receiver, Reply, receiving

ANN, BOB = "+14155550123", "+14155550124"
JSON = "application/json"


@pytest.fixture(scope="module")
def application() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


class Stage:
    """A Service whose callbacks an application takes, and a Session of Ann and Bob."""

    def __init__(self, ask: Ask, receiver: Receiver, **form: str) -> None:
        receiver.calls.clear()
        receiver.answers.clear()
        self.ask, self.receiver = ask, receiver
        self.caller = Caller(clock=ask.clock)
        ask.sandbox = Sandbox(ask.store, clock=ask.clock, rules=ask.sandbox.rules, caller=self.caller)
        urls = {
            "CallbackUrl": f"{receiver.url}/status",
            "InterceptCallbackUrl": f"{receiver.url}/intercept?by=proxy",
            "OutOfSessionCallbackUrl": f"{receiver.url}/out",
        }
        self.service = ask.service(**{**urls, **form})
        ask.filled(self.service, 3)
        self.session = ask.post(f"{self.service}/Sessions", UniqueName="job", Ttl="60").body["sid"]
        self.path = f"{self.service}/Sessions/{self.session}"
        self.ann, self.bob = (self.join(person) for person in (ANN, BOB))

    def join(self, person: str) -> Any:
        return self.ask.post(f"{self.path}/Participants", Identifier=person).body

    def text(self, sender: str, number: str, body: str = "hello") -> Any:
        return self.ask.sandbox.receive(sender, number, body)

    @property
    def log(self) -> list[Any]:
        return self.ask.get(f"{self.path}/Interactions").body["interactions"]  # type: ignore[no-any-return]

    @property
    def status(self) -> str:
        return self.ask.get(self.path).body["status"]  # type: ignore[no-any-return]

    @property
    def recorded(self) -> list[dict[str, Any]]:
        with self.ask.store.reading() as db:
            return recent(db, None)


@pytest.fixture
def stage(ask: Ask, application: Receiver) -> Stage:
    return Stage(ask, application)


def test_a_message_goes_to_the_other_side(stage: Stage) -> None:
    stage.ask.clock.sleep(50)
    received = stage.text(ANN, stage.ann["proxy_identifier"])
    assert (received.status, received.session_sid) == ("delivered", stage.session)
    session = stage.ask.get(stage.path).body
    assert session["status"] == "in-progress"
    assert session["date_started"] == session["date_last_interaction"] != session["date_created"]
    (logged,) = stage.log
    assert logged["sid"] == received.interaction_sid
    assert json.loads(logged["data"]) == {"body": "hello"}
    assert logged["inbound_participant_sid"] == stage.ann["sid"]
    assert logged["outbound_participant_sid"] == stage.bob["sid"]
    assert (logged["inbound_resource_status"], logged["outbound_resource_status"]) == (
        "received",
        "delivered",
    )
    assert logged["inbound_resource_sid"] != logged["outbound_resource_sid"]
    stage.ask.clock.sleep(50)
    assert stage.text(BOB, stage.bob["proxy_identifier"]).status == "delivered"  # its time counted anew
    stage.ask.clock.sleep(61)
    assert stage.status == "closed"


def test_each_change_of_status_is_a_callback(stage: Stage) -> None:
    received = stage.text(ANN, stage.ann["proxy_identifier"])
    forms = stage.receiver.forms("/status")
    assert [form["outboundResourceStatus"] for form in forms] == ["queued", "sent", "delivered"]
    (logged,) = stage.log
    for form in forms:
        assert form["interactionSid"] == received.interaction_sid
        assert form["interactionSessionSid"] == stage.session
        assert form["interactionServiceSid"] == stage.service.rpartition("/")[2]
        assert form["interactionAccountSid"] == ACCOUNT_SID
        assert form["interactionDateCreated"] == logged["date_created"]
        assert form["interactionData"] == logged["data"]
        assert form["inboundResourceStatus"] == "received"
        assert form["outboundResourceUrl"] == logged["outbound_resource_url"]


def test_a_message_of_the_api_tells_its_statuses_without_being_intercepted(stage: Stage) -> None:
    stage.ask.post(f"{stage.path}/Participants/{stage.bob['sid']}/MessageInteractions", Body="hi")
    assert stage.receiver.forms("/intercept?by=proxy") == []
    forms = stage.receiver.forms("/status")
    assert [form["outboundResourceStatus"] for form in forms] == ["queued", "sent", "delivered"]
    assert "inboundResourceSid" not in forms[0]


def test_only_403_blocks(stage: Stage) -> None:
    stage.receiver.answers["/intercept?by=proxy"] = (403, "text/plain", "no")
    received = stage.text(ANN, stage.ann["proxy_identifier"])
    (asked,) = stage.receiver.forms("/intercept?by=proxy")
    assert asked["interactionSid"] == received.interaction_sid
    assert "outboundResourceSid" not in asked
    assert received.status == "blocked"
    assert stage.receiver.forms("/status") == []
    assert (stage.status, stage.log[0]["outbound_resource_sid"]) == ("open", None)
    for status in (200, 401, 302, 500):
        stage.receiver.answers["/intercept?by=proxy"] = (status, "text/plain", "")
        assert stage.text(ANN, stage.ann["proxy_identifier"]).status == "delivered"


def test_a_session_that_ends_while_the_application_thinks(stage: Stage) -> None:
    def close(form: Form) -> Reply:
        stage.ask.post(stage.path, Status="closed")
        return NOTHING

    stage.receiver.answers["/intercept?by=proxy"] = close
    assert stage.text(ANN, stage.ann["proxy_identifier"]).status == "undelivered"
    assert (stage.status, stage.receiver.forms("/status")) == ("closed", [])


@pytest.mark.parametrize("word", ["STOP", " stop\n", "Unsubscribe", "ARRET", "unstop"])
def test_opt_out_words_are_dropped(stage: Stage, word: str) -> None:
    assert stage.text(ANN, stage.ann["proxy_identifier"], word).status == "dropped"
    assert (stage.log, stage.recorded, stage.status) == ([], [], "open")


def test_nobody_to_pass_it_on_to(ask: Ask, application: Receiver) -> None:
    stage = Stage(ask, application)
    ask.delete(f"{stage.path}/Participants/{stage.bob['sid']}")
    assert stage.text(ANN, stage.ann["proxy_identifier"]).status == "undelivered"
    assert (len(stage.log), stage.status, stage.recorded) == (1, "open", [])


def test_out_of_session_tells_of_the_last_session(stage: Stage) -> None:
    stage.ask.post(stage.path, Status="closed")
    number = stage.ann["proxy_identifier"]
    assert stage.text(ANN, number, "anybody?").status == "out-of-session"
    (form,) = stage.receiver.forms("/out")
    assert (form["From"], form["To"], form["Body"], form["AccountSid"]) == (
        ANN,
        number,
        "anybody?",
        ACCOUNT_SID,
    )
    assert form["MessageSid"].startswith("SM")
    assert (form["sessionSid"], form["sessionUniqueName"]) == (stage.session, "job")
    assert (form["sessionStatus"], form["sessionClosedReason"]) == ("closed", "api")
    assert form["inboundParticipantIdentifier"] == ANN
    assert form["inboundParticipantSessionSid"] == stage.session
    assert form["outboundParticipantSid"] == stage.bob["sid"]
    stranger = "+14155550199"
    stage.text(stranger, number)
    assert "sessionSid" not in stage.receiver.forms("/out")[1]


def test_the_application_answers_with_a_session(stage: Stage) -> None:
    agent, (reserved,) = "+14155550177", stage.ask.numbers(1)
    stage.ask.post(f"{stage.service}/PhoneNumbers", Sid=reserved["sid"], IsReserved="true")
    answer = {"uniqueName": "made", "mode": "message-only", "ttl": 30, "participantIdentifier": agent}
    stage.receiver.answers["/out"] = (200, f"{JSON}; charset=utf-8", json.dumps(answer))
    received = stage.text("+14155550199", reserved["phone_number"], "help")
    assert received.status == "delivered"
    session = stage.ask.get(f"{stage.service}/Sessions/made").body
    assert session["sid"] == received.session_sid
    assert (session["status"], session["mode"], session["ttl"]) == ("in-progress", "message-only", 30)
    caller, other = stage.ask.get(session["links"]["participants"]).body["participants"]
    assert (caller["identifier"], caller["proxy_identifier"]) == ("+14155550199", reserved["phone_number"])
    assert other["identifier"] == agent
    assert other["proxy_identifier"] != reserved["phone_number"]  # the pool chose one that is not reserved
    assert [form["interactionSessionSid"] for form in stage.receiver.forms("/intercept?by=proxy")] == [
        session["sid"]
    ]


@pytest.mark.parametrize(
    ("status", "kind", "text", "error"),
    [
        (500, JSON, '{"participantIdentifier": "+14155550177"}', None),
        (200, "application/xml", "<Response><Message>Hi</Message></Response>", None),
        (200, "text/html", "<p>no</p>", None),
        (200, JSON, "[", "80701"),
        (200, JSON, "{}", "Identifier"),
        (200, JSON, '{"participantIdentifier": "+14155550177", "uniqueName": "job"}', "80603"),
        (200, JSON, '{"participantIdentifier": "+14155550177", "ttl": -1}', "80701"),
    ],
)
def test_other_answers_make_no_session(
    stage: Stage, status: int, kind: str, text: str, error: str | None
) -> None:
    stage.ask.post(stage.path, Status="closed")
    stage.receiver.answers["/out"] = (status, kind, text)
    assert stage.text(ANN, stage.ann["proxy_identifier"]).status == "out-of-session"
    assert len(stage.ask.get(f"{stage.service}/Sessions").body["sessions"]) == 1
    (record,) = stage.recorded
    assert (record["kind"], record["status"], record["answer"]) == ("out-of-session", status, text)
    assert record["error"] is None if error is None else error in record["error"]


def test_without_urls_nothing_is_called(ask: Ask, application: Receiver) -> None:
    stage = Stage(ask, application, CallbackUrl="", InterceptCallbackUrl="", OutOfSessionCallbackUrl="")
    assert stage.text(ANN, stage.ann["proxy_identifier"]).status == "delivered"
    assert stage.text("+14155550199", stage.ann["proxy_identifier"]).status == "out-of-session"
    assert (stage.recorded, application.calls) == ([], [])


def test_a_voice_only_session_takes_none(stage: Stage) -> None:
    session = stage.ask.post(f"{stage.service}/Sessions", Mode="voice-only").body["sid"]
    stage.path = f"{stage.service}/Sessions/{session}"
    ann, _ = stage.join(ANN), stage.join(BOB)
    assert stage.text(ANN, ann["proxy_identifier"]).status == "undelivered"


def test_the_webhook_of_the_pool(stage: Stage) -> None:
    service = stage.service.rpartition("/")[2]
    path = f"/v1/Accounts/{ACCOUNT_SID}/Proxy/{service}/Webhooks/Message"
    request = {
        "From": ANN,
        "To": stage.ann["proxy_identifier"],
        "Body": "hello",
        "MessageSid": "SM" + "1" * 32,
    }
    # What the numbers of a pool point at is what is asked here.
    number = stage.ask.get(f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json").body
    assert number["incoming_phone_numbers"][0]["sms_url"].endswith(path)
    response = stage.ask.sandbox.respond_to(
        "POST",
        path,
        {"authorization": "Basic " + "x"},
        b"",
        "http://127.0.0.1:8181",
    )
    assert response.status == 401
    answer = stage.ask.raw("POST", path, request)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (200, "application/xml")
    assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert stage.log[0]["inbound_resource_sid"] == "SM" + "1" * 32
    assert stage.ask.post(path, To="+14155550100").refusal == (400, 80701)
    assert stage.ask.post(path, From=ANN, To="+14155550100").refusal == (400, 80605)
    assert stage.ask.post(path.replace("/Message", "/Call"), From=ANN).refusal == (400, 20001)


def test_who_makes_no_callbacks_lets_all_pass(store: Store) -> None:
    """In process no socket is opened."""
    ask = Ask(store)
    service = ask.service(InterceptCallbackUrl="http://127.0.0.1:9/", CallbackUrl="http://127.0.0.1:9/")
    ask.filled(service, 1)
    session = ask.post(f"{service}/Sessions").body["url"]
    ann, _ = (ask.post(f"{session}/Participants", Identifier=one).body for one in (ANN, BOB))
    assert ask.sandbox.receive(ANN, ann["proxy_identifier"], "hello").status == "delivered"
    with store.reading() as db:
        assert recent(db, None) == []


def test_a_number_of_no_pool(ask: Ask) -> None:
    (number,) = ask.numbers(1)
    with pytest.raises(RefusedError, match="in no Service's pool"):
        ask.sandbox.receive(ANN, number["phone_number"], "hello")
    with pytest.raises(NotFoundError):
        ask.sandbox.receive(ANN, "+14155550100", "hello")
