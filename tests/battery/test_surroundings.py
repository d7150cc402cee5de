"""Homes, locales, terminals, umasks and disks that are not as one would like: it works, or names what is wrong."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path

import pytest

from tests.battery.live import Terminal, changed, drive, end, environment, histories
from tests.battery.scene import Scene
from tests.support import Ran, command

FAST = ("--rate", "0")
HOME_VARIABLES = ("HOME", "PROXYCTL_STATE_DIR", "PROXYCTL_CONFIG")


def run(stage: Scene, *arguments: str, env: Mapping[str, str] | None = None, shell: str = 'exec "$@"') -> Ran:
    """Run a process in surroundings of its own."""
    process = subprocess.Popen(
        ["sh", "-c", shell, "sh", *command(*arguments)],
        env=dict(stage.cli.environ if env is None else env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return end(stage, process)


def homeless(stage: Scene, **others: str) -> dict[str, str]:
    """The environment without a word about where files are."""
    return environment(stage, {**dict.fromkeys(HOME_VARIABLES, ""), **others})


def below_a_file(stage: Scene) -> str:
    """A directory that nobody can make, root included."""
    path = stage.directory / "file"
    path.touch()
    return str(path / "home")


# Homes


def test_without_a_home_reading_works_and_a_write_needs_no_history(stage: Scene) -> None:
    def without(*arguments: str) -> Ran:
        return end(stage, drive(stage, "homeless=", *arguments, env=homeless(stage)))

    assert without("service", "list").rows[0]["sid"] == stage.service
    refused = without(*stage.add(*FAST))
    assert refused.code == 2
    assert "home" in refused.error["message"]
    assert "--no-history" in refused.error["hint"]
    assert stage.writes == []
    done = without(*stage.add(*FAST, "--no-history"))
    assert done.code == 0, done.err
    assert stage.pool() == stage.everything()


@pytest.mark.parametrize("place", ["HOME", "PROXYCTL_STATE_DIR", "history"])
def test_where_state_can_not_be_written_reading_works_and_a_write_says_so(
    stage: Scene, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No home, no state directory, or locks without a history: --no-history goes on, with a warning at most."""
    env, named = dict(stage.cli.environ), below_a_file(stage)
    if place == "history":
        state = Path(env["PROXYCTL_STATE_DIR"])
        state.mkdir(mode=0o700, exist_ok=True)
        (state / "history").touch()
        named = str(state / "history")
    elif place == "HOME":
        env = homeless(stage)
        monkeypatch.setenv("HOME", named)  # it is the process's own that counts
    else:
        env = homeless(stage, HOME=env["HOME"], PROXYCTL_STATE_DIR=named)
    cli = copy(stage.cli)
    cli.environ = env
    assert cli("service", "list", "-o", "ids").out == f"{stage.service}\n"
    refused = cli(*stage.add(*FAST))
    assert refused.code == 1
    for text in (named, "--no-history", "PROXYCTL_STATE_DIR"):
        assert text in refused.err
    assert cli(*stage.add("--dry-run")).code == 0
    assert stage.writes == []
    done = cli(*stage.add(*FAST, "--no-history"))
    assert (done.code, "no lock" in done.err) == (0, place != "history"), done.err
    assert stage.pool() == stage.everything()
    assert cli("history", "list").code in (0, 1)


# Cron


def cron(stage: Scene, *arguments: str) -> Ran:
    """Run as cron would: no terminal, next to no environment, credentials from the config."""
    config = Path(stage.cli.environ["PROXYCTL_CONFIG"])
    config.parent.mkdir(mode=0o700, exist_ok=True)
    environ = stage.cli.environ
    config.write_text(
        f'default_profile = "prod"\n[profiles.prod]\naccount_sid = "{environ["TWILIO_ACCOUNT_SID"]}"\n'
        f'auth_token_command = "cat {stage.directory / "secret"}"\nbase_url = "{environ["PROXYCTL_BASE_URL"]}"\n'
    )
    config.chmod(0o600)
    (stage.directory / "secret").write_text(environ["TWILIO_AUTH_TOKEN"] + "\n")
    home = Path(environ["HOME"])
    (home / ".config").mkdir(parents=True, exist_ok=True)
    kept = {name: environ[name] for name in ("PATH", "HOME", "PROXYCTL_CONFIG")}
    return run(stage, *arguments, env=kept, shell='exec setsid "$@"')


def test_cron_is_silent_on_success(stage: Scene) -> None:
    for verb in ("add", "reserve", "reserve"):
        assert cron(stage, *stage.verb(verb, *FAST, "--quiet")) == Ran(0, "", "")
    assert cron(stage, *stage.verb("remove", *FAST, "--quiet", "--yes")) == Ran(0, "", "")
    assert stage.pool() == {}
    kept = list(Path(stage.cli.environ["HOME"]).rglob("*.jsonl"))
    assert len(kept) == 4, "the run that found nothing to do is kept too"


def test_cron_hears_of_each_failure_and_a_summary(stage: Scene) -> None:
    stage.fill(stage.numbers[:-3], reserved=False)
    ran = cron(stage, *stage.verb("reserve", *FAST, "--quiet"))
    assert ran.code == 6
    assert ran.out == ""
    lines = ran.err.splitlines()
    for number, line in zip(stage.numbers[-3:], lines, strict=False):
        assert line.startswith(f"{number['phone_number']}: failed: ")
        assert "--add" in line
    assert f"reserved {len(stage.numbers) - 3}, failed 3" in lines[3]
    assert len(lines) == 5  # the last says what to do


# Words and terminals

ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("names", [("LC_ALL",), tuple(ASCII)])
def test_any_locale_prints_any_name(stage: Scene, names: Sequence[str]) -> None:
    sid = stage.new_service("caf\u00e9\u2003\u4e2d-\U0001f600")
    env = environment(stage, {name: ASCII[name] for name in names})
    for output in ("table", "json"):
        ran = run(stage, "service", "list", "-o", output, env=env)
        assert ran.code == 0, ran.err
        assert sid in ran.out
        if output == "json":
            assert ran.json[-1]["unique_name"] == "caf\u00e9\u2003\u4e2d-\U0001f600"
            assert ran.out.isascii()
    missing = run(stage, "service", "show", "caf\u00e9\u2003\u4e2d", env=env)
    assert missing.code == 4
    assert "Traceback" not in missing.err


@pytest.mark.parametrize(
    "changes",
    [
        {"TERM": "dumb"},
        {"COLUMNS": "1"},
        {"COLUMNS": "x"},
        {"TERM": ""},
        {"NO_COLOR": "1", "COLUMNS": "100000"},
    ],
)
def test_any_terminal_shows_a_table_and_a_progress_bar(stage: Scene, changes: dict[str, str]) -> None:
    stage.cli.environ.update(changes)
    with Terminal(stage, *stage.add(*FAST)) as terminal:
        assert terminal.end() == 0
    assert "added 40" in " ".join(terminal.text.split())
    with Terminal(stage, "number", "list", stage.service, "--limit", "3") as terminal:
        assert terminal.end() == 0
    shown = "".join(terminal.text.split())
    there = any(
        number["phone_number"] in shown for number in stage.numbers
    )  # added side by side: in any order
    assert there or changes.get("COLUMNS") == "1"
    if "NO_COLOR" in changes or changes.get("TERM") == "dumb":
        assert "\x1b[3" not in terminal.text
    if changes.get("TERM") == "dumb":
        assert terminal.text.isascii()


@pytest.mark.parametrize("variable", ["NO_COLOR", "FORCE_COLOR"])
def test_a_pipe_gets_no_colour_unless_forced(stage: Scene, variable: str) -> None:
    ran = run(stage, "service", "list", "-o", "tsv", env=environment(stage, {variable: "1", "TERM": "xterm"}))
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err


# Files and disks


@pytest.mark.parametrize("umask", ["000", "777"])
def test_whatever_the_umask_nobody_else_reads_what_is_kept(stage: Scene, umask: str) -> None:
    failed = stage.directory / "run" / "failed.txt"
    ran = run(stage, *stage.add(*FAST, "--failed-to", str(failed)), shell=f'umask {umask}; exec "$@"')
    assert ran.code == 0, ran.err
    kept = [Path(stage.cli.environ["PROXYCTL_STATE_DIR"]), *(stage.directory / "run").rglob("*")]
    assert len([path for path in kept if path.is_file()]) >= 3
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    stage.keeps_its_promises(stage.add(*FAST), stage.everything())


@pytest.mark.parametrize("limit", ["disk", "file size"])
def test_a_history_that_can_no_longer_be_written_stops_the_run(stage: Scene, limit: str) -> None:
    """It sends nothing more, and the next one goes on."""
    line = stage.add(*FAST, "--concurrency", "4")
    if limit == "disk":
        ran = changed(stage, "full=21", *line)
    else:
        ran = run(stage, *line, "-o", "jsonl", shell='ulimit -f 8; exec "$@"')
    assert ran.code == 1
    assert ran.error["kind"] == "output"
    assert "history" in ran.error["message"]
    counts = ran.counts
    assert 1 <= counts["added"] < len(stage.numbers)
    assert counts == {"added": counts["added"], "skipped": len(stage.numbers) - counts["added"]}
    committed = [entry for entry in stage.ledger.effects if entry.method == "POST"]
    assert len(committed) == counts["added"]
    assert set(stage.pool()) == {json.loads(entry.answer or b"")["sid"] for entry in committed}
    shown = histories(stage)[0]
    announced = {item["phone_number"] for item in shown["items"]}
    assert {dict(entry.form)["PhoneNumber"] for entry in committed} <= announced
    stage.keeps_its_promises(stage.add(*FAST), stage.everything())


def test_a_disk_that_fills_up_at_the_very_end_costs_no_report(stage: Scene) -> None:
    # The first line of the record, an intent and an outcome for each number, and no room for the end.
    ran = changed(stage, f"full={1 + 2 * len(stage.numbers)}", *stage.add(*FAST))
    assert ran.code == 1
    assert ran.counts == {"added": len(stage.numbers)}
    assert "could not be recorded" in ran.error["message"]
    assert f"added {len(stage.numbers)}, failed 0" in ran.err
    stage.keeps_its_promises(stage.add(*FAST), stage.everything())


def test_a_disk_that_fills_up_under_a_single_write(stage: Scene) -> None:
    ran = changed(stage, "full=1", "service", "create", "second")
    assert ran.code == 1
    assert "nothing was sent" in ran.error["message"]
    assert (ran.out, stage.writes) == ("", [])
    ran = changed(stage, "full=2", "service", "create", "second")
    assert ran.code == 1
    assert ran.rows[0]["unique_name"] == "second"
    assert "could not be recorded" in ran.error["message"]
    assert [item["state"] for item in histories(stage)[0]["items"]] == ["unknown"]
