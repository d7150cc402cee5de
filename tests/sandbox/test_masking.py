"""The life of a masking application, by Twilio's own library alone: from its Service to a Session of its own making."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.callbacks.courier import Courier
from proxyctl.sandbox.world.clock import move
from proxyctl.sandbox.world.seed import seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.receiver import NOTHING, Form, Receiver, Reply, receiving
from tests.sandbox.serving import Served, served, wait_for
from tests.sandbox.test_official_library import connect, http

__all__ = ["http"]  # a fixture
CLIENT, DRIVER = "+14155550123", "+14155550124"


@pytest.fixture
def application() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def server(store: Store) -> Iterator[Served]:
    with Courier() as courier, served(Sandbox(store, caller=courier)) as running:
        yield running


def test_the_life_of_a_masking_application(
    store: Store, server: Served, http: TwilioHttpClient, application: Receiver
) -> None:
    twilio = connect(server.url, http)

    def text(sender: str, number: str, body: str) -> None:
        """As Twilio does it: to the webhook that the number points at."""
        (owned,) = twilio.incoming_phone_numbers.list(phone_number=number)
        url = owned.sms_url.replace("https://webhooks.twilio.com", server.url)
        form = {"From": sender, "To": number, "Body": body}
        response = http.session.post(url, form, auth=(ACCOUNT_SID, AUTH_TOKEN))
        assert (response.status_code, "<Response/>" in response.text) == (200, True)

    def intercept(form: Form) -> Reply:
        is_rude = "rude" in json.loads(form["interactionData"])["body"]
        return (403, "text/plain", "") if is_rude else NOTHING

    application.answers["/intercept"] = intercept
    service = twilio.proxy.v1.services.create(
        unique_name="rides",
        default_ttl=600,
        callback_url=f"{application.url}/status",
        intercept_callback_url=f"{application.url}/intercept",
        out_of_session_callback_url=f"{application.url}/out",
    )
    for number in seed_numbers(store, 3):
        service.phone_numbers.create(sid=number["sid"])
    session = service.sessions.create(unique_name="ride-1")
    client = session.participants.create(identifier=CLIENT, friendly_name="client")
    driver = session.participants.create(identifier=DRIVER)
    assert (session.ttl, session.status) == (600, "open")

    text(CLIENT, client.proxy_identifier, "where are you?")
    text(DRIVER, driver.proxy_identifier, "at the corner")
    text(CLIENT, client.proxy_identifier, "something rude")
    log = session.interactions.list()
    assert [json.loads(one.data)["body"] for one in log] == [
        "where are you?",
        "at the corner",
        "something rude",
    ]
    assert [one.outbound_participant_sid for one in log] == [driver.sid, client.sid, None]
    assert session.fetch().status == "in-progress"
    wait_for(lambda: len(application.forms("/status")) == 6)
    assert {form["interactionSid"] for form in application.forms("/status")} == {log[0].sid, log[1].sid}

    with store.writing() as db:
        move(db, 601)
    ended = session.fetch()
    assert (ended.status, ended.closed_reason) == ("closed", "expired")

    made = {"uniqueName": "ride-1-again", "participantIdentifier": DRIVER}
    application.answers["/out"] = (200, "application/json", json.dumps(made))
    text(CLIENT, client.proxy_identifier, "I forgot my hat")
    (asked,) = application.forms("/out")
    assert (asked["From"], asked["Body"], asked["sessionSid"]) == (CLIENT, "I forgot my hat", session.sid)
    again = service.sessions(service.sessions("ride-1-again").fetch().sid).fetch()
    assert again.status == "in-progress"
    pairs = {one.identifier: one.proxy_identifier for one in again.participants.list()}
    assert pairs[CLIENT] == client.proxy_identifier
    assert [json.loads(one.data)["body"] for one in again.interactions.list()] == ["I forgot my hat"]

    with pytest.raises(TwilioRestException) as caught:
        session.update(status="in-progress")
    assert (caught.value.status, caught.value.code) == (400, 80604)
