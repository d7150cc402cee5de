"""The texts that belong to no single command, for `proxyctl help TOPIC` and section 7 of the manual alike.

A topic is a text file: its first line says what it is about; then paragraphs, `# headings`, indented lines that are
examples, and terms, each a line followed by one that starts with ': '. `{name}` on a line of its own stands for what
the program itself knows, `{ends}` for the words by which an item can end.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from proxyctl.text import in_words

TOPICS = (
    *(
        "first-steps",
        "setup",
        "profiles",
        "bulk",
        "cron",
        "pool-files",
        "a2p",
        "rules",
        "leaving",
        "emulator",
    ),
    *("troubleshooting", "exit-codes", "formatting", "environment"),
)


@dataclass(frozen=True)
class Block:
    """A piece of a topic. ``kind`` is heading, text, code or term; a term has its ``name``."""

    kind: str
    text: str
    name: str = ""


@dataclass(frozen=True)
class Topic:
    """A topic: what it is about, and its pieces."""

    summary: str
    blocks: tuple[Block, ...]


def topic(name: str) -> Topic:
    """Read one of TOPICS."""
    text = (Path(__file__).with_name("topics") / f"{name}.txt").read_text(encoding="utf-8")
    summary, _, rest = text.partition("\n")
    return Topic(summary, tuple(block for part in parts(rest) for block in expanded(part)))


def parts(text: str) -> list[str]:
    """Split at empty lines, keeping examples with empty lines in them apart."""
    return [part.strip("\n") for part in text.split("\n\n") if part.strip()]


def expanded(part: str) -> Iterator[Block]:
    """Yield the blocks of one part; what stands in braces is looked up."""
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
    from proxyctl.errors import EXIT_CODE_MEANINGS

    for code, meaning in EXIT_CODE_MEANINGS.items():
        yield Block("term", f"{meaning[:1].upper()}{meaning[1:]}.", str(int(code)))


def shapes() -> Iterator[Block]:
    """Yield the fields of each kind of row."""
    from proxyctl.render import shapes as known

    kinds = {
        "Service": known.SERVICE,
        "PhoneNumber": known.PHONE_NUMBER,
        "Result": known.RESULT,
        "Found": known.FOUND,
        "Finding": known.FINDING,
        "PoolStatus": known.POOL_STATUS,
        "Profile": known.PROFILE,
        "Planned": known.PLANNED,
        "Run": known.HISTORY,
        "Item": known.HISTORY_ITEM,
    }
    for name, shape in kinds.items():
        maps = (f"{field}: {{{', '.join(keys)}}}" for field, keys in shape.maps.items())
        yield Block("term", ". ".join((", ".join(shape.fields), *maps)) + ".", name)


def rules() -> Iterator[Block]:
    """Yield a term for each rule that --allow permits."""
    from proxyctl.writes.guard import RULES

    for name, rule in RULES.items():
        yield Block("term", f"{rule.refuses} Commands: {', '.join(rule.commands)}.", name)


KNOWN: dict[str, Callable[[], Iterator[Block]]] = {
    "exit-codes": exit_codes,
    "shapes": shapes,
    "rules": rules,
}


def as_text(found: Topic, width: int = 78) -> str:
    """Return a topic as a page for the terminal."""
    return "\n\n".join((textwrap.fill(found.summary, width), *(shown(b, width) for b in found.blocks)))


def shown(block: Block, width: int) -> str:
    """Return one block of such a page."""
    if block.kind == "heading":
        return block.text.upper()
    if block.kind == "code":
        return textwrap.indent(block.text, "    ")
    if block.kind == "term":
        text = textwrap.fill(
            block.text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
        return f"{block.name}\n{text}"
    return textwrap.fill(block.text, width, break_on_hyphens=False)
