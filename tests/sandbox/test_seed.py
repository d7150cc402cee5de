"""Seeded numbers and scenarios: the same seed, the same account; and the faults that an audit must find."""

from __future__ import annotations

import phonenumbers
import pytest

from proxyctl.errors import NotFoundError, RefusedError, UsageError
from proxyctl.sandbox.api.resource import is_sid
from proxyctl.sandbox.world.countries import CAPABILITIES, COUNTRIES
from proxyctl.sandbox.world.scenarios import SCENARIOS, seed_scenario
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import NUMBERS, Ask


@pytest.mark.parametrize(
    ("country", "type_"), [(country, kind.type) for country, kinds in COUNTRIES.items() for kind in kinds]
)
def test_numbers_of_every_country_are_possible_and_new(store: Store, country: str, type_: str) -> None:
    rows = seed_numbers(store, 150, country, 1, type=type_)
    rows += seed_numbers(store, 150, country.lower(), 1, type=type_)
    assert len({row["phone_number"] for row in rows}) == len({row["sid"] for row in rows}) == 300
    for row in rows:
        assert phonenumbers.is_possible_number(phonenumbers.parse(row["phone_number"]))
        assert is_sid("PN", row["sid"])
        assert tuple(row["capabilities"]) == CAPABILITIES
        assert (row["iso_country"], row["type"]) == (country, type_)


def test_a_plain_seed_can_do_sms(store: Store) -> None:
    for country in COUNTRIES:
        assert seed_numbers(store, 1, country)[0]["capabilities"]["sms_outbound"]


def test_the_same_seed_gives_the_same_numbers_and_the_account_shows_them() -> None:
    with Store(":memory:") as one, Store(":memory:") as two:
        rows = seed_numbers(one, 50, "DE", 7, now=1.0)
        assert rows == seed_numbers(two, 50, "DE", 7, now=2.0)
        assert rows != seed_numbers(two, 50, "DE", 8)
        shown = Ask(one).get(f"{NUMBERS}.json").body["incoming_phone_numbers"]
        keys = ("sid", "phone_number", "friendly_name", "type")
        assert [[row[key] for key in keys] for row in shown] == [[row[key] for key in keys] for row in rows]


def test_a_country_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = COUNTRIES["US"][0]
    monkeypatch.setitem(COUNTRIES, "US", (type(kind)("+1415555010#", "local", kind.can),))
    with Store(":memory:") as store:
        with pytest.raises(UsageError, match="left"):
            seed_numbers(store, 50, "US")
        assert store.status().numbers == 0  # all or nothing
        assert len(seed_numbers(store, 5, "US")) == 5


@pytest.mark.parametrize(
    ("count", "country", "type_"), [(-1, "US", None), (10**7, "US", None), (1, "XX", None), (1, "US", "fax")]
)
def test_impossible_seeds(count: int, country: str, type_: str | None) -> None:
    with Store(":memory:") as store, pytest.raises(UsageError):
        seed_numbers(store, count, country, type=type_)


def test_filling_a_pool_points_the_webhooks_as_joining_does(store: Store, ask: Ask) -> None:
    service = ask.service()
    direct = ask.filled(service, 1)[0]
    joined = ask.numbers(1)[0]["sid"]
    ask.post(f"{service}/PhoneNumbers", Sid=joined)
    urls = [ask.get(f"{NUMBERS}/{sid}.json").body for sid in (direct, joined)]
    assert [urls[0][key] for key in ("voice_url", "sms_url")] == [
        urls[1][key] for key in ("voice_url", "sms_url")
    ]
    with pytest.raises(NotFoundError):
        pool_numbers(store, "KS" + "0" * 32, [])


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_is_the_same_each_time_and_fits_into_an_empty_sandbox_once(name: str) -> None:
    with Store(":memory:") as one, Store(":memory:") as two:
        rows = seed_scenario(one, name, 1, now=0)
        assert rows == seed_scenario(two, name, 1, now=0)
        assert len(rows) == one.status().numbers
        assert sum(row["service_sid"] is not None for row in rows) == one.status().in_pools
        before = one.status()
        with pytest.raises(RefusedError, match="already"):
            seed_scenario(one, name, 1)
        assert one.status() == before


def test_an_unknown_scenario_names_the_known() -> None:
    with Store(":memory:") as store, pytest.raises(UsageError) as caught:
        seed_scenario(store, "nothing")
    assert caught.value.hint is not None and "agency" in caught.value.hint


def test_the_agency_has_pools_near_their_limits_and_the_faults_of_real_accounts(
    store: Store, ask: Ask
) -> None:
    seed_scenario(store, "agency", 1, now=ask.clock.now())
    services = {row["unique_name"]: row for row in ask.get("/v1/Services").body["services"]}
    pools = {
        name: [
            row
            for page in ask.pages(f"{service['url']}/PhoneNumbers?PageSize=100")
            for row in page["phone_numbers"]
        ]
        for name, service in services.items()
    }
    assert sum(not row["is_reserved"] for row in pools["rides-us"]) >= 0.85 * 500
    assert sum(row["is_reserved"] for row in pools["archive-us"]) >= 0.85 * 5000
    assert any(row["is_reserved"] and row["in_use"] for row in pools["delivery-de"])
    assert all(row["is_reserved"] for row in pools["concierge-fr"])
    assert pools["pilot-au"] == []
    assert services["rides-ca"]["callback_url"].startswith("http://")
    assert any(not row["capabilities"]["sms_outbound"] for row in pools["clinic-gb"])
    assert pools["rides-us"][0]["in_use"] == 130
    rides = {
        name: ask.get(f"{services['rides-us']['url']}/Sessions/ride-100{name}").body for name in range(1, 6)
    }
    assert [ride["status"] for ride in rides.values()] == ["open", "in-progress", "open", "closed", "closed"]
    assert (rides[3]["ttl"], rides[4]["closed_reason"], rides[5]["closed_reason"]) == (0, "api", "expired")
    held = {row["sid"] for pool in pools.values() for row in pool}
    numbers = [
        row for page in ask.pages(f"{NUMBERS}.json?PageSize=1000") for row in page["incoming_phone_numbers"]
    ]
    stale = [row for row in numbers if row["sid"] not in held and "/Proxy/KS" in row["voice_url"]]
    astray = [row for row in numbers if row["sid"] in held and "/Proxy/KS" not in row["sms_url"]]
    assert (len(stale), len(astray)) == (7, 3)
    messaging = ask.get("/messaging/v1/Services").body["services"]
    assert [row["use_inbound_webhook_on_number"] for row in messaging] == [True, False]
    senders = ask.get(f"{messaging[1]['url']}/PhoneNumbers").body["phone_numbers"]
    assert {row["sid"] in held for row in senders} == {True, False}
