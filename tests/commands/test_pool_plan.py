"""`pool plan`: the difference between a pool file and the account, in rows, and what it exits with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.pool_support import fill, pool_file
from tests.support import Cli


def test_every_kind_of_change(either: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in either.seed(12)]
    fill(either, "a", numbers[:4])
    fill(either, "a", numbers[4:6], reserved=False)
    fill(either, "b", numbers[6:8])
    fill(either, "other", numbers[8:9])
    either.ok("sandbox", "busy", numbers[5], "3")
    file = pool_file(
        tmp_path,
        {
            "a": {
                "default_ttl": 60,
                "callback_url": "",
                "numbers": {
                    "reserved": [numbers[0], numbers[4], numbers[8], numbers[9]],
                    "unreserved": [numbers[1], numbers[6]],
                },
            },
            "b": {"geo_match_level": "country"},
            "c": {"default_ttl": 5, "numbers": {"unreserved": [numbers[10]]}},
        },
    )
    ran = either("pool", "plan", file, "--prune", "-o", "json")
    assert ran.code == 0, ran.err
    rows = ran.json
    assert Counter((row["service"], row["change"]) for row in rows) == {
        ("a", "update"): 1,
        ("a", "reserve"): 1,
        ("a", "release"): 1,
        ("a", "add"): 1,
        ("a", "move"): 1,
        ("a", "remove"): 2,
        ("a", "refused"): 2,
        ("c", "create"): 2,
        ("c", "add"): 1,
    }
    by_number = {(row["change"], row["phone_number"]): row for row in rows}
    update = by_number["update", None]
    assert (update["field"], update["before"], update["after"]) == ("default_ttl", 0, 60)
    release = by_number["release", numbers[1]]
    assert (release["field"], release["before"], release["after"]) == ("is_reserved", True, False)
    assert by_number["move", numbers[6]]["from_service"] == "b"
    assert "in the pool of Service other" in by_number["refused", numbers[8]]["problem"]
    assert "3 open Sessions" in by_number["refused", numbers[5]]["problem"]
    assert by_number["remove", numbers[2]]["after"] is None
    assert "add 2, reserve 1, release 1, remove 2, move 1, refused 2" in ran.err
    assert either("pool", "plan", file, "--exit-code").code == 8
    table = either("pool", "plan", file, tty=True)
    assert "3,600" not in table.out and "move" in table.out


def test_what_the_file_leaves_out_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(4)]
    fill(cli, "a", numbers)
    cli.ok("service", "update", "a", "--callback-url", "https://example.com/cb")
    file = pool_file(tmp_path, {"a": {"numbers": {"reserved": numbers[:1]}}})
    assert cli.ok("pool", "plan", file, "--exit-code").lines[1:] == []
    pruned = cli("pool", "plan", file, "--prune", "-o", "ids")
    assert len(pruned.lines) == 3
    settings = pool_file(tmp_path, {"a": {"default_ttl": 0}}, "settings.toml")
    assert cli.ok("pool", "plan", settings, "--prune", "--exit-code").lines[1:] == []
    url = pool_file(tmp_path, {"a": {"callback_url": ""}}, "url.toml")
    rows = cli("pool", "plan", url, "-o", "jsonl").rows
    assert [(row["field"], row["before"], row["after"]) for row in rows] == [
        ("callback_url", "https://example.com/cb", "")
    ]


def test_limits_that_the_file_alone_does_not_show(cli: Cli, tmp_path: Path) -> None:
    """490 unreserved numbers are there that the file does not name."""
    cli.ok("service", "create", "a")
    service = cli.ok("service", "show", "a", "-o", "json").json["sid"]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        rows = seed_numbers(store, 510, seed=1)
        pool_numbers(store, service, [row["sid"] for row in rows[:490]])
    names = [row["phone_number"] for row in rows[490:]]
    file = pool_file(tmp_path, {"a": {"numbers": {"unreserved": names[:11]}}})
    for command in ("plan", "apply"):
        ran = cli("pool", command, file)
        assert ran.code == 5
        assert "a would hold 501 unreserved numbers (now 490, the limit is 500)" in ran.err
    file = pool_file(tmp_path, {"a": {"numbers": {"unreserved": names[:10]}}})
    assert cli("pool", "plan", file, "--exit-code").code == 8


def test_one_number_with_two_names(cli: Cli, tmp_path: Path) -> None:
    first, second = cli.seed(2)
    fill(cli, "a", [first["phone_number"], second["phone_number"]])
    numbers = {"reserved": [first["phone_number"], second["sid"]], "unreserved": [first["sid"]]}
    ran = cli("pool", "plan", pool_file(tmp_path, {"a": {"numbers": numbers}}))
    assert ran.code == 2
    assert "are one number" in ran.err
    same = {"reserved": [first["phone_number"], first["sid"]]}
    assert cli("pool", "plan", pool_file(tmp_path, {"a": {"numbers": same}}), "--exit-code").code == 0


def test_a_flawed_file_costs_no_request(bare: Cli, tmp_path: Path) -> None:
    """Not even credentials are needed to hear what is wrong."""
    file = tmp_path / "pool.toml"
    file.write_text("version = 1\n[services.a]\nclalback_url = 'x'\n")
    ran = bare("pool", "plan", str(file), "-o", "json")
    assert ran.code == 2
    assert f"{file}:3: unknown setting clalback_url (did you mean callback_url?)" in ran.error["message"]
    assert bare("pool", "apply", str(tmp_path / "gone.toml")).code == 2


def test_a_rule_that_there_is_not_is_refused_before_anything_is_printed(cli: Cli, tmp_path: Path) -> None:
    ran = cli("pool", "plan", pool_file(tmp_path, {"masking": {}}), "--allow", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no such rule" in ran.err


def test_a_name_that_is_near_another(cli: Cli, tmp_path: Path) -> None:
    cli.ok("service", "create", "masking-prod")
    ran = cli("pool", "plan", pool_file(tmp_path, {"masking-prd": {}}))
    assert ran.code == 0
    assert "did you mean masking-prod?" in ran.err


def test_a_service_is_named_by_its_name(cli: Cli, tmp_path: Path) -> None:
    sid = cli.ok("service", "create", "masking", "-o", "ids").out.strip()
    ran = cli("pool", "plan", pool_file(tmp_path, {sid: {}}))
    assert ran.code == 2
    assert "[services.masking]" in ran.err


def test_quiet_with_nothing_to_do_says_nothing_at_all(either: Cli, tmp_path: Path) -> None:
    either.ok("service", "create", "masking")
    file = tmp_path / "pools.toml"
    file.write_text("version = 1\n[services.masking]\n")
    ran = either.ok("pool", "plan", str(file), "--exit-code", "-q")
    assert (ran.out, ran.err) == ("", "")
    assert either.ok("pool", "plan", str(file), "-q", "-o", "json").json == []
