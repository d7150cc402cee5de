"""A command as a reader sees it: texts, arguments, options, defaults and examples; and the page that `-h` prints of it.

They are read from Typer's parameters and never from the text of --help, whose wording changes between its versions.
Options that many commands share follow by name alone, since `proxyctl help options` describes them once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import typer

from proxyctl.commands.options import SHARED_PANELS
from proxyctl.roles import Line, Part, Piece, Role, line, size

WIDEST = 100
MOST_NAMES = 30  # columns of a name that its description stands beside
BLANK = line()


@dataclass(frozen=True)
class Parameter:
    """An argument or option as a reader sees it. ``value`` stands for what follows an option, '' for nothing."""

    names: tuple[str, ...]  # as typed; none for an argument
    value: str
    help: str
    default: str
    required: bool
    panel: str

    @property
    def is_argument(self) -> bool:
        return not self.names


@dataclass(frozen=True)
class Node:
    """A command or group. Its parts are read when they are asked for: the commands of a group have to be imported."""

    context: Any

    @property
    def command_line(self) -> str:
        return str(self.context.command_path)

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the command and its group; empty for the root."""
        return tuple(self.command_line.split()[1:])

    @cached_property
    def paragraphs(self) -> list[str]:
        """The summary and what is said besides, each on one line."""
        text = inspect.cleandoc(self.context.command.help or "")
        return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()] or [""]

    @property
    def examples(self) -> list[str]:
        """The command lines of the epilog, which are indented."""
        return [line.strip() for line in self._epilog if line.startswith(" ")]

    @property
    def remarks(self) -> list[str]:
        """The paragraphs of the rest of the epilog."""
        rest = "\n".join(line for line in self._epilog if not line.startswith(" ") and not line.endswith(":"))
        return [" ".join(part.split()) for part in rest.split("\n\n") if part.strip()]

    @property
    def _epilog(self) -> list[str]:
        return (self.context.command.epilog or "").splitlines()

    @cached_property
    def parameters(self) -> list[Parameter]:
        found = self.context.command.get_params(self.context)
        return [parameter_of(one) for one in found if not getattr(one, "hidden", False)]

    @property
    def arguments(self) -> list[Parameter]:
        return [one for one in self.parameters if one.is_argument]

    @property
    def options(self) -> list[Parameter]:
        return [one for one in self.parameters if not one.is_argument]

    @property
    def own(self) -> list[Parameter]:
        """The arguments and options that are explained with the command, and not with those that many share."""
        unshared = [one for one in self.options if one.panel not in SHARED_PANELS]
        return [*self.arguments, *(one for one in unshared if self.names or "--help" not in one.names)]

    @property
    def shared(self) -> str:
        """The names of the others."""
        return ", ".join(one.names[0] for one in self.options if one.panel in SHARED_PANELS)

    @property
    def names(self) -> Sequence[str]:
        """The names of a group's commands."""
        return tuple(getattr(self.context.command, "entries", ()))

    @cached_property
    def children(self) -> list[Node]:
        return [self.child(name) for name in self.names]

    def child(self, name: str) -> Node:
        """Return a command of a group."""
        command = self.context.command.get_command(self.context, name)
        return Node(typer.Context(command, parent=self.context, info_name=name, **command.context_settings))


def parameter_of(parameter: Any) -> Parameter:
    """Return what is known of an argument or option."""
    argument = parameter.param_type_name == "argument"
    # Typer keeps the names of --help in a set, so their order is nobody's.
    names = sorted((*parameter.opts, *parameter.secondary_opts), key=lambda name: name.startswith("--"))
    takes_value = not argument and not parameter.is_flag and not parameter.count
    metavar = (
        parameter.metavar or "|".join(getattr(parameter.type, "choices", ())) or parameter.type.name.upper()
    )
    return Parameter(
        names=() if argument else tuple(names),
        value=metavar if argument or takes_value else "",
        help=" ".join((parameter.help or "").split()),
        default=default_of(parameter),
        required=parameter.required,
        panel=getattr(parameter, "rich_help_panel", None) or ("Arguments" if argument else "Options"),
    )


def default_of(parameter: Any) -> str:
    """Return the default as one would type it, '' where there is none to speak of."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    if parameter.show_default is False or getattr(parameter, "count", False) or value in (None, False, []):
        return ""
    return str(parameter.opts[0] if value is True else value)


# The page


def show(runtime: Any, lines: Iterable[Line]) -> None:
    """Print a page to stdout: as wide as the terminal up to 100 columns, plain in a pipe."""
    from proxyctl.render.output import Output

    console = runtime.console
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
    sizes = [size(names) for names, _ in rows]
    start = 4 + max((columns for columns in sizes if columns <= MOST_NAMES), default=4)
    yield BLANK
    yield line(Role.HEADING(f"{title}:"))
    for (names, words), columns in zip(rows, sizes, strict=True):
        if columns <= MOST_NAMES:
            yield line("  ", *names, " " * (start - 2 - columns), *words, hang=start)
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
