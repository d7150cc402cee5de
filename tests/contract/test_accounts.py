"""Credentials that are another account's than the profile says: no command writes with them, in process or over HTTP.

A main account's key with a subaccount's SID works on the main account, so each row of the table is tried with that.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxyctl.profiles import profile
from proxyctl.runtime import Runtime
from proxyctl.sandbox.behaviour import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID
from tests.battery.front import SECRET
from tests.battery.scene import scene
from tests.contract.account import Account
from tests.contract.verbs import VERBS, Verb
from tests.support import Ran, StandingClock

OTHER = "AC" + "0" * 32
DIFFER = f"this key belongs to {ACCOUNT_SID}, the profile says {OTHER}"
BOUND = [name for name in VERBS if name != "api"]
Wrong = Callable[[Account], None]


@pytest.fixture(params=["in process", "served"])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Wrong:
    """Give the program the Account SID of a subaccount, with the main account's key."""

    def become(account: Account) -> None:
        for path in account.files():  # what the history has was done on the same account
            path.write_bytes(path.read_bytes().replace(ACCOUNT_SID.encode(), OTHER.encode()))
            path.rename(path.with_name(path.name.replace(ACCOUNT_SID, OTHER)))
        environ = account.scene.cli.environ
        if request.param == "served":
            key = base64.b64encode(f"{API_KEY_SID}:{SECRET}".encode()).decode()
            monkeypatch.setattr("tests.battery.front.CANARY", f"Basic {key}")
            environ |= {
                "TWILIO_ACCOUNT_SID": OTHER,
                "TWILIO_API_KEY": API_KEY_SID,
                "TWILIO_API_SECRET": SECRET,
            }
            return
        own = profile.sandbox_profile
        monkeypatch.setattr(
            profile,
            "sandbox_profile",
            lambda source: replace(
                own(source), account_sid=OTHER, username=API_KEY_SID, secret=lambda: API_KEY_SECRET
            ),
        )
        monkeypatch.setattr(Runtime, "sandbox_store", account.scene.store)
        environ["PROXYCTL_PROFILE"] = "sandbox"

    return become


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[Verb], Account]]:
    """Set the stage of a row."""
    with scene(tmp_path, 8) as there:
        there.cli.clock = StandingClock()

        def of(verb: Verb) -> Account:
            return Account(there, verb)

        yield of


def refused(account: Account, ran: Ran) -> None:
    """Nothing was sent, or kept for another account."""
    assert (ran.code, ran.out) == (3, ""), ran.err
    assert ran.err.count(DIFFER) == 1
    account.is_untouched()


@pytest.mark.parametrize("name", BOUND)
def test_no_verb_writes_to_another_account(stage: Callable[[Verb], Account], wrong: Wrong, name: str) -> None:
    verb = VERBS[name]
    account = stage(replace(verb, before=verb.before or {"masking": ""}))
    wrong(account)
    kept = account.files()
    for options in ((), ("--dry-run",), ("--no-history",)):
        refused(account, account.run(*options))
    assert account.run(confirmed=False, tty=True).code == 3, "it asks nothing"
    account.is_untouched()
    made = {path for path in account.files() - kept if path.parent.name in ("locks", "saved", "transit")}
    assert made == set()


@pytest.mark.parametrize("before", ["aBcd", ""])
@pytest.mark.parametrize("name", [name for name in BOUND if name.startswith("number ")])
def test_a_service_named_by_its_sid_is_no_way_around(
    stage: Callable[[Verb], Account], wrong: Wrong, name: str, before: str
) -> None:
    verb = replace(VERBS[name], earlier="", before={"masking": before, "other": ""}, items="abc")
    account = stage(verb)
    line = [account.services().get(word, word) for word in verb.line.split()]
    account.verb = replace(verb, line=" ".join(line))
    wrong(account)
    ran = account.run("--allow", "no-unreserved", "-o", "jsonl")
    if not before and ran.code != 3:  # nothing was to be written, and nothing has shown the account
        assert set(ran.actions) <= {"failed", "unchanged"}
        assert account.scene.writes == []
        return
    assert (ran.code, ran.err.count(DIFFER)) == (3, 1), ran.err
    account.is_untouched()


def test_a_command_that_forgets_to_ask_writes_nothing_either(
    stage: Callable[[Verb], Account], wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read before only warns then."""
    account = stage(VERBS["number reserve"])
    wrong(account)
    monkeypatch.setattr(Runtime, "guard_writes", lambda runtime: None)
    ran = account.run()
    assert (ran.code, f"warning: {DIFFER}" in ran.err) == (3, True), ran.err
    account.is_untouched()


def test_the_first_service_of_an_account_shows_whose_it_is(
    stage: Callable[[Verb], Account], wrong: Wrong
) -> None:
    account = stage(VERBS["service create"])
    wrong(account)
    ran = account.run()
    sid = account.services()["fresh"]
    assert (ran.code, ran.out, DIFFER in ran.err) == (3, "", True), ran.err
    command = f"proxyctl api DELETE /v1/Services/{sid}"
    assert f"'{command}'" in ran.err
    assert account.scene.cli(*command.split()[1:], "--yes").code == 0
    assert account.services() == {}


def test_each_service_that_was_created_there_is_named(stage: Callable[[Verb], Account], wrong: Wrong) -> None:
    """Requests that are under way when the first answer comes."""
    account = stage(replace(VERBS["pool apply"], before={}, after={"one": "", "two": "", "three": ""}))
    wrong(account)
    ran = account.run("--allow", "new-service")
    made = account.services()
    assert (ran.code, bool(made)) == (3, True), ran.err
    assert all(f"'proxyctl api DELETE /v1/Services/{sid}'" in ran.err for sid in made.values())


@pytest.mark.parametrize("before", [{}, {"masking": ""}])
def test_api_writes_as_it_is_told_and_warns(
    stage: Callable[[Verb], Account], wrong: Wrong, before: dict[str, object]
) -> None:
    account = stage(replace(VERBS["api"], before=before))
    wrong(account)
    ran = account.run()
    assert (ran.code, ran.err.count("warning: "), ran.err.count(DIFFER)) == (0, 1, 1), ran.err
    assert set(account.services()) == {"fresh", *before}
