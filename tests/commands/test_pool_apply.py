"""`pool apply`: the account becomes what the file says, whatever happens on the way."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path

import pytest

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.pool_support import fill, numbers_of, pool_file
from tests.support import Cli


def test_apply_makes_it_so(either: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in either.seed(10)]
    fill(either, "a", numbers[:4])
    fill(either, "a", numbers[4:6], reserved=False)
    fill(either, "b", numbers[6:8])
    file = pool_file(
        tmp_path,
        {
            "a": {
                "default_ttl": 60,
                "callback_url": "https://example.com/cb",
                "numbers": {"reserved": [numbers[0], numbers[4], numbers[8]], "unreserved": numbers[1:3]},
            },
            "b": {"numbers": {"reserved": [numbers[6]]}},
            "c": {"default_ttl": 5, "numbers": {"unreserved": [numbers[7], numbers[9]]}},
        },
    )
    ran = either("pool", "apply", file, "--prune", "--yes", "-o", "json")
    assert ran.code == 0, ran.err
    assert Counter((row["service"], row["action"]) for row in ran.json) == {
        ("a", "updated"): 1,
        ("a", "unchanged"): 1,
        ("a", "reserved"): 1,
        ("a", "added"): 1,
        ("a", "released"): 2,
        ("a", "removed"): 2,
        ("b", "unchanged"): 1,
        ("c", "created"): 1,
        ("c", "added"): 1,
        ("c", "moved"): 1,
    }
    assert "created 1, updated 1, added 2, reserved 1, released 2, removed 2, moved 1" in ran.err
    assert numbers_of(either, "a") == {
        numbers[0]: True, numbers[4]: True, numbers[8]: True, numbers[1]: False, numbers[2]: False
    }  # fmt: skip
    assert numbers_of(either, "b") == {numbers[6]: True}
    assert numbers_of(either, "c") == {numbers[7]: False, numbers[9]: False}
    assert either.ok("service", "show", "a", "-o", "json").json["callback_url"] == "https://example.com/cb"
    again = either("pool", "apply", file, "--prune", "-o", "json")
    assert again.code == 0, again.err
    assert {row["action"] for row in again.json} == {"unchanged"}
    assert either.ok("pool", "plan", file, "--prune", "--exit-code").lines[1:] == []


def test_it_asks_first(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(3)]
    fill(cli, "a", numbers[:2])
    file = pool_file(tmp_path, {"a": {"default_ttl": 9, "numbers": {"reserved": numbers[1:]}}})
    refused = cli("pool", "apply", file, "--prune")
    assert refused.code == 2
    assert "--yes" in refused.err
    no = cli("pool", "apply", file, "--prune", stdin="n\n", tty=True)
    assert no.code == 2
    for words in ("a: default_ttl 0 → 9", "a: add 1 number", "a: remove 1 number", "(profile"):
        assert words in no.err
    assert numbers_of(cli, "a") == dict.fromkeys(numbers[:2], True)
    dry = cli("pool", "apply", file, "--prune", "--dry-run", "-o", "jsonl")
    assert dry.code == 0
    assert [row["method"] for row in dry.rows] == ["POST", "POST", "DELETE"]
    assert numbers_of(cli, "a") == dict.fromkeys(numbers[:2], True)
    assert cli("pool", "apply", file, "--prune", stdin="y\n", tty=True).code == 0
    assert numbers_of(cli, "a") == dict.fromkeys(numbers[1:], True)


def test_what_can_not_be_done_is_told(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(5)]
    fill(cli, "a", numbers[:2])
    fill(cli, "other", numbers[2:3])
    cli.ok("sandbox", "busy", numbers[1], "1")
    reserved = [numbers[2], numbers[3], "+14155559999"]
    file = pool_file(tmp_path, {"a": {"numbers": {"reserved": reserved}}})
    failed = tmp_path / "failed.csv"
    ran = cli("pool", "apply", file, "--prune", "--yes", "-o", "json", "--failed-to", str(failed))
    assert ran.code == 6, ran.err
    rows = {row["phone_number"]: row for row in ran.json}
    assert rows[numbers[3]]["action"] == "added"
    assert rows[numbers[0]]["action"] == "removed"
    assert "pool of Service other" in rows[numbers[2]]["error"]["message"]
    assert "in use by 1 open Session" in rows[numbers[1]]["error"]["message"]
    assert "not a number of this account" in rows["+14155559999"]["error"]["message"]
    assert len(failed.read_text().splitlines()) == 4
    assert numbers_of(cli, "a") == {numbers[1]: True, numbers[3]: True}


def test_a_refused_service_keeps_only_its_own_back(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    file = pool_file(
        tmp_path,
        {
            "bad": {"callback_url": "not a url", "numbers": {"reserved": numbers[:1]}},
            "good": {"numbers": {"reserved": numbers[1:]}},
        },
    )
    ran = cli("pool", "apply", file, "--yes", "-o", "json")
    assert ran.code == 6
    assert Counter(row["action"] for row in ran.json) == {"failed": 1, "skipped": 1, "created": 1, "added": 1}
    assert numbers_of(cli, "good") == {numbers[1]: True}


def test_the_history_names_each_service(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    fill(cli, "a", numbers[:1])
    file = pool_file(tmp_path, {"a": {"default_ttl": 7}, "b": {"numbers": {"unreserved": numbers}}})
    assert cli("pool", "apply", file, "--yes").code == 0
    newest = cli.ok("history", "list", "-o", "json").json[0]
    assert newest["items"] == 4 and newest["command"].startswith("proxyctl pool apply")
    (record,) = [path for path in (tmp_path / "state" / "history").iterdir() if path.stem == newest["id"]]
    intents = [line for line in map(json.loads, record.read_text().splitlines()) if line["type"] == "intent"]
    assert Counter((line["action"], line["service"]) for line in intents) == {
        ("update_service", "a"): 1,
        ("create_service", "b"): 1,
        ("remove", "a"): 1,
        ("add", "b"): 2,
    }
    update = next(line for line in intents if line["action"] == "update_service")
    assert (update["before"], update["after"]) == ({"default_ttl": 0}, {"default_ttl": 7})


@pytest.mark.parametrize("options", [("--quiet",), ("-o", "ids")])
def test_an_empty_file_is_no_work(cli: Cli, tmp_path: Path, options: tuple[str, ...]) -> None:
    ran = cli("pool", "apply", pool_file(tmp_path, {}), *options)
    assert (ran.code, ran.out) == (0, "")


def test_a_number_of_a_messaging_service_is_not_moved(either: Cli, tmp_path: Path) -> None:
    """Once out of its pool, it could not even be put back."""
    rows = either.seed(2)
    numbers = [row["phone_number"] for row in rows]
    fill(either, "a", numbers)
    messaging = either.ok("api", "POST", "/messaging/v1/Services", "-d", "FriendlyName=mg").json["sid"]
    path = f"/messaging/v1/Services/{messaging}/PhoneNumbers"
    either.ok("api", "POST", path, "-d", f"PhoneNumberSid={rows[0]['sid']}")
    file = pool_file(tmp_path, {"a": {}, "b": {"numbers": {"reserved": numbers}}})
    plan = either("pool", "plan", file, "--exit-code", "-o", "json")
    assert [row["change"] for row in plan.json] == ["create", "refused", "move"]
    ran = either("pool", "apply", file, "--yes", "-o", "json")
    assert ran.code == 6
    refused = next(row for row in ran.json if row["action"] == "failed")
    assert messaging in refused["error"]["message"] and refused["error"]["exit_code"] == 5
    assert numbers_of(either, "a") == {numbers[0]: True}
    assert numbers_of(either, "b") == {numbers[1]: True}


def test_a_pool_that_is_full_both_ways(cli: Cli, tmp_path: Path) -> None:
    """No number leaves before there is a place for it, so that numbers can't change places where none is free."""
    cli.ok("service", "create", "a")
    service = cli.ok("service", "show", "a", "-o", "json").json["sid"]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        rows = seed_numbers(store, 5500, seed=1)
        pool_numbers(store, service, [row["sid"] for row in rows[:5000]], is_reserved=True)
        pool_numbers(store, service, [row["sid"] for row in rows[5000:]])
    file = pool_file(
        tmp_path,
        {
            "a": {
                "numbers": {
                    "reserved": [row["phone_number"] for row in rows[5000:5003]],
                    "unreserved": [row["phone_number"] for row in rows[:3]],
                }
            }
        },
    )
    for allowed in ((), ("--allow", "leave-first")):
        ran = cli("pool", "apply", file, "--yes", "-o", "json", *allowed)
        assert (ran.code, ran.out) == (5, "")
        assert "a holds 5000 of 5000 reserved numbers, 3 places missing" in ran.error["message"]
    assert cli("pool", "plan", file).code == 5


def test_pruned_numbers_can_be_restored(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(4)]
    fill(cli, "a", numbers[:3])
    fill(cli, "a", numbers[3:], reserved=False)
    before = numbers_of(cli, "a")
    file = pool_file(tmp_path, {"a": {"numbers": {"reserved": numbers[:1]}}})
    ran = cli("pool", "apply", file, "--prune", "--yes")
    assert ran.code == 0
    (saved,) = (tmp_path / "state" / "saved").iterdir()
    assert f"proxyctl pool apply {saved}" in ran.err
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert numbers_of(cli, "a") == {numbers[0]: True}
    assert cli("pool", "apply", str(saved), "--yes").code == 0
    assert numbers_of(cli, "a") == before


def test_a_way_back_that_can_not_be_kept(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(3)]
    fill(cli, "a", numbers)
    (tmp_path / "state" / "saved").write_text("in the way")
    file = pool_file(tmp_path, {"a": {"numbers": {"reserved": numbers[:1]}}})
    ran = cli("pool", "apply", file, "--prune", "--yes")
    assert ran.code == 1
    assert "nothing was sent" in ran.err and len(numbers_of(cli, "a")) == 3
    assert cli("pool", "apply", file, "--prune", "--yes", "--no-history").code == 0
