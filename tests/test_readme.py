"""README against the program: each command line in it parses, each code and variable exists, and the reverse."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from proxyctl.commands.tree import hoist, root_command
from proxyctl.errors import EXIT_CODE_MEANINGS
from proxyctl.writes.guard import RULES
from tests.support import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
ROOT = root_command()
# Read by others, or of no interest to users: the completion protocol, and a switch of the tests.
INTERNAL = {"PROXYCTL_COMPLETE"}


def command_lines() -> Iterator[str]:
    """Each `proxyctl …` of the code blocks and of inline code, without what follows in the shell line."""
    blocks = re.findall(r"```(?:sh|console|crontab|ini)\n(.*?)```", README, re.S)
    texts = [line for block in blocks for line in block.splitlines()]
    texts += re.findall(r"`(proxyctl [^`\n]+)`", README)
    for text in texts:
        text = re.sub(r"\s#\s.*", "", text)
        for part in re.split(r"&&|\||;|\$\(|\)\"|(?<= )&(?=$)", text):
            found = re.search(r"(?:^|[\s/\"])proxyctl (.*)", part.strip())
            if (found and not found[1].startswith(("-", "sandbox -"))) or (found and "-" in found[1][:3]):
                yield re.sub(r"[<>].*", "", found[1]).strip()


LINES = sorted(set(command_lines()))


def test_there_are_command_lines() -> None:
    assert len(LINES) > 30


@pytest.mark.parametrize("line", LINES)
def test_command_line_exists(line: str) -> None:
    words = hoist([word for word in shlex.split(line) if word != "…"])
    command, context = ROOT, None
    while words and hasattr(command, "list_commands"):
        if words[0].startswith("-"):
            break
        name = words.pop(0)
        inner = command.get_command(context, name)
        assert inner is not None, f"there is no command {name!r} in {line!r}"
        command = inner
        words = hoist(words) if hasattr(command, "list_commands") else words
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word):
            assert word.partition("=")[0] in known | {"-h", "--help"}, f"{word} in {line!r}"


def test_every_command_is_told() -> None:
    for name in ROOT.list_commands(None):
        assert f"proxyctl {name}" in README or f"`{name}" in README or f"{name} " in README, name


def test_exit_codes_are_those_of_the_program() -> None:
    table = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", README, re.M))
    assert table == {str(int(code)): meaning for code, meaning in EXIT_CODE_MEANINGS.items()}


def test_rules_are_those_of_the_program() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", README, re.M) == list(RULES)


def test_variables_exist_and_are_told() -> None:
    told = set(re.findall(r"\b(?:PROXYCTL|TWILIO)_[A-Z_]+[A-Z]\b", README))
    sources = "".join(path.read_text() for path in (REPOSITORY / "proxyctl").rglob("*.py"))
    known = set(re.findall(r"\bPROXYCTL_[A-Z_]+[A-Z]\b", sources)) - INTERNAL
    twilio = {
        f"TWILIO_{name}" for name in ("ACCOUNT_SID", "AUTH_TOKEN", "API_KEY", "API_SECRET", "REGION", "EDGE")
    }
    assert told == known | twilio
