"""Twilio's own Python library against the served sandbox: what it can't tell from the real API, an operator's
scripts can't either. Only its base URLs are changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from proxyctl.sandbox.behaviour import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Served


def connect(
    url: str, http: TwilioHttpClient, username: str = ACCOUNT_SID, password: str = AUTH_TOKEN
) -> Client:
    client = Client(username, password, ACCOUNT_SID, http_client=http)
    client.proxy.base_url = url
    client.api.base_url = url
    client.messaging.base_url = f"{url}/messaging"
    return client


@pytest.fixture
def http() -> Iterator[TwilioHttpClient]:
    http = TwilioHttpClient()
    http.session.trust_env = False
    yield http
    http.session.close()


@pytest.fixture
def twilio(server: Served, http: TwilioHttpClient) -> Client:
    return connect(server.url, http)


def refused(status: int, code: int, caught: pytest.ExceptionInfo[TwilioRestException]) -> None:
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.msg


def test_a_service_from_birth_to_death(twilio: Client) -> None:
    service = twilio.proxy.v1.services.create(
        unique_name="masking",
        default_ttl=3600,
        callback_url="https://example.com/events",
        geo_match_level="country",
    )
    assert service.sid.startswith("KS")
    assert (service.unique_name, service.default_ttl) == ("masking", 3600)
    assert abs(datetime.now(UTC).timestamp() - service.date_created.timestamp()) < 60
    assert service.fetch().callback_url == "https://example.com/events"
    updated = service.update(default_ttl=60, unique_name="masking-2")
    assert (updated.default_ttl, updated.unique_name) == (60, "masking-2")
    assert service.delete() is True
    with pytest.raises(TwilioRestException) as caught:
        service.fetch()
    refused(404, 20404, caught)


def test_a_number_from_birth_to_death(store: Store, twilio: Client) -> None:
    one, other = seed_numbers(store, 2)
    service = twilio.proxy.v1.services.create(unique_name="masking")
    added = service.phone_numbers.create(sid=one["sid"], is_reserved=True)
    assert (added.sid, added.phone_number) == (one["sid"], one["phone_number"])
    assert (added.is_reserved, added.in_use) == (True, 0)
    assert added.capabilities["sms_outbound"] is True
    assert service.phone_numbers.create(phone_number=other["phone_number"]).is_reserved is False
    assert added.update(is_reserved=False).is_reserved is False
    assert service.phone_numbers(one["sid"]).fetch().is_reserved is False
    assert added.delete() is True
    assert [number.sid for number in service.phone_numbers.list()] == [other["sid"]]


def test_lists_over_several_pages(store: Store, twilio: Client) -> None:
    services = [twilio.proxy.v1.services.create(unique_name=f"s{number}").sid for number in range(7)]
    assert {service.sid for service in twilio.proxy.v1.services.list(page_size=2)} == set(services)
    sids = [number["sid"] for number in seed_numbers(store, 250)]
    assert pool_numbers(store, services[0], sids) == 250
    pool = twilio.proxy.v1.services(services[0]).phone_numbers
    assert sorted(number.sid for number in pool.stream(page_size=1000)) == sorted(sids)
    assert len(pool.list(limit=130)) == 130
    first = pool.page(page_size=30)
    second = first.next_page()
    assert not {number.sid for number in first} & {number.sid for number in second}
    assert pool.get_page(first.next_page_url) is not None


def test_exceptions_carry_our_codes(store: Store, twilio: Client) -> None:
    (number,) = seed_numbers(store, 1)
    services = twilio.proxy.v1.services
    service = services.create(unique_name="one")
    add = service.phone_numbers.create
    add(sid=number["sid"])
    store.set_in_use(number["sid"], 3)
    calls: list[tuple[int, Callable[[], object]]] = [
        (80602, lambda: services.create(unique_name="one")),
        (80104, lambda: add(sid=number["sid"])),
        (80701, lambda: add(sid=number["sid"], phone_number=number["phone_number"])),
        (80301, lambda: add(phone_number="+15005550006")),
        (80611, lambda: service.phone_numbers(number["sid"]).delete()),
    ]
    for code, call in calls:
        with pytest.raises(TwilioRestException) as caught:
            call()
        refused(400, code, caught)


def test_a_sessions_life(store: Store, twilio: Client) -> None:
    service = twilio.proxy.v1.services.create(unique_name="one", default_ttl=600)
    pool_numbers(store, str(service.sid), [row["sid"] for row in seed_numbers(store, 2)])
    session = service.sessions.create(unique_name="ride", mode="message-only")
    assert (session.status, session.ttl, session.date_started) == ("open", 600, None)
    assert service.sessions("ride").fetch().sid == session.sid
    alice, bob = (session.participants.create(identifier=f"+1415777000{index}") for index in (1, 2))
    assert alice.proxy_identifier != bob.proxy_identifier
    with pytest.raises(TwilioRestException) as caught:
        session.participants.create(identifier="+14157770003")
    refused(400, 80609, caught)
    sent = alice.message_interactions.create(body="hello")
    assert (sent.outbound_participant_sid, sent.data) == (alice.sid, '{"body": "hello"}')
    assert [each.sid for each in session.interactions.list()] == [sent.sid]
    assert session.fetch().status == "in-progress"
    bob.delete()
    assert [each.date_deleted is None for each in session.participants.list()] == [True, False]
    assert session.update(status="closed").closed_reason == "api"
    assert session.update(status="in-progress", ttl=60).ttl == 60
    assert session.interactions(sent.sid).delete() and session.delete()
    assert service.sessions.list() == []


def test_an_api_key_and_wrong_credentials(server: Served, http: TwilioHttpClient) -> None:
    assert connect(server.url, http, API_KEY_SID, API_KEY_SECRET).proxy.v1.services.list() == []
    with pytest.raises(TwilioRestException) as caught:
        connect(server.url, http, password="wrong").proxy.v1.services("KS" + "0" * 32).fetch()
    refused(401, 20003, caught)


def test_the_numbers_of_the_account(store: Store, twilio: Client) -> None:
    numbers = seed_numbers(store, 60)
    listed = twilio.incoming_phone_numbers.list(page_size=25)
    assert {number.sid for number in listed} == {number["sid"] for number in numbers}
    wanted = numbers[7]
    (found,) = twilio.incoming_phone_numbers.list(phone_number=wanted["phone_number"])
    assert found.sid == wanted["sid"]
    assert abs(datetime.now(UTC).timestamp() - found.date_created.timestamp()) < 60
    updated = found.update(voice_url="https://example.com/voice", friendly_name="desk")
    assert (updated.voice_url, updated.friendly_name) == ("https://example.com/voice", "desk")
    assert twilio.incoming_phone_numbers(wanted["sid"]).fetch().voice_url == "https://example.com/voice"


def test_a_messaging_service_takes_numbers_of_a_pool(store: Store, twilio: Client) -> None:
    (number,) = seed_numbers(store, 1)
    twilio.proxy.v1.services.create(unique_name="one").phone_numbers.create(sid=number["sid"])
    service = twilio.messaging.v1.services.create(friendly_name="a2p", use_inbound_webhook_on_number=True)
    assert service.sid.startswith("MG")
    assert service.fetch().use_inbound_webhook_on_number is True
    sender = service.phone_numbers.create(phone_number_sid=number["sid"])
    assert sender.phone_number == number["phone_number"]
    with pytest.raises(TwilioRestException) as caught:
        service.phone_numbers.create(phone_number_sid=number["sid"])
    assert caught.value.code == 21710
    assert [each.sid for each in service.phone_numbers.list()] == [number["sid"]]
    assert service.phone_numbers(number["sid"]).delete() is True
    with pytest.raises(TwilioRestException) as caught:
        service.phone_numbers(number["sid"]).fetch()
    assert caught.value.status == 404
    assert [each.sid for each in twilio.messaging.v1.services.list()] == [service.sid]
