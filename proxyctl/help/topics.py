"""The texts that belong to no single command, for `proxyctl help TOPIC` and section 7 of the manual alike.

A topic is a text file: its first line says what it is about; then paragraphs, `# headings`, indented lines that are
examples, and terms, each a line followed by one that starts with ': '. `{name}` on a line of its own stands for what
the program itself knows, `{ends}` for the words by which an item can end.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from proxyctl.commands.tree import TOPICS as TOPICS
from proxyctl.commands.tree import shared_parameters
from proxyctl.errors import ExitCode
from proxyctl.explaining import explanation_of
from proxyctl.help.pages import parameter_of, prose
from proxyctl.roles import Line, Piece, Role, line
from proxyctl.text import in_words


class Block(NamedTuple):
    """A piece of a topic. ``kind`` is heading, text, code or term; a term has its ``name``."""

    kind: str
    text: str
    name: str = ""


class Topic(NamedTuple):
    """A topic: what it is about, and its pieces."""

    summary: str
    blocks: tuple[Block, ...]


def topic(name: str) -> Topic:
    """Read one of TOPICS."""
    text = (Path(__file__).with_name("topics") / f"{name}.txt").read_text(encoding="utf-8")
    summary, _, rest = text.partition("\n")
    parts = [part.strip("\n") for part in rest.split("\n\n") if part.strip()]
    return Topic(summary, tuple(block for part in parts for block in expanded(part)))


def expanded(part: str) -> Iterator[Block]:
    """Yield the blocks of one part; a name in braces stands for what the program knows."""
    if part.startswith("{"):
        yield from KNOWN[part.strip("{}")]()
    elif part.startswith("# "):
        yield Block("heading", part[2:])
    elif part.startswith("    "):
        yield Block("code", textwrap.dedent(part))
    elif "\n: " in part:
        name, _, text = part.partition("\n: ")
        yield Block("term", " ".join(text.replace("{ends}", in_words()).split()), name)
    else:
        yield Block("text", " ".join(part.split()))


def exit_codes() -> Iterator[Block]:
    """Yield a term for each exit code."""
    for code in ExitCode:
        if found := explanation_of(code):
            yield Block("term", found.meaning, str(int(code)))


def shapes() -> Iterator[Block]:
    """Yield the fields of each kind of row."""
    from proxyctl.render.shapes import TABLES

    for table in TABLES.values():
        if "told_as" in table:
            maps = (f"{field}: {{{', '.join(keys)}}}" for field, keys in table.get("maps", {}).items())
            yield Block("term", ". ".join((", ".join(table["fields"]), *maps)) + ".", table["told_as"])


def rules() -> Iterator[Block]:
    """Yield a term for each rule that --allow permits."""
    from proxyctl.writes.guard import RULES

    for name, rule in RULES.items():
        yield Block("term", f"{rule.refuses} Commands: {', '.join(rule.commands)}.", name)


def findings() -> Iterator[Block]:
    """Yield a term for each kind of finding."""
    from proxyctl.pools.findings import KINDS

    for name, kind in KINDS.items():
        yield Block("term", f"{kind.title}. {kind.effect}".rstrip(), f"{name} ({kind.severity})")


def guesses() -> Iterator[Block]:
    """Yield what the sandbox guesses about Twilio, with the choice that was made."""
    from proxyctl.sandbox.guesses import guesses as made

    for says, choice in made():
        yield Block("term", f"{choice}.", says)


def options() -> Iterator[Block]:
    """Yield the options that many commands share, as their groups."""
    panel = ""
    for parameter in map(parameter_of, shared_parameters()):
        if parameter.panel != panel:
            yield Block("heading", panel := parameter.panel)
        default = f" Default: {parameter.default}." if parameter.default else ""
        yield Block(
            "term", parameter.help + default, f"{', '.join(parameter.names)} {parameter.value}".rstrip()
        )


KNOWN: dict[str, Callable[[], Iterator[Block]]] = {
    one.__name__.replace("_", "-"): one for one in (exit_codes, shapes, rules, findings, guesses, options)
}


def as_lines(found: Topic) -> Iterator[Line]:
    """Yield a topic as a page for the terminal."""
    yield prose(found.summary)
    for block in found.blocks:
        yield line()
        if block.kind == "heading":
            yield line(Role.HEADING(block.text.upper()))
        elif block.kind == "code":
            yield from (line("    ", Piece(row, whole=True)) for row in block.text.splitlines())
        elif block.kind == "term":
            yield line(Role.HEADING(block.name))
            yield prose(block.text, 4)
        else:
            yield prose(block.text)
