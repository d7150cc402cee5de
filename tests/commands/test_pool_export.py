"""`pool export` of Services with hostile names. What it says is in ``tests/golden/reads``."""

from __future__ import annotations

import stat
import tomllib

from tests.commands.pool_support import fill
from tests.support import Cli

HOSTILE = "a/../../b\n[red]\u202e.\x1b[31m ü \"'"


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
    file = directory / "pool.toml"
    file.write_text(ran.out)
    assert HOSTILE in tomllib.loads(ran.out)["services"]
    assert cli.ok("pool", "plan", str(file), "--prune", "--exit-code").lines[1:] == []


def test_export_fits_every_stream(cli: Cli) -> None:
    """No control character reaches a terminal, and a stream of ASCII still gets TOML."""
    cli.ok("service", "create", HOSTILE)
    ran = cli("pool", "export", HOSTILE, tty=True)
    assert "\x1b" not in ran.out and "\u202e" not in ran.out
    plain = cli.run_process("pool", "export", "--all", env={**cli.environ, "PYTHONIOENCODING": "ascii"})
    assert plain.code == 0 and plain.out.isascii()
    assert HOSTILE in tomllib.loads(plain.out)["services"]
