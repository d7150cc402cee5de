"""What the program's texts promise exists: the options, commands and rules that they name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from proxyctl.writes.guard import RULES
from tests.sources import SOURCES, nodes
from tests.support import REPOSITORY, all_commands

TREE = {" ".join(node.path): node for node in all_commands()}
OPTIONS = {path: {name for option in node.options for name in option.names} for path, node in TREE.items()}
OTHERS = {"--version", "--check"}  # of proxyctl itself, and of `.ci/generate`
GOLDEN = REPOSITORY / "tests" / "golden"


def literals(path: Path) -> Iterator[str]:
    """Yield the texts of a file; what a program puts into one is a word in capitals."""
    if path.suffix != ".py":
        yield path.read_text()
        return
    for node in nodes(path):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "VALUE" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named_options(text: str) -> list[str]:
    return re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)


def test_options_commands_and_rules_that_texts_name_are_there() -> None:
    known = {*OTHERS, *(name for names in OPTIONS.values() for name in names)}
    for path in SOURCES:
        source = path.read_text()  # comments too
        assert set(named_options(source)) <= known, path
        assert set(re.findall(r"--allow ([a-z]+-[a-z-]+)", source)) <= RULES.keys(), path


def test_commands_that_texts_quote_take_their_options() -> None:
    quoted = [
        command
        for path in SOURCES
        for text in literals(path)
        for command in re.findall(r"(?m)(?:^ +|')proxyctl ([a-z][^'\n|>#]+)", text)
    ]
    assert len(quoted) > 100
    for command in quoted:
        words = command.split()
        while words and " ".join(words) not in OPTIONS:
            words.pop()
        assert words, f"there is no command {command!r}"
        assert set(named_options(command)) <= OPTIONS[" ".join(words)] | OTHERS, command


def test_refusals_end_with_the_option_that_permits_them() -> None:
    """In all golden files but screens, whose lines are cut; not in rows, or in questions, where a yes permits it."""
    seen = set()
    for path in GOLDEN.glob("[rw]*s/*.txt"):
        text = re.sub(r"\n!   (?!.*\(rule)", " ", path.read_text())  # a hint joins its error
        for rules, hint in re.findall(r"(?m)^! (?!  ).*\(rules? ([a-z, -]+)\)(.*)", text):
            for rule in rules.split(", "):
                assert re.search(f"--allow {rule}|--through-messaging|Messaging Service first", hint), hint
                seen.add(rule)
    assert seen >= RULES.keys()
