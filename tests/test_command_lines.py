"""Commands as they are printed: a shell reads the values that went in, and the account comes first, once."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from proxyctl.commands.help import command_tree
from proxyctl.errors import ProxyctlError
from proxyctl.roles import laid_out, lines_of
from proxyctl.text import Lines, command_line, lines_in, visible, with_account
from tests.sources import MODULES, PACKAGE, nodes
from tests.support import Cli
from tests.test_texts import literals

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
HOSTILE = (
    "mask;touch${IFS}PWNED;#",
    "it's",
    "a\nb",
    "x -p x",
    "' proxyctl number list '",
    "'proxyctl number list'",
)
HOSTILE += ("`proxyctl pool list`", ": proxyctl pool list", "| proxyctl pool list", "", "'", "\x1b'\\", "$'")


def read_by_bash(command: str) -> list[str]:
    script = f"proxyctl() {{ printf '%s\\0' \"$@\"; }}; {command}"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True)
    return ran.stdout.decode().split("\0")[:-1]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(HOSTILE) | WORDS, min_size=1, max_size=4))
@example(list(HOSTILE))
def test_bash_reads_what_went_in(words: list[str]) -> None:
    command = command_line("number", "drain", *words)
    assert visible(command) == command
    assert read_by_bash(command) == ["number", "drain", *words]


@given(
    st.lists(st.sampled_from(HOSTILE) | WORDS, max_size=4),
    st.sampled_from(["-p prod", "--sandbox", "-p 'a b'"]),
)
@example(list(HOSTILE), "-p prod")
def test_the_account_comes_first_and_once_whatever_the_words_are(words: list[str], option: str) -> None:
    assume(not {"-p", "--profile", "--sandbox", "-h"} & set(words))
    command = command_line("number", "drain", *words)
    expected = command.replace("proxyctl", f"proxyctl {option}", 1)
    for text in ("{}", "  {}", "Run: {}", "'{}' waits. 'proxyctl auth login' asks.", "Or run '{}'"):
        assert with_account(text.format(command), option) == text.format(expected)
    both = f"'{command} | {command}' waits."
    assert with_account(both, option) == f"'{expected} | {expected}' waits."


@pytest.mark.parametrize("before", ["'proxyctl number ", "`proxyctl ", ": proxyctl ", "it's "])
def test_foreign_text_before_a_command_takes_no_account_from_it(before: str) -> None:
    text = f"Service {before}x is full. Run 'proxyctl number list x' first."
    assert "'proxyctl -p prod number list x' first." in with_account(text, "-p prod")


def test_only_one_function_makes_commands_of_values() -> None:
    """In no literal stands a value, or a place for one, within a command."""
    for path in MODULES:
        for text in literals(path):
            for command in re.findall(rf"(?:'|`|: |^ *)proxyctl (?:{GROUPS})\b[^'`\n.]*", text):
                assert not re.search(r"VALUE|\{\w*\}", command), (path, command)


GROUPS = "|".join(node.path[0] for node in command_tree().children)


def test_only_one_module_quotes_for_shells() -> None:
    for path in MODULES:
        for node in nodes(path):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "shlex.join":
                # What was typed, as it is recorded.
                assert path.relative_to(PACKAGE).as_posix() in TYPED, path


TYPED = {"runtime/__init__.py", "commands/mistakes.py"}


def test_with_credentials_of_the_environment_a_comment_names_the_account(either: Cli) -> None:
    either.ok("service", "create", "masking", "-q")
    fixes = [row["fix"] for row in either("pool", "audit", "--all", "-o", "json").json]
    account = either.environ.get("TWILIO_ACCOUNT_SID")
    assert fixes
    assert all(fix.endswith(f"  # account {account}") == (account is not None) for fix in fixes)
    shown = either("pool", "audit", "--all", tty=True, environ={"COLUMNS": "200"}).out
    assert (f"-f FILE  # account {account}" in shown) == (account is not None)
    hint = either("number", "drain", "masking", "+14155550100").err
    assert "# account" not in hint


# One line


def test_a_text_of_several_lines_says_so() -> None:
    """In no message, hint or note stands a line end."""
    for path in MODULES:
        for node in nodes(path):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            texts = [one.value for one in node.keywords if one.arg == "hint"]
            texts += node.args if name.endswith(("Error", "note", "warn", "say")) else []
            for text in texts:
                said = [part.value for part in ast.walk(text) if isinstance(part, ast.Constant)]
                assert not any(isinstance(part, str) and "\n" in part for part in said), (path, name)


def test_a_text_is_one_line_unless_it_says_that_it_has_more() -> None:
    error = ProxyctlError("Service x\nforged", hint=Lines("one\nforged", "two", None, Lines("three", "four")))
    assert error.message == "Service x\\nforged"
    assert error.hint is not None and lines_in(error.hint) == ["one\\nforged", "two", "three", "four"]
    assert lines_in(ProxyctlError("", hint=error.hint).hint or "") == lines_in(error.hint)
    assert laid_out(lines_of("a\nb")) == "a\\nb\n"


@given(st.text(max_size=40))
def test_no_text_makes_a_line_of_its_own(text: str) -> None:
    assert laid_out(lines_of(text)).count("\n") == 1
    assert "\n" not in ProxyctlError(text, hint=text).message
