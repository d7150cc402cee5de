"""The page that `-h` prints: a command's own arguments and options in full, then examples. Options that many commands
share follow by name alone, since `proxyctl help options` describes them once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from proxyctl.help.nodes import Node, Parameter
from proxyctl.roles import Line, Part, Piece, Role, line

WIDEST = 100
MOST_NAMES = 30  # columns of a name that its description stands beside
BLANK = line()


def show(runtime: Any, lines: Iterable[Line]) -> None:
    """Print a page to stdout: as wide as the terminal up to 100 columns, plain in a pipe."""
    from proxyctl.render.output import Output

    console = runtime.console
    if color := re.search(r"--color[= ](always|never)", " ".join(runtime.argv)):  # may stand behind -h
        console.options = console.options._replace(color=color[1])
    screen = console.screen(console.terminal.stdout)._replace(width=console.width, account="")
    Output("tsv", stdout=runtime.stdout, screen=lambda: screen).lines(lines, widest=WIDEST)


def page(node: Node) -> Iterator[Line]:
    """Yield the help of a command."""
    command = node.context.command
    usage = " ".join(command.collect_usage_pieces(node.context))
    yield line(Role.HEADING("Usage:"), " ", Role.HEADING(node.command_line), f" {usage}", hang=2)
    for paragraph in node.paragraphs:
        yield BLANK
        yield prose(paragraph)
    if node.names:
        entries = command.entries.items()
        yield from section(
            "Commands", [([Role.HEADING(name)], prose(entry.summary).pieces) for name, entry in entries]
        )
    for title in dict.fromkeys(one.panel for one in node.own):
        yield from section(title, [(head(one), about(one)) for one in node.own if one.panel == title])
    if node.examples:
        yield BLANK
        yield line(Role.HEADING("Examples:"))
        yield from (line("  ", Piece(example, whole=True)) for example in node.examples)
    also = [f"Also: {node.shared}. See 'proxyctl help options'."] if node.shared else []
    for remark in [*node.remarks, *also]:
        yield BLANK
        yield prose(remark)


def prose(text: str, indent: int = 0) -> Line:
    """Return running text, in which quoted commands stay whole."""
    parts = re.split(r"('proxyctl [^']*')", text)
    pieces = [Piece(part, whole=index % 2 == 1) for index, part in enumerate(parts)]
    return Line([Piece(" " * indent), *pieces], hang=indent)


def section(title: str, rows: Sequence[tuple[Sequence[Part], Sequence[Part]]]) -> Iterator[Line]:
    """Yield a titled list: names, and beside or below each what it means."""
    sizes = [sum(len(part.text if isinstance(part, Piece) else part) for part in names) for names, _ in rows]
    start = 4 + max((size for size in sizes if size <= MOST_NAMES), default=4)
    yield BLANK
    yield line(Role.HEADING(f"{title}:"))
    for (names, words), size in zip(rows, sizes, strict=True):
        if size <= MOST_NAMES:
            yield line("  ", *names, " " * (start - 2 - size), *words, hang=start)
        else:
            yield line("  ", *names, hang=6)
            yield line(" " * start, *words, hang=start)


def head(parameter: Parameter) -> list[Part]:
    """Return the names of an argument or option as they are typed."""
    if parameter.is_argument:
        return [Role.HEADING(parameter.value)]
    names = [part for name in parameter.names for part in (", ", Role.HEADING(name))][1:]
    return [*names, " ", Role.FAINT(parameter.value)] if parameter.value else names


def about(parameter: Parameter) -> list[Part]:
    """Return what a parameter means, and its default."""
    words: list[Part] = [*prose(parameter.help).pieces]
    if parameter.required and not parameter.is_argument:
        words.append(Role.FAINT(" (required)"))
    if parameter.default:
        words.append(Role.FAINT(f" [default: {parameter.default}]"))
    return words
