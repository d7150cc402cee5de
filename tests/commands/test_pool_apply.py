"""`pool apply` and `pool plan`: the account becomes what the file says, whatever happens on the way.

What they print is in ``tests/golden``.
"""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.pool_support import fill, numbers_of, pool_file
from tests.support import Cli


def test_the_history_names_each_service(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    fill(cli, "a", numbers[:1])
    file = pool_file(
        tmp_path, {"a": {"default_ttl": 7}, "b": {"create": True, "numbers": {"unreserved": numbers}}}
    )
    assert cli("pool", "apply", file, "--yes").code == 0
    newest = cli.ok("history", "list", "-o", "json").json[0]
    assert (newest["changed"], newest["service"]) == (4, "a, b") and newest["command"].startswith(
        "proxyctl pool apply"
    )
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


def test_a_pool_that_is_full_both_ways(cli: Cli, tmp_path: Path) -> None:
    """No number leaves before there is a place for it, so that numbers can't change places where none is free."""
    cli.ok("service", "create", "a")
    service = cli.ok("service", "show", "a", "-o", "json").json["sid"]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        rows = seed_numbers(store, 5500, seed=1)
        pool_numbers(store, service, [row["sid"] for row in rows[:5000]], is_reserved=True)
        pool_numbers(store, service, [row["sid"] for row in rows[5000:]])
    names = [row["phone_number"] for row in rows]
    file = pool_file(tmp_path, {"a": {"numbers": {"reserved": names[5000:5003], "unreserved": names[:3]}}})
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
    refused = cli("pool", "apply", file, "--prune", "--yes")
    assert refused.code == 5 and numbers_of(cli, "a") == before
    rules = ("--allow", "no-unreserved", "--allow", "lose-half")
    ran = cli("pool", "apply", file, "--prune", "--yes", *rules)
    assert ran.code == 0
    (saved,) = (tmp_path / "state" / "saved").iterdir()
    assert f"proxyctl pool apply {saved}" in ran.err
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert numbers_of(cli, "a") == {numbers[0]: True}
    assert cli("pool", "apply", str(saved), "--yes").code == 0
    assert numbers_of(cli, "a") == before


def test_a_flawed_file_costs_no_request(bare: Cli, tmp_path: Path) -> None:
    """Not even credentials are needed to hear what is wrong."""
    file = tmp_path / "pool.toml"
    file.write_text("version = 1\n[services.a]\nclalback_url = 'x'\n")
    ran = bare("pool", "plan", str(file), "-o", "json")
    assert ran.code == 2
    assert f"{file}:3: unknown setting clalback_url (did you mean callback_url?)" in ran.error["message"]
    assert bare("pool", "apply", str(tmp_path / "gone.toml")).code == 2
