"""Options, arguments and help: shared ones on either side of the subcommand, typos, numbers, and `-h` everywhere."""

from __future__ import annotations

import pytest

from proxyctl.commands.options import duration
from proxyctl.commands.tree import hoist, unequal
from proxyctl.generate.walk import command_tree
from tests.support import Cli

SHARED = (
    *("--profile", "--sandbox", "--verbose", "--quiet", "--timeout", "--retries", "--color"),
    *("--output", "--fields", "--no-header"),
)
WRITING = ("--dry-run", "--yes", "--confirm-profile", "--no-history", "--lock-wait")


def test_every_command_answers_h_without_a_config_or_credentials(bare: Cli) -> None:
    nodes = list(command_tree().walk())
    assert len(nodes) > 20
    for node in nodes:
        for flag in ("-h", "--help"):
            ran = bare(*node.path, flag, environ={"PROXYCTL_CONFIG": "/dev/null/none"})
            assert (ran.code, ran.err) == (0, ""), node.path
            usage, _, text = ran.out.partition("\n")
            assert usage.startswith(f"Usage: {node.command_line}"), node.path
            assert "{" not in usage and "default: 0]" not in ran.out, node.path
            assert "Traceback" not in text and "\x1b" not in text
            assert max(map(len, ran.out.splitlines())) <= 110, node.path
        assert node.summary, node.path


def test_every_command_of_the_api_takes_the_shared_options() -> None:
    for node in command_tree().walk():
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
        ("service get x", "See 'proxyctl service -h'."),
        ("number realease a", "Did you mean 'release'?"),
        ("service list --limt 3", "(Possible options: --limit, "),
        ("service list --Name x", "(Possible options: --name)"),
        ("number list --unreservd a", "--unreserved"),
        ("--outptu json service list", "(Possible options: --output)"),
        ("--hlep", "(Possible options: --help)"),
        ("--limit 3 service list", "No such option: --limit."),
        ("service list -x", "No such option: -x"),
        ("help -y", "it has no meaning"),
        ("service list more", "more"),
        ("service list -o jsn", "'table', 'tsv', 'json', 'jsonl', 'csv', 'ids'"),
        ("service list --limit", "--limit"),
        ("service list --fields", "--fields"),
        ("service show", "SERVICE"),
        ("number show a", "NUMBER"),
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


def test_a_group_alone_shows_its_help_as_an_error(bare: Cli) -> None:
    for words in ((), ("service",), ("number",), ("sandbox",)):
        ran = bare(*words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("Usage: proxyctl") and "Commands:" in ran.err


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
