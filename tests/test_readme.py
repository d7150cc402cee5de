"""README is short, and each command line in it and in the help topics parses (`tests/golden` runs transcripts)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from proxyctl.commands.tree import hoist, root_command
from proxyctl.help import topics
from tests.support import REPOSITORY, each

README = (REPOSITORY / "README.md").read_text()
FOLDER = Path(topics.__file__).with_name("topics")
TOPICS = {name: (FOLDER / f"{name}.txt").read_text() for name in topics.TOPICS}
ROOT = root_command()


def command_lines() -> Iterator[str]:
    """Each `proxyctl …` of code and of quoted text, without what follows in the shell line."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README, re.S)
    blocks += [line for text in TOPICS.values() for line in re.findall(r"(?m)^    .*(?:\n        .*)*", text)]
    lines = [line for block in blocks for line in re.sub(r"\\\n\s+", "", block).splitlines()]
    lines += re.findall(r"`(proxyctl [^`\n]+)`", README)
    lines += [line for text in TOPICS.values() for line in re.findall(r"'(proxyctl [^'\n]+)'", text)]
    for line in lines:
        for part in re.split(r"&&|\||;|\$\(|\)\"", re.sub(r"\s#\s.*", "", line)):
            if found := re.match(r"(?:\$ |source <\()?\s*proxyctl (-*[a-z].*)", part.strip()):
                yield re.sub(r"[<>)&].*", "", found[1]).strip()


LINES = sorted(set(command_lines()))


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_there_are_command_lines() -> None:
    assert len(LINES) > 60


@each(LINES)
def test_command_line_exists(line: str) -> None:
    words = hoist(shlex.split(line))
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


def test_readme_and_topics_have_every_command() -> None:
    text = README + "".join(TOPICS.values())
    for name in ROOT.list_commands(None):
        assert f"proxyctl {name}" in text or f"'{name} " in text, name


def test_readme_names_every_topic() -> None:
    table = README[README.index("| `proxyctl help` |") :]
    assert re.findall(r"`([a-z0-9-]+)`", "".join(re.findall(r"(?m)^\| (`.*?) \|", table)))[0:] == list(TOPICS)


def test_help_names_every_topic() -> None:
    assert f"Topics of 'proxyctl help': {', '.join(TOPICS)}." in (ROOT.epilog or "")
