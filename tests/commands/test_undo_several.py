"""`history undo` of a run on several Services: all is as it was before `pool apply`."""

from __future__ import annotations

from pathlib import Path

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.commands.pool_support import fill, numbers_of, pool_file
from tests.support import Cli


def newest(cli: Cli) -> str:
    return str(cli.ok("history", "list", "-o", "json").json[0]["id"])


def test_apply_and_undo(either: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in either.seed(8)]
    fill(either, "a", numbers[:3])
    fill(either, "b", numbers[3:5], reserved=False)
    either.ok("service", "update", "a", "--callback-url", "https://example.com/old")
    before = numbers_of(either, "a"), numbers_of(either, "b")
    file = pool_file(
        tmp_path,
        {
            "a": {
                "default_ttl": 9,
                "callback_url": "",
                "intercept_callback_url": "https://example.com/new",
                "numbers": {"reserved": [numbers[0], numbers[3]], "unreserved": [numbers[1], numbers[5]]},
            },
            "b": {"numbers": {"reserved": [numbers[4]]}},
            "c": {"numbers": {"unreserved": [numbers[6]]}},
        },
    )
    assert either("pool", "apply", file, "--prune", "--yes").code == 0
    assert numbers_of(either, "a") != before[0]
    run = newest(either)
    dry = either("history", "undo", run, "--dry-run", "-o", "jsonl")
    assert dry.code == 0 and len(dry.rows) == 8
    undone = either("history", "undo", run, "--yes", "-o", "json")
    assert undone.code == 0, undone.err
    assert (numbers_of(either, "a"), numbers_of(either, "b")) == before
    assert numbers_of(either, "c") == {}
    assert "Service c stays" in undone.err
    service = either.ok("service", "show", "a", "-o", "json").json
    assert (service["default_ttl"], service["callback_url"]) == (0, "https://example.com/old")
    assert service["intercept_callback_url"] is None
    again = either("history", "undo", run, "--yes", "-o", "json")
    assert again.code == 0, again.err
    assert {row["action"] for row in again.json} == {"unchanged"}
    assert either("history", "undo", newest(either), "--yes").code == 0
    assert either("pool", "plan", file, "--prune", "--exit-code").code == 0


def test_what_has_changed_since_is_refused(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(4)]
    fill(cli, "a", numbers[:2])
    fill(cli, "b", numbers[2:3])
    file = pool_file(
        tmp_path,
        {
            "a": {"default_ttl": 5, "numbers": {"reserved": numbers[2:]}},
            "b": {"numbers": {"reserved": [numbers[0]]}},
        },
    )
    assert cli("pool", "apply", file, "--yes").code == 0
    run = newest(cli)
    cli.ok("service", "update", "a", "--default-ttl", "6")
    cli.ok("sandbox", "busy", numbers[0], "1")
    undone = cli("history", "undo", run, "--yes", "-o", "json")
    assert undone.code == 6
    failed = {row["input"]: row["error"]["message"] for row in undone.json if row["action"] == "failed"}
    assert "default_ttl" in failed["a"] and "in use" in failed[numbers[0]] + str(undone.json)
    assert numbers_of(cli, "b") == {numbers[0]: True, numbers[2]: True}
    assert numbers_of(cli, "a") == {numbers[1]: True}


def test_a_service_that_is_gone(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    file = pool_file(
        tmp_path, {"a": {"numbers": {"reserved": numbers[:1]}}, "b": {"numbers": {"reserved": numbers[1:]}}}
    )
    assert cli("pool", "apply", file, "--yes").code == 0
    run = newest(cli)
    cli.ok("service", "delete", "b", "--yes")
    undone = cli("history", "undo", run, "--yes")
    assert undone.code == 4
    assert "does not exist any more" in undone.err


def webhooks(cli: Cli, sid: str) -> tuple[str, str]:
    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{sid}.json"
    raw = cli.ok("api", "GET", path).json
    return raw["voice_url"], raw["sms_url"]


def test_webhooks_are_kept_and_put_back(either: Cli, tmp_path: Path) -> None:
    rows = either.seed(2)
    before = [webhooks(either, row["sid"]) for row in rows]
    reserved = [row["phone_number"] for row in rows]
    file = pool_file(
        tmp_path, {"a": {"numbers": {"reserved": reserved[:1]}}, "b": {"numbers": {"reserved": reserved[1:]}}}
    )
    assert either("pool", "apply", file, "--yes", "--keep-webhooks").code == 0
    assert all("/Proxy/KS" in url for row in rows for url in webhooks(either, row["sid"]))
    undone = either("history", "undo", newest(either), "--yes", "-o", "json")
    assert undone.code == 0, undone.err
    assert [row["action"] for row in undone.json] == ["removed"] * 2
    assert [webhooks(either, row["sid"]) for row in rows] == before
    assert either("pool", "apply", file, "--yes", "--keep-webhooks", "--no-history").code == 2
