"""What each rule of the guard refuses of each command, and what permits it, row by row of the table in `rules.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.writes.guard import BULK, EMPTY_INPUT, RULES
from tests.battery.scene import scene
from tests.contract.account import Account
from tests.contract.rules import ELSEWHERE, REFUSED, UNCONCERNED, Refused
from tests.contract.verbs import Verb
from tests.support import Ran, StandingClock, all_commands

RUN_RULES = ("no-unreserved", "lose-half")
EMPTY = {command for command in RULES[EMPTY_INPUT].commands if command in BULK}


def test_every_rule_has_a_row_for_every_command_that_it_names() -> None:
    named = {
        (rule, command) for rule, one in RULES.items() for command in one.commands if rule != EMPTY_INPUT
    }
    assert named == {*REFUSED, *ELSEWHERE}


def test_every_command_that_makes_a_run_is_concerned_or_says_that_it_is_not() -> None:
    runs = {
        " ".join(node.path)
        for node in all_commands()
        if any("--no-history" in option.names for option in node.options)
    }
    lines = [row.line for row in REFUSED.values()]
    for command in runs - UNCONCERNED:
        empty = command.removeprefix("number ") in EMPTY
        assert empty or any(line.startswith(command) for line in lines), (
            f"tests/contract/rules.py lacks {command}"
        )
    takes = {
        " ".join(node.path)
        for node in all_commands()
        if any("--allow" in option.names for option in node.options)
    }
    assert takes == (runs - {"api"}) | {"pool plan"}, "--allow is an option of every run"


class Stage:
    """An account at the start of a row, and its command."""

    def __init__(self, rule: str, row: Refused, directory: Path, account: Account) -> None:
        self.rule, self.row, self.account = rule, row, account
        self.empty = directory / "empty.txt"

    def run(self, *options: str, **settings: object) -> Ran:
        return self.account.run(*options, **settings)  # type: ignore[arg-type]

    @property
    def refusal(self) -> tuple[int, dict[str, object]]:
        """How the run ends, and the state then."""
        state = self.row.partly
        if state is None:
            return 5, self.started
        return (5 if len(self.row.items or "ab") == 1 else 6), dict(state)

    @property
    def permit(self) -> list[str]:
        rules = (self.rule, *self.row.also)
        return self.row.permit.split() or [word for rule in rules for word in ("--allow", rule)]

    def set(self) -> None:
        """Bring the account to the start of the row."""
        row = self.row
        if row.earlier is not None:
            self.carry_out(*row.earlier)
            self.account.run_id = self.account.runs()[0]["id"]
            if row.then is not None:
                self.carry_out(*row.then)
            self.account.set(row.meanwhile)
        self.account.scene.ledger.clear()
        self.started = dict(self.account.state())

    def carry_out(self, line: str, items: str) -> None:
        """An earlier run."""
        file = self.account.scene.file(self.account.rows(items))
        assert self.account.scene.run(*line.split(), "-f", file, "--yes").code == 0


@pytest.fixture(params=sorted(REFUSED), ids=" ".join)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    rule, _ = request.param
    row = REFUSED[request.param]
    with scene(tmp_path, 8) as found:
        found.cli.clock = StandingClock()
        verb = Verb(row.line, row.before, row.file or row.after, row.items, destructive=True, typed=row.typed)
        stage = Stage(rule, row, tmp_path, Account(found, verb))
        stage.set()
        yield stage
        found.left_no_trace()


def test_it_is_refused_with_the_option_that_permits_it(stage: Stage) -> None:
    """--yes permits nothing; a dry run ends alike, and sends nothing."""
    code, state = stage.refusal
    dry = stage.run("--dry-run", confirmed=False)
    assert (dry.code, stage.account.scene.writes) == (code, []), dry.err
    ran = stage.run()
    assert (ran.code, stage.account.state()) == (code, state), ran.err
    assert f"rule {stage.rule}" in ran.err or stage.rule in ran.err
    assert " ".join(stage.permit[:2]) in ran.err, ran.err
    again = stage.run()
    assert (again.code, stage.account.state()) == (code, state), again.err


def test_it_is_carried_out_where_that_is_permitted(stage: Stage) -> None:
    ran = stage.run(*stage.permit)
    wanted = 6 if stage.row.judged else 0
    assert (ran.code, stage.account.state()) == (wanted, stage.row.after), ran.err
    if stage.row.judged:
        assert "80611" in ran.err, "the API decides"


@pytest.mark.parametrize(
    "stage",
    sorted(pair for pair in REFUSED if not REFUSED[pair].permit),
    ids=" ".join,
    indirect=True,
)
def test_a_question_names_the_rule_and_a_yes_permits_it(stage: Stage) -> None:
    before = stage.started
    declined = stage.run(confirmed=False, tty=True, stdin="no\n")
    assert (declined.code, stage.account.state()) == (2, before), declined.err
    for rule in (stage.rule, *stage.row.also):
        assert f"rule {rule}" in " ".join(declined.err.split()), "in lines as wide as a terminal"
    ran = stage.run(confirmed=False, tty=True, stdin=f"{stage.row.typed}\n")
    assert (ran.code, stage.account.state()) == (6 if stage.row.judged else 0, stage.row.after), ran.err


@pytest.mark.parametrize("command", sorted(EMPTY))
def test_a_file_without_a_number_is_refused(command: str, tmp_path: Path) -> None:
    with scene(tmp_path, 3) as found:
        found.fill(found.numbers, reserved=False)
        empty = tmp_path / "empty.txt"
        empty.write_text("# none today\n")
        line = ["number", command, "masking", "-f", str(empty)]
        if command == "move":
            found.new_service("other")
            line = ["number", "move", "--from", "masking", "--to", "other", "-f", str(empty)]
        if command == "webhooks":
            line.append("--proxy")
        refused = found.run(*line)
        assert (refused.code, "--allow empty-input permits it" in refused.err) == (2, True), refused.err
        assert found.run(*line, "--allow", EMPTY_INPUT).code == 0
        assert found.writes == []
