"""Subaccounts: whose data there are follows from the credentials, but where a path names the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.world.clock import set_clock
from proxyctl.sandbox.world.seed import seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Answer, Ask, basic

SUB = "AC" + "b" * 32
MAIN_TOKEN, MAIN_KEY = (ACCOUNT_SID, AUTH_TOKEN), (API_KEY_SID, API_KEY_SECRET)
SUB_TOKEN, SUB_KEY = (SUB, AUTH_TOKEN), ("SK" + "b" * 32, API_KEY_SECRET)
As = Callable[..., Answer]


@pytest.fixture
def with_sub(store: Store) -> Iterator[As]:
    """Ask, with the credentials of either account."""
    ask = Ask(store)
    with Store(":memory:") as other:
        ask.sandbox = Sandbox(store, clock=ask.clock, also={SUB: other})
        for each in (store, other):
            seed_numbers(each, 1, seed=1)

        def send(who: tuple[str, str], method: str, path: str, **form: Any) -> Answer:
            return ask.call(method, path, form, basic(*who))

        yield send


def test_each_account_has_its_own_time(store: Store) -> None:
    ask = Ask(store)
    with Store(":memory:") as other:
        ask.sandbox = Sandbox(store, clock=ask.clock, also={SUB: other})
        with other.writing() as db:
            set_clock(db, "+5h", ask.clock.now())
        seen = [
            ask.call("GET", "/v1/Services", headers=basic(*who)).headers for who in (SUB_TOKEN, MAIN_TOKEN)
        ]
        later, now = (parsedate_to_datetime(headers["Date"]).timestamp() for headers in seen)
        assert later - now == 5 * 3600
        ask.call("GET", "/v1/Services", headers=basic(*SUB_TOKEN))
        assert ask.sandbox.now() == ask.clock.now()  # whoever asks in between


@pytest.mark.parametrize(
    ("who", "account"),
    [(MAIN_TOKEN, ACCOUNT_SID), (MAIN_KEY, ACCOUNT_SID), (SUB_TOKEN, SUB), (SUB_KEY, SUB)],
)
@pytest.mark.parametrize(
    ("path", "name"), [("/v1/Services", "UniqueName"), ("/messaging/v1/Services", "FriendlyName")]
)
def test_proxy_and_messaging_take_the_account_from_the_credentials(
    with_sub: As, who: tuple[str, str], account: str, path: str, name: str
) -> None:
    made = with_sub(who, "POST", path, **{name: "masking"})
    assert (made.status, made.body["account_sid"]) == (201, account)
    for each in (MAIN_TOKEN, MAIN_KEY, SUB_TOKEN, SUB_KEY):
        rows = with_sub(each, "GET", path).body["services"]
        seen = [row["account_sid"] for row in rows]
        assert seen == [account] * ((each in (SUB_TOKEN, SUB_KEY)) == (account == SUB))


def test_a_pool_of_the_subaccount_is_its_own(with_sub: As) -> None:
    service = with_sub(SUB_KEY, "POST", "/v1/Services", UniqueName="masking").body["sid"]
    own = f"/2010-04-01/Accounts/{SUB}/IncomingPhoneNumbers.json"
    number = with_sub(SUB_KEY, "GET", own).body["incoming_phone_numbers"][0]
    assert (number["account_sid"], SUB in number["uri"]) == (SUB, True)
    pool = f"/v1/Services/{service}/PhoneNumbers"
    assert with_sub(SUB_KEY, "POST", pool, Sid=number["sid"]).body["account_sid"] == SUB
    assert with_sub(MAIN_KEY, "GET", pool).status == 404
    assert f"Accounts/{SUB}/" in with_sub(SUB_KEY, "GET", own).body["incoming_phone_numbers"][0]["voice_url"]


@pytest.mark.parametrize("who", [MAIN_TOKEN, MAIN_KEY, SUB_TOKEN, SUB_KEY])
def test_a_path_that_names_the_subaccount_is_about_it_and_open_to_the_main_account(
    with_sub: As, who: tuple[str, str]
) -> None:
    paths = [f"/2010-04-01/Accounts/{SUB}{rest}.json" for rest in ("", "/IncomingPhoneNumbers")]
    account, numbers = (with_sub(who, "GET", path) for path in paths)
    assert (account.body["sid"], account.body["owner_account_sid"]) == (SUB, ACCOUNT_SID)
    rows = numbers.body["incoming_phone_numbers"]
    assert [row["account_sid"] for row in rows] == [SUB]
    changed = with_sub(who, "POST", rows[0]["uri"], FriendlyName="ours")
    assert (changed.status, changed.body["friendly_name"]) == (200, "ours")


@pytest.mark.parametrize("who", [SUB_TOKEN, SUB_KEY])
def test_the_main_account_is_closed_to_a_subaccount(with_sub: As, who: tuple[str, str]) -> None:
    refused = with_sub(who, "GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json")
    assert refused.refusal == (401, 20003)


@pytest.mark.parametrize("who", [SUB_TOKEN, SUB_KEY])
def test_without_it_nobody_has_such_credentials(ask: Ask, who: tuple[str, str]) -> None:
    assert ask.call("GET", "/v1/Services", headers=basic(*who)).refusal == (401, 20003)
