"""Options, arguments and help: shared ones on either side of the subcommand, typos, numbers, and `-h` everywhere."""

from __future__ import annotations

import re
import shlex

import pytest

from proxyctl.commands.mistakes import FORMATS as MEANT_FORMATS
from proxyctl.commands.mistakes import OPTIONS, VERBS, WORDS
from proxyctl.commands.options import duration
from proxyctl.commands.tree import hoist, root_command, unequal
from proxyctl.console import FORMATS
from tests.support import Cli, all_commands

SHARED = (
    *("--profile", "--sandbox", "--verbose", "--quiet", "--timeout", "--retries", "--color"),
    *("--output", "--fields", "--no-header"),
)
WRITING = ("--dry-run", "--yes", "--confirm-profile", "--no-history", "--lock-wait")


def test_every_command_answers_h_without_a_config_or_credentials(bare: Cli) -> None:
    nodes = list(all_commands())
    assert len(nodes) > 20
    for node in nodes:
        for flag in ("-h", "--help"):
            ran = bare(*node.path, flag, environ={"PROXYCTL_CONFIG": "/dev/null/none"})
            assert (ran.code, ran.err) == (0, ""), node.path
            usage, _, text = ran.out.partition("\n")
            assert usage.startswith(f"Usage: {node.command_line}"), node.path
            assert "{" not in usage and "default: 0]" not in ran.out, node.path
            assert "Traceback" not in text and "\x1b" not in text
            rows = [row for row in ran.out.splitlines() if row[:1] != " " or " proxyctl " not in row]
            assert max(map(len, rows)) <= 80, node.path
        assert node.paragraphs[0], node.path


def test_every_command_has_examples_that_parse() -> None:
    for node in all_commands():
        assert node.examples, node.path
        for example in node.examples:
            found = re.search(r"(?:^|[|(] ?)proxyctl ([^|>)]*)", example)
            assert found, example
            words, command, path = shlex.split(found[1]), root_command(), []
            while hasattr(command, "entries"):
                path.append(words.pop(0))
                command = command.get_command(None, path[-1])
            assert node.children or tuple(path) == node.path, example
            assert path[: len(node.path)] == [*node.path], example
            command.make_context("proxyctl", unequal(words))


def test_every_first_line_is_short_and_every_help_plain() -> None:
    for node in all_commands():
        assert len(node.paragraphs[0]) <= 90 and node.paragraphs[0].endswith("."), node.paragraphs[0]
        for text in (node.paragraphs[0], *node.paragraphs, *(one.help for one in node.parameters)):
            assert ";" not in text, text
            assert max(len(part.split()) for part in re.split(r"(?<=[.:]) ", text)) <= 20, text


def test_every_command_of_the_api_takes_the_shared_options() -> None:
    for node in all_commands():
        there = {name for option in node.options for name in option.names}
        if node.path == ("api",) or (
            len(node.path) == 2 and node.path[0] in ("service", "number", "messaging")
        ):
            assert there >= set(SHARED), node.path
        if "--no-history" in there:  # it makes a run
            assert there >= {*SHARED, *WRITING}, node.path


def test_shared_options_stand_on_either_side(either: Cli) -> None:
    either.ok("service", "create", "a", "-q")
    ways = (
        "service list -o json --fields unique_name -q",
        "-o json service list --fields unique_name",
        "-ojson --fields=unique_name service list",
        "-q service -o=json --fields unique_name list",
        "-qvo json service list --fields unique_name",
        "--output=json service list -vqv --fields unique_name --timeout 5",
        "--timeout 5 --retries 0 --color never service list -o json --fields=unique_name",
        "service list -o tsv -o json --fields unique_name",
        "-o tsv service list -o json --fields unique_name",
    )
    for way in ways:
        assert either.ok(*way.split()).json == [{"unique_name": "a"}], way


def test_hoisting_leaves_the_rest_alone() -> None:
    assert hoist(["-p", "x", "service", "list"]) == ["service", "-p", "x", "list"]
    assert hoist(["-vpx", "service"]) == ["service", "-vpx"]
    assert hoist(["-vp", "x", "service"]) == ["service", "-vp", "x"]
    assert hoist(["--help", "-q", "service"]) == ["--help", "service", "-q"]
    assert hoist(["-q"]) == hoist(["-p"]) == [], "there is no subcommand, which is what help is shown for"
    assert hoist(["-", "x"]) == ["-", "x"]
    assert hoist(["-qx", "service"]) == ["-qx", "service"]
    assert hoist([]) == []
    assert hoist(["--", "-q"]) == ["--", "-q"]
    assert unequal(["-o=json", "-d=a=b", "--x=y", "-", "--", "-o=json"]) == [
        *("-ojson", "-da=b", "--x=y", "-", "--", "-o=json")
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("servcie list", "Did you mean 'service'?"),
        ("service crate x", "Did you mean 'create'?"),
        ("service LIST", "Did you mean 'list'?"),
        ("service get x", "Did you mean 'show'?"),
        ("service nonsense x", "See 'proxyctl service -h'."),
        ("number realease a", "Did you mean 'release'?"),
        ("service list --limt 3", "Did you mean '--limit'?"),
        ("service list --Name x", "Did you mean '--name'?"),
        ("number list --unreservd a", "--unreserved"),
        ("--outptu json service list", "Did you mean '--output'?"),
        ("--hlep", "Did you mean '--help'?"),
        ("--limit 3 service list", "No such option: --limit."),
        ("service list -x", "No such option: -x"),
        ("help -y", "This command does not use it."),
        ("service list more", "more"),
        ("service list -o jsn", "'table', 'tsv', 'json', 'jsonl', 'csv', 'ids'"),
        ("service list --limit", "--limit"),
        ("service list --fields", "--fields"),
        ("service show", "SERVICE"),
        ("config set a", "VALUE"),
        ("number add", "SERVICE"),
        ("number add a", "-f FILE"),
        ("service list -p sandbx", "sandbox"),
        ("service list --sandbox -p other", "exclude"),
        ("sandbox busy +14155550100 -1", "-1"),
        *(
            (f"service list --timeout {text}", "from 0.001 to 3600")
            for text in ("0", "-1", "nan", "1e9", "x")
        ),
        *((f"service list --retries {text}", "--retries") for text in ("-1", "101", "1.5", "nan")),
        (f"service list --limit {'9' * 5000}", "'--limit'"),
        *((f"number list a --limit {text}", "x>=1") for text in ("0", "-1")),
        *((f"sandbox seed --numbers {text}", "is not a valid int") for text in ("1.5", "1e9", "nan")),
        *((f"pool status a --fail-above {text}", "--fail-above") for text in ("-1", "100.5", "inf", "x")),
        *((f"pool status a --fail-below {text}", "--fail-below") for text in ("-1", "1.5", "x")),
        ("number list a --limit 1.5", "is not a valid int"),
        ("sandbox seed --numbers -1", "x>=0"),
        ("sandbox seed --seed x", "is not a valid int"),
        ("sandbox env --port 0", "--port"),
        ("api GET", "PATH"),
        ("api", "METHOD"),
        ("api GET /v1/Services more", "more"),
        ("service delete a --lock-wait nan", "90s"),
        ("service delete a --lock-wait 1e9", "90s"),
    ],
)
def test_mistakes_are_answered_with_what_was_likely_meant(cli: Cli, line: str, words: str) -> None:
    ran = cli(*line.split())
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err and len(ran.err) < 600
    assert ran.err.startswith("proxyctl: ")


def test_a_mistake_is_json_too_where_that_was_asked_for(cli: Cli) -> None:
    for line in (
        "service list --limt 3 -o json",
        "-o json servcie",
        "--output=jsonl service list --retries x",
    ):
        ran = cli(*line.split())
        assert ran.code == 2
        assert (ran.error["kind"], ran.error["exit_code"]) == ("usage", 2)
        assert "-h" in ran.error["hint"]
    assert cli("servcie", environ={"PROXYCTL_OUTPUT": "json"}).error["exit_code"] == 2


def test_a_group_alone_prints_its_help(bare: Cli) -> None:
    for words in ((), ("service",), ("number",), ("sandbox",), ("-q",), ("number", "--sandbox")):
        ran = bare(*words)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("Usage: proxyctl") and "Commands:" in ran.out


EVERYWHERE = ("--profile", "--sandbox", "--verbose", "--quiet", "--timeout", "--retries", "--color")


def test_every_command_takes_the_options_of_all() -> None:
    for node in all_commands():
        there = {name for option in node.options for name in option.names}
        assert node.children or there >= {*EVERYWHERE, "-p", "-v", "-q"}, node.path
        assert "--all" not in there or "-A" in there, node.path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("number delete", "'remove'"),
        ("service destroy", "'delete'"),
        ("service describe", "'show'"),
        ("profile switch", "'use'"),
        ("config edit", "'set'"),
        ("login", "'auth login'"),
        ("logout", "'auth logout'"),
        ("undo", "'history undo'"),
        ("version", "'--version'"),
        ("numbers", "'number'"),
        ("list numbers", "'number list'"),
        ("--sandbox -p x list numbers", "'number list'"),
        ("get services", "'service list'"),
        ("get service x", "'service show'"),
        ("ls", "'service list'"),
        ("ls numbers", "'number list'"),
        ("rm service", "'service delete'"),
        ("number get", "'show'"),
        ("history log", "'list'"),
        ("config view", "'list'"),
        ("profiles:list", "'profile list'"),
        ("help login", "'auth login'"),
        ("help number delete", "'remove'"),
        ("help crno", "'cron'"),
        ("service list --all", "all rows are printed"),
        ("service list -n 5", "'--limit N'"),
        ("create service", "'service create'"),
        ("delete number", "'number remove'"),
        ("describe service x", "'service show'"),
        ("api:proxy:v1:services:list", "'service list'"),
        ("api:proxy:v1:services:phone-numbers:create", "'number add'"),
        ("phone-numbers:list", "'number list'"),
        ("service list --json", "'-o json'"),
        ("--json service list", "'-o json'"),
        ("service list --no-limit", "all rows are printed"),
        ("service list --query x", "'--fields A,B,C'"),
        ("number remove a --force", "'--yes'"),
        ("number list --service-sid x", "Write the Service without an option"),
        ("service list --no-color", "'--color never'"),
        ("service list -o yaml", "'json'"),
        ("service list -o cvs", "'csv'"),
    ],
)
def test_words_of_other_tools_are_answered_with_ours(bare: Cli, line: str, words: str) -> None:
    ran = bare(*line.split())
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


@pytest.mark.parametrize("line", ["secret", "sesame x", "zzz", "number list --last"])
def test_a_word_that_is_only_a_little_like_another_gets_no_suggestion(bare: Cli, line: str) -> None:
    ran = bare(*line.split())
    assert (ran.code, "Did you mean" in ran.err) == (2, False), ran.err


def test_every_command_takes_the_account_on_either_side(bare: Cli) -> None:
    """With -h, the rest of the command line is parsed, and nothing else happens."""
    account = ("--sandbox", "-p", "x", "--profile=x", "-px")
    for node in all_commands():
        for position in range(len(node.path) + 1) if not node.children else ():
            words = [*node.path[:position], *account, *node.path[position:], "-h"]
            ran = bare(*words)
            assert (ran.code, ran.err) == (0, ""), words
            assert ran.out.startswith(f"Usage: {node.command_line}"), words


def test_suggestions_are_commands_that_exist() -> None:
    paths = {" ".join(node.path) for node in all_commands()}
    assert set(WORDS.values()) - {"--version"} <= paths
    verbs = {path.split()[-1] for path in paths if " " in path}
    assert {verb for found in VERBS.values() for verb in found} <= verbs
    names = {name for node in all_commands() for one in node.options for name in one.names}
    assert {found.split()[0] for found in OPTIONS.values() if not found.endswith(".")} <= {*names, "-vv"}
    assert all(found in FORMATS for found in MEANT_FORMATS.values())


def test_ls_and_rm_are_hidden_names(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    assert cli.ok("service", "ls", "-o", "ids").out == cli.ok("service", "list", "-o", "ids").out
    (number,) = cli.seed(1)
    cli.ok("number", "add", "masking", number["sid"])
    assert cli.ok("number", "ls", "masking", "--count").out == "1\n"
    assert cli.ok("number", "ls", "-A", "--count").out == "1\n"
    cli.ok("number", "rm", "masking", number["sid"], "--yes", "--allow", "no-unreserved")
    cli.ok("service", "rm", "masking", "--yes")
    assert cli.ok("help", "service", "rm").out.startswith("Usage: proxyctl service delete")
    assert " ls" not in cli.ok("service", "-h").out and cli("pool", "rm").code == 2


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("service list --limt 3", ["proxyctl service list --limt", "                      ^^^^^^"]),
        ("service list --limt=3", ["proxyctl service list --limt", "                      ^^^^^^"]),
        ("number delete +1415", ["proxyctl number delete", "                ^^^^^^"]),
        ("service list -o yaml", ["proxyctl service list -o yaml", "                         ^^^^"]),
        ("service list more b", ["proxyctl service list more", "                      ^^^^"]),
        ("service \x1b[31m", ["proxyctl service '\\x1b[31m'", "                  ^^^^^^^^"]),
    ],
)
def test_a_mistake_at_a_terminal_is_pointed_at(bare: Cli, line: str, shown: list[str]) -> None:
    ran = bare(*line.split(), tty=True, environ={"NO_COLOR": "1"})
    assert ran.code == 2
    rows = [row[2:] for row in ran.err.splitlines()]
    start = next(index for index, row in enumerate(rows) if row.startswith("proxyctl "))
    assert rows[start : start + 2] == shown
    assert "^" not in bare(*line.split()).err


def test_what_stands_behind_a_mistake_is_not_repeated(bare: Cli) -> None:
    ran = bare("auth", "login", "--auth-token", "hunter2secret", tty=True)
    assert "--auth-token" in ran.err and "hunter2" not in ran.err
    for line in ("auth login --auth-token=hunter2secret", "api GET /v1/Services --token=hunter2secret"):
        assert "hunter2" not in bare(*line.split(), tty=True).err


def test_a_long_command_line_is_cut_before_its_mistake(bare: Cli) -> None:
    names = [f"masking-number-{index}" for index in range(30)]
    rows = bare("number", "list", *names, "--limt", "3", tty=True, environ={"NO_COLOR": "1"}).err.splitlines()
    assert max(map(len, rows)) <= 80
    assert rows[1].endswith("--limt") and rows[2].endswith("^^^^^^") and len(rows[1]) == len(rows[2])


def test_the_version_needs_nothing(bare: Cli) -> None:
    for flag in ("--version", "-V"):
        ran = bare(flag)
        assert (ran.code, ran.err) == (0, "") and ran.out.startswith("proxyctl ")


def test_hostile_words_are_shown_harmless(cli: Cli) -> None:
    for arguments in (
        ("\x1b[31m",),
        ("service", "\u202ex"),
        ("service", "list", "--\x1b[2J"),
        ("service", "show", "\x9b"),
    ):
        ran = cli(*arguments)
        assert ran.code in (2, 4) and not set(ran.err) & set("\x1b\u202e\x9b")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("7d", 604800), ("45", 45), ("0.5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds
