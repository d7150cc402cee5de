"""What holds for every command that makes a run, row by row of the table in `verbs.py`.

A command that makes a run and has no row fails the first test.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.faults import Scripted
from proxyctl.state.lock import hold
from tests.battery.driver import die, hit_at
from tests.battery.front import SECRET
from tests.battery.scene import scene
from tests.contract.account import Account
from tests.contract.verbs import NO_RUNS, VERBS, Verb
from tests.support import Ran, StandingClock, all_commands

OF_A_RUN = {"--dry-run", "--yes", "--no-history", "--lock-wait", "--confirm-profile", "--timeout", "--output"}
WRITES = ("POST", "DELETE")
FORMATS = ("json", "jsonl", "csv", "tsv", "ids", "table")


def test_every_command_that_makes_a_run_has_a_row() -> None:
    declared = {
        " ".join(node.path): {name for option in node.options for name in option.names}
        for node in all_commands()
    }
    runs = {name for name, options in declared.items() if "--no-history" in options}
    lines = [f"{verb.line} " for verb in VERBS.values()]
    missing = {name for name in runs if not any(line.startswith(f"{name} ") for line in lines)}
    assert not missing, f"tests/contract/verbs.py has no row for {missing}: add a stage, and what it leads to"
    assert {name for name, options in declared.items() if "--dry-run" in options} == runs | NO_RUNS
    lacking = {name: OF_A_RUN - declared[name] for name in runs if not declared[name] >= OF_A_RUN}
    assert not lacking, "every command that makes a run takes these options"


@pytest.fixture(params=VERBS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """The stage of each row; afterwards the secret is nowhere, and no traceback was shown."""
    with scene(tmp_path, 8) as stage:
        stage.cli.clock = StandingClock()
        yield Account(stage, VERBS[request.param])
        stage.left_no_trace()


def for_rows(wanted: Callable[[Verb], object]) -> pytest.MarkDecorator:
    """Run a test for some of the rows."""
    return pytest.mark.parametrize("account", [name for name in VERBS if wanted(VERBS[name])], indirect=True)


# Before anything is sent


def test_it_asks_where_it_is_destructive_and_nowhere_else(account: Account) -> None:
    if account.verb.destructive:
        refused = account.run(confirmed=False)
        assert (refused.code, "--yes" in refused.err) == (2, True), refused.err
        for answer in ("no\n", "", "yes\n" if account.verb.typed != "yes" else "\n"):
            assert account.run(confirmed=False, tty=True, stdin=answer).code == 2
        account.is_untouched()
    answer = f"{account.verb.typed}\n" if account.verb.destructive else ""
    asked = account.run(confirmed=False, tty=True, stdin=answer)
    assert asked.code == 0, asked.err
    assert ACCOUNT_SID in asked.err or not account.verb.destructive, "it says whose account it is"
    account.is_done()
    again = account.run(confirmed=False)
    assert again.code == account.verb.again, "where nothing is left to do, nothing is asked"


def test_a_protected_account_wants_the_name_of_a_profile(account: Account) -> None:
    """Every other verb is run with credentials that belong to no profile."""
    used = ("-p", "prod") if list(VERBS.values()).index(account.verb) % 2 else ()
    with protected(account, used):
        for options in ((), ("--confirm-profile", "Prod"), ("--confirm-profile", "")):
            refused = account.run(*options)
            assert (refused.code, "--confirm-profile prod" in refused.err) == (2, True), refused.err
        assert account.run(tty=True, stdin="Prod\n").code == 2
        assert account.run("--dry-run").code == 0
        account.is_untouched()
        assert account.run(tty=True, stdin="prod\n").code == 0
        account.is_done()
        for name in ("prod", "third"):
            assert account.run("--confirm-profile", name).code == account.verb.again


@contextlib.contextmanager
def protected(account: Account, used: tuple[str, ...]) -> Iterator[None]:
    """Two profiles protect the account, whatever credentials are ``used``, for the length of the block."""
    cli = account.scene.cli
    config = Path(cli.environ["PROXYCTL_CONFIG"])
    config.parent.mkdir(mode=0o700)
    config.touch(mode=0o600)
    table = f'account_sid = "{ACCOUNT_SID}"\nauth_token = "{SECRET}"\n'
    if url := cli.environ.get("PROXYCTL_BASE_URL"):
        table += f'base_url = "{url}"\n'
    config.write_text(
        f"[profiles.other]\n{table}[profiles.prod]\n{table}protected = true\n"
        f"[profiles.third]\n{table}protected = true\n[profiles.unprotected]\n{table}protected = false\n"
    )
    cli.options = used
    yield
    cli.options = ()
    config.unlink()  # the secret is in it


@pytest.mark.parametrize("name", ["history", "locks"])
def test_state_that_is_a_link_is_refused(account: Account, name: str) -> None:
    """Others may have put it there. What it leads to is neither read nor written."""
    directory = Path(account.scene.cli.environ["PROXYCTL_STATE_DIR"])
    directory.mkdir(mode=0o700, exist_ok=True)
    place, elsewhere = directory / name, directory.parent / "elsewhere"
    if place.exists():
        place.rename(elsewhere)
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    kept = sorted(elsewhere.iterdir())
    place.symlink_to(elsewhere)
    refused = account.run()
    assert (refused.code, f"Run: rm {place}" in refused.err) == (2, True), refused.err
    account.is_untouched()
    assert sorted(elsewhere.iterdir()) == kept


def test_a_dry_run_sends_and_keeps_nothing_and_ends_as_the_run(account: Account) -> None:
    """Each verb in two of the formats, in turn, and in JSON Lines."""
    kept = account.files()
    for form in FORMATS[list(VERBS.values()).index(account.verb) % 3 :: 3]:
        dry = account.run("--dry-run", "-o", form, confirmed=False)
        assert dry.code == 0, dry.err
        assert dry.out and "Nothing was sent" in dry.err
    rows = account.run("--dry-run", "-o", "jsonl", confirmed=False).rows
    assert account.run("--dry-run", "--requests", "-o", "jsonl", confirmed=False).rows[0]["method"] in WRITES
    quiet = account.run("--dry-run", "-q", confirmed=False)
    assert (quiet.out, quiet.err) == ("", "")
    assert account.run("--requests").code == 2, "it goes with --dry-run"
    assert account.files() == kept
    account.is_untouched()
    ran = account.run("-o", "jsonl")
    assert ran.code == 0
    if ran.rows and "action" in ran.rows[0]:
        wanted = [{**row, "action": would(row["action"]), "sid": None} for row in ran.rows]
        assert [{**row, "sid": None} for row in rows] == wanted, "rows as those of the run"


def would(action: str) -> str:
    """The word of a dry run for what a run did."""
    stem = action.removesuffix("d")
    return action if action == "unchanged" else f"would_{'add' if action == 'added' else stem}"


@for_rows(lambda verb: verb.items)
def test_a_file_without_a_number_is_refused(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "numbers"
    for text in ("", "# none today\n", "phone_number,is_reserved\n", "[]"):
        file.write_text(text)
        for options in ((), ("--dry-run",)):
            refused = account.run(*options, "-o", "json", file=str(file))
            assert (refused.code, refused.out) == (2, ""), refused.err
            assert "(rule empty-input)" in refused.error["message"]
            assert refused.error["hint"].endswith("--allow empty-input permits it.")
        assert account.run("--allow", "empty-input", file=str(file)).code == 0
        assert account.run(file="-", stdin=text).code == 0, "an empty stdin is none"
    account.is_untouched()


@for_rows(lambda verb: verb.items)
def test_rows_of_another_account_or_service_are_bad(account: Account, tmp_path: Path) -> None:
    file, own = tmp_path / "numbers.csv", account.services()["masking"]
    rows = account.rows(account.verb.items)

    def ran(account_sid: str, service_sid: str) -> Ran:
        """The last row says whose it is."""
        lines = [f"{row['phone_number']},,\n" for row in rows[:-1]]
        lines.append(f"{rows[-1]['phone_number']},{account_sid},{service_sid}\n")
        file.write_text("phone_number,account_sid,service_sid\n" + "".join(lines))
        return account.run(file=str(file))

    place = f"\n{file}:{len(rows) + 1}: "
    foreign = ran("AC" + "0" * 32, own)
    assert (foreign.code, f"{place}account_sid" in foreign.err) == (2, True), foreign.err
    if not account.verb.line.startswith(("number add", "number webhooks", "messaging attach")):
        foreign = ran(ACCOUNT_SID, "KS" + "f" * 32)
        assert (foreign.code, f"{place}service_sid" in foreign.err) == (2, True), foreign.err
    account.is_untouched()
    assert ran(ACCOUNT_SID, own).code == 0
    account.is_done()


@for_rows(lambda verb: verb.locks)
def test_a_held_lock_is_7_at_once(account: Account) -> None:
    locks = account.directory / "locks"
    with hold(locks, ACCOUNT_SID, [account.services()["masking"]], "a test"):
        ran = account.run("-o", "json")
    assert (ran.code, ran.error["kind"]) == (7, "locked"), ran.err
    assert "pid" in ran.error["message"] and "--lock-wait" in ran.error["hint"]
    assert account.scene.cli.clock.monotonic() <= 1.0
    account.is_untouched()


# Carried out, and again


def test_the_second_run_sends_nothing_and_rows_are_the_same_in_every_format(account: Account) -> None:
    earlier = account.runs()
    file = account.scene.directory / "summary.json"
    first = account.run("-o", "json", "--summary-json", str(file))
    assert first.code == 0, first.err
    summary = json.loads(file.read_text())
    assert (summary["exit_code"], summary["error"], summary["counts"]["failed"]) == (0, None, 0)
    assert summary["counts"]["changed"] > 0 and summary["verb"] == account.runs()[0]["verb"]
    account.is_done()
    runs = account.runs()
    assert {run["exit_code"] for run in runs} == {0}
    items = [item for run in runs if run not in earlier for item in account.items(run["id"])]
    sent = len(account.scene.ledger.effects)
    assert [(item["state"], item["request_id"][:2]) for item in items] == [("done", "RQ")] * sent
    account.scene.ledger.clear()
    again = {form: account.run("-o", form) for form in FORMATS}
    assert {ran.code for ran in again.values()} == {account.verb.again}, again["json"].err
    assert account.state() == account.verb.after
    if account.verb.converges:
        assert account.scene.ledger.effects == []
        later = account.runs()[: -len(runs)]
        assert account.scene.writes or {run["changed"] for run in later} <= {0}, "kept, as what it was"
    if account.verb.rows:
        check_formats(again)


def check_formats(ran: dict[str, Ran]) -> None:
    """Every format has the same rows, and their fields in the same order."""
    rows = ran["json"].json if isinstance(ran["json"].json, list) else [ran["json"].json]
    assert [list(row) for row in ran["jsonl"].rows] == [list(row) for row in rows]
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        header, *lines = csv.reader(io.StringIO(ran[form].out), delimiter=delimiter)
        assert header == [name for name in rows[0] if name in header]
        assert len(lines) == len(rows)
    assert ran["ids"].lines == [row["sid"] or row["input"] for row in rows]
    assert len(ran["table"].lines) >= len(rows)


@for_rows(lambda verb: verb.items or verb.sessions)
def test_what_failed_is_written_so_that_it_feeds_back(account: Account, tmp_path: Path) -> None:
    turned_away: list[Request] = []

    def once(request: Request) -> Response | None:
        if request.method == "GET" or turned_away:
            return None
        turned_away.append(request)
        return problem(ApiError(20001, "not today", status=400))

    account.scene.front.answer = once
    failed = tmp_path / "failed"
    assert account.run("--failed-to", str(failed)).code == 6
    assert failed.stat().st_mode & 0o777 == 0o600
    account.scene.heal()
    rest = tmp_path / "rest"
    again = account.run("--failed-to", str(rest), file=str(failed))
    assert again.code == 0, again.err
    assert rest.read_text() == "", "now all are as wanted"
    account.is_done()


# Faults


@pytest.mark.parametrize("fault", ["reset", "503-after", "garbage-null"])
def test_answers_that_are_lost_before_and_after_the_effect(account: Account, fault: str) -> None:
    account.scene.script(*(Scripted(fault, method, times=2) for method in ("POST", "DELETE")))
    ran = account.run()
    if not account.verb.verified:
        assert ran.code == (0 if fault == "garbage-null" else 7), "the answer is the user's to read"
        return
    assert ran.code == 0, ran.err
    account.is_done()
    account.sends_no_more()


ROWS: dict[str, int] = {}  # of each command that was rehearsed


@pytest.mark.parametrize("point", ["intended", "answered", "told"])
def test_killed_the_same_command_continues(account: Account, point: str) -> None:
    line = account.verb.line
    if line not in ROWS:
        ROWS[line] = len(account.run("--dry-run", "-o", "jsonl").rows)
    child = account.start(lambda: hit_at(point, die(2 if ROWS[line] > 1 else 1)))
    assert account.killed(child), "it was not killed"
    again = account.run()
    assert again.code in (0, account.verb.again), again.err
    account.is_done()
    account.sends_no_more()


def test_undo_and_undo_of_the_undo(account: Account) -> None:
    verb = account.verb
    assert account.run().code == 0
    back = verb.back or (verb.after if verb.undone else verb.before)
    for code, wanted in ((verb.undone, back), (0, verb.forth or verb.after)):
        last = next(run["id"] for run in account.runs() if run["changed"])
        line = ("history", "undo", last, "--yes", *verb.back_by)
        undone = account.scene.run(*line)
        assert (undone.code, account.state()) == (code, wanted), undone.err
        if verb.undone:
            return
        account.scene.ledger.clear()
        again = account.scene.run(*line)
        assert (again.code, account.scene.writes) == (0, []), again.err
