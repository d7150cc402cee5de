"""The account of the data beside that of the profile: reads warn once, checks report it, and it costs no request.

That no write goes to another account is held by `tests/contract/test_accounts.py`, over the command tree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, API_KEY_SECRET, API_KEY_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.world.store import Store
from tests.commands.pool_support import fill, messaging_service
from tests.commands.profile_support import Home
from tests.sandbox.serving import Served, served
from tests.support import Cli, case

SUB = "AC" + "b" * 32
DIFFER = f"this key belongs to {ACCOUNT_SID}, the profile says {SUB}"
WARNING = f"warning: {DIFFER}"
MAIN_KEY = {"TWILIO_API_KEY": API_KEY_SID, "TWILIO_API_SECRET": API_KEY_SECRET}
READING = [
    "service list",
    "service list --counts",
    "service show a",
    "service show KS",
    "number list a b",
    "number list KS",
    "number list --all",
    "number list --unassigned",
    "session list --all",
    "number show a +1",
    "number find +1 +2",
    "pool status --all",
    "pool export --all",
    "pool audit --all",
    "messaging check a --messaging-service MG",
    "api GET /v1/Services",
    "api GET /v1/Services --paginate",
    "api GET /messaging/v1/Services",
]


@pytest.fixture
def with_sub(store: Store) -> Iterator[Served]:
    """A sandbox with a subaccount, whose data are its own."""
    with Store(":memory:") as other, served(Sandbox(store, also={SUB: other})) as server:
        yield server


@pytest.fixture
def right(with_sub: Served, tmp_path: Path) -> Cli:
    """The program with the main account's credentials."""
    environ = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
    return Cli(tmp_path, {**environ, "PROXYCTL_BASE_URL": with_sub.url})


@pytest.fixture
def wrong(with_sub: Served, tmp_path: Path) -> Cli:
    """The program with the main account's key, and the subaccount's SID."""
    environ = {"TWILIO_ACCOUNT_SID": SUB, **MAIN_KEY, "PROXYCTL_BASE_URL": with_sub.url}
    return Cli(tmp_path, environ)


@pytest.fixture
def names(right: Cli) -> dict[str, str]:
    """Two pools and a Messaging Service of the main account."""
    rows = [row["phone_number"] for row in right.seed(4)]
    fill(right, "a", rows[:2], reserved=False)
    fill(right, "b", rows[2:3])
    listed = right.ok("number", "list", "a", "-o", "json").json
    return {
        "KS": listed[0]["service_sid"],
        "MG": messaging_service(right, listed[0]["sid"]),
        "+1": rows[0],
        "+2": rows[2],
    }


def words(line: str, names: dict[str, str]) -> list[str]:
    return [names.get(word, word) for word in line.split()]


def test_a_read_warns_once_and_is_carried_out(right: Cli, wrong: Cli, names: dict[str, str]) -> None:
    """What is found in the account of the numbers' path is another matter, hence the 4."""
    for line in READING:
        with case(line):
            good = right(*words(line, names))
            assert "belongs to" not in good.err
            for options in ((), ("-q",)):
                ran = wrong(*words(line, names), *options)
                assert (ran.code in (good.code, 4), ran.err.count(WARNING)) == (True, 1), ran.err


COSTS = {
    "service list -o json": 1,
    "service show KS -o json": 1,
    "number list KS -o json": 2,
    "number show KS PN -o json": 2,
    "api GET /v1/Services": 1,
    "number reserve KS +1": 3,  # the last: what others took meanwhile
    "number add EMPTY +9": 4,  # the pool, the Service, the number's webhooks, the number
    "service update KS --default-ttl 9": 2,
    "api POST /v1/Services -d UniqueName=x": 2,
    "auth status": 1,
    "doctor": 1,
}


@pytest.mark.usefixtures("own_surroundings")
def test_what_it_costs(right: Cli, names: dict[str, str], with_sub: Served) -> None:
    """Nothing where the account was read anyway."""
    listed = right.ok("number", "list", "a", "-o", "json").json
    names |= {"PN": listed[0]["sid"], "+9": right.seed(1, seed=9)[0]["phone_number"]}
    names["EMPTY"] = right.ok("service", "create", "empty", "-o", "ids").lines[0]
    for line, most in COSTS.items():
        with_sub.ledger.clear()
        ran = right(*words(line, names))
        assert ran.code == 0, ran.err
        sent = [f"{one.method} {one.path}" for one in with_sub.ledger.entries]
        assert len(sent) == most, (line, sent)


@pytest.mark.usefixtures("own_surroundings")
def test_a_check_reports_it(right: Cli, wrong: Cli, names: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "pools.toml"
    file.write_text(right.ok("pool", "export", "--all").out.replace(f'account_sid = "{ACCOUNT_SID}"\n', ""))
    names["FILE"] = str(file)
    for line in ("auth status", "auth status --all", "doctor", "pool plan FILE"):
        assert right(*words(line, names)).code == 0
        ran = wrong(*words(line, names))
        assert (ran.code, DIFFER in ran.out + ran.err) == (3, True), ran.err
        assert WARNING not in ran.err


def test_a_login_saves_nothing(home: Home, names: dict[str, str], with_sub: Served) -> None:
    login = ("auth", "login", "--api-key", API_KEY_SID, "--secret-stdin", "--base-url", with_sub.url)
    ran = home(*login, "--account-sid", SUB, stdin=API_KEY_SECRET)
    assert (ran.code, DIFFER in ran.err, "Nothing was saved" in ran.err) == (3, True, True), ran.err
    assert not home.config.exists()
    assert home(*login, "--account-sid", ACCOUNT_SID, stdin=API_KEY_SECRET).code == 0


def test_an_exported_file_names_the_account_that_it_is_of(
    right: Cli, wrong: Cli, names: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "pools.toml"
    file.write_text(wrong.ok("pool", "export", "--all").out)
    assert tomllib.loads(file.read_text())["account_sid"] == ACCOUNT_SID
    assert right("pool", "plan", str(file), "--exit-code").code == 0


def test_the_protection_of_the_account_of_the_key_holds_for_api(
    right: Cli, wrong: Cli, names: dict[str, str], with_sub: Served
) -> None:
    home = Home(right.directory)
    table = f'account_sid = "{ACCOUNT_SID}"\nauth_token = "{AUTH_TOKEN}"\nprotected = true\n'
    home.write(f"[profiles.prod]\n{table}")
    with_sub.ledger.clear()
    for path in (f"/v1/Services/{names['KS']}", f"/messaging/v1/Services/{names['MG']}"):
        ran = wrong("api", "DELETE", path, "--yes")
        assert (ran.code, "--confirm-profile prod" in ran.err) == (2, True), ran.err
    assert {entry.method for entry in with_sub.ledger.entries} == {"GET"}
    sent = ("api", "DELETE", f"/v1/Services/{names['KS']}", "--yes", "--confirm-profile", "prod")
    ran = wrong(*sent)
    assert (ran.code, f"account {ACCOUNT_SID})" in ran.err) == (0, True), ran.err
    kept = [path for path in (right.directory / "state" / "history").rglob("*") if path.is_file()]
    assert kept and SUB not in "".join(path.read_text() for path in kept)


def test_the_account_of_a_path_is_the_one_that_is_written(right: Cli, with_sub: Served) -> None:
    """The main account's credentials work on a subaccount's numbers; no Service has to show that."""
    Home(right.directory).write(
        f'[profiles.sub]\naccount_sid = "{SUB}"\nauth_token = "{AUTH_TOKEN}"\nprotected = true\n'
    )
    path = f"/2010-04-01/Accounts/{SUB}/IncomingPhoneNumbers/PN{'0' * 32}.json"
    ran = right("api", "POST", path, "-d", "FriendlyName=x")
    assert (ran.code, "--confirm-profile sub" in ran.err) == (2, True), ran.err
    assert with_sub.ledger.entries == []
    assert "warning" not in right("api", "GET", f"/2010-04-01/Accounts/{SUB}/IncomingPhoneNumbers.json").err


def test_numbers_that_the_key_may_not_read_are_told_by_their_cause(
    right: Cli, names: dict[str, str], with_sub: Served
) -> None:
    """An account that is no subaccount of the key's: 401, which says nothing of a wrong secret."""
    stranger = {"TWILIO_ACCOUNT_SID": "AC" + "c" * 32, "TWILIO_AUTH_TOKEN": "", **MAIN_KEY}
    ran = right("number", "list", "--unassigned", environ=stranger)
    assert (ran.code, f"this key belongs to {ACCOUNT_SID}" in ran.err.splitlines()[-2]) == (3, True), ran.err
