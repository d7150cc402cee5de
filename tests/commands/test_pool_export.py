"""`pool export`: a pool file that says all about Services, and changes nothing when it is applied."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

from tests.commands.pool_support import fill
from tests.support import Cli

HOSTILE = "a/../../b\n[red]\u202e.\x1b[31m ü \"'"


def test_export_says_all(either: Cli) -> None:
    numbers = [row["phone_number"] for row in either.seed(6)]
    either.ok(
        "service", "create", "masking", "--default-ttl", "60", "--callback-url", "https://example.com/cb"
    )
    fill(either, "masking", numbers[:3])
    fill(either, "masking", numbers[3:5], reserved=False)
    either.ok("service", "create", "empty")
    ran = either.ok("pool", "export", "--all")
    document = tomllib.loads(ran.out)
    assert document["version"] == 1
    assert list(document["services"]) == ["empty", "masking"]
    masking = document["services"]["masking"]
    assert masking["numbers"] == {"reserved": sorted(numbers[:3]), "unreserved": sorted(numbers[3:5])}
    assert (masking["default_ttl"], masking["callback_url"]) == (60, "https://example.com/cb")
    assert "intercept_callback_url" not in masking
    assert document["services"]["empty"]["numbers"] == {"reserved": [], "unreserved": []}
    plan = either.ok("pool", "plan", "-", "--prune", "--exit-code", stdin=ran.out)
    assert plan.lines[1:] == []
    assert "nothing to do" in plan.err


def test_numbers_go_to_files(cli: Cli) -> None:
    numbers = [row["phone_number"] for row in cli.seed(5)]
    for name in ("Masking", "masking", HOSTILE):
        cli.ok("service", "create", name)
    fill(cli, "masking", numbers[:2])
    fill(cli, "Masking", numbers[2:3], reserved=False)
    fill(cli, HOSTILE, numbers[3:])
    directory = cli.directory / "pools"
    ran = cli.ok("pool", "export", "--all", "--numbers-to", str(directory))
    files = sorted(path.name for path in directory.iterdir())
    sids = {row["unique_name"]: row["sid"] for row in cli.ok("service", "list", "-o", "json").json}
    assert files == sorted(
        ["Masking.unreserved.csv", f"{sids['masking']}.reserved.csv", f"{sids[HOSTILE]}.reserved.csv"]
    )
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    services = tomllib.loads(ran.out)["services"]
    assert services["Masking"]["numbers"] == {"reserved": [], "unreserved_from": "Masking.unreserved.csv"}
    assert HOSTILE in services
    file = directory / "pool.toml"
    file.write_text(ran.out)
    assert cli.ok("pool", "plan", str(file), "--prune", "--exit-code").lines[1:] == []
    (directory / "Masking.unreserved.csv").write_text("phone_number\n")
    assert cli("pool", "plan", str(file), "--prune", "--exit-code").code == 8


def test_export_fits_every_stream(cli: Cli) -> None:
    """No control character reaches a terminal, and a stream of ASCII still gets TOML."""
    cli.ok("service", "create", HOSTILE)
    ran = cli("pool", "export", HOSTILE, tty=True)
    assert "\x1b" not in ran.out and "\u202e" not in ran.out
    plain = cli.run_process("pool", "export", "--all", env={**cli.environ, "PYTHONIOENCODING": "ascii"})
    assert plain.code == 0 and plain.out.isascii()
    assert HOSTILE in tomllib.loads(plain.out)["services"]


def test_which_services(cli: Cli) -> None:
    cli.ok("service", "create", "a")
    cli.ok("service", "create", "b")
    assert list(tomllib.loads(cli.ok("pool", "export", "b", "a", "b").out)["services"]) == ["a", "b"]
    assert tomllib.loads(cli.ok("pool", "export", "a").out)["services"]["a"]["default_ttl"] == 0


def test_files_that_can_not_be_written(cli: Cli, tmp_path: Path) -> None:
    fill(cli, "a", [row["phone_number"] for row in cli.seed(1)])
    (tmp_path / "file").write_text("")
    ran = cli("pool", "export", "a", "--numbers-to", str(tmp_path / "file"))
    assert ran.code == 1
    assert "--numbers-to" in ran.err
