"""The command tree as data: each command with its arguments, options, defaults and examples.

Read from Typer's parameters and never from the text of --help, whose wording changes between its versions.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from proxyctl.commands.tree import root_command

OPTIONS = "Options"


@dataclass(frozen=True)
class Parameter:
    """An argument or option as a reader sees it. ``value`` stands for what follows an option, '' for nothing."""

    names: tuple[str, ...]  # as typed; none for an argument
    value: str
    help: str
    default: str
    required: bool
    repeatable: bool
    panel: str

    @property
    def is_argument(self) -> bool:
        return not self.names


@dataclass(frozen=True)
class Node:
    """A command or group. ``path`` is empty for the root; ``examples`` are the command lines of the epilog."""

    path: tuple[str, ...]
    summary: str
    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]
    remarks: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    children: tuple[Node, ...]

    @property
    def command_line(self) -> str:
        return " ".join(("proxyctl", *self.path))

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.is_argument)

    @property
    def options(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if not parameter.is_argument)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def command_tree() -> Node:
    """Return the whole tree of proxyctl."""
    return node_of(root_command(), None, ())


def node_of(command: Any, parent: Any, path: tuple[str, ...]) -> Node:
    """Return what is known of ``command``, and of all commands below it."""
    name = path[-1] if path else "proxyctl"
    context = typer.Context(command, parent=parent, info_name=name, **command.context_settings)
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    below = ((each, command.get_command(context, each)) for each in names)
    children = tuple(node_of(found, context, (*path, each)) for each, found in below if not found.hidden)
    summary, *paragraphs = paragraphs_of(command.help or "")
    examples, remarks = examples_of(command.epilog or "")
    parameters = (p for p in command.get_params(context) if not getattr(p, "hidden", False))
    return Node(
        path,
        summary,
        tuple(paragraphs),
        examples,
        remarks,
        tuple(parameter_of(parameter, context) for parameter in parameters),
        children,
    )


def paragraphs_of(text: str) -> list[str]:
    """Split a docstring into paragraphs, each on one line."""
    return [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n") if part.strip()] or [""]


def examples_of(epilog: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split an epilog into its indented lines, which are command lines, and the paragraphs of the rest."""
    lines = epilog.splitlines()
    examples = tuple(line.strip() for line in lines if line.startswith(" "))
    rest = "\n".join(line for line in lines if not line.startswith(" ") and not line.endswith(":"))
    return examples, tuple(" ".join(part.split()) for part in rest.split("\n\n") if part.strip())


def parameter_of(parameter: Any, context: Any) -> Parameter:
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
        default=default_of(parameter, context),
        required=parameter.required,
        repeatable=parameter.nargs == -1
        or bool(getattr(parameter, "multiple", False) or getattr(parameter, "count", 0)),
        panel=getattr(parameter, "rich_help_panel", None) or ("Arguments" if argument else OPTIONS),
    )


def default_of(parameter: Any, context: Any) -> str:
    """Return the default as one would type it, '' where there is none to speak of."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    if value is None or value is False or value == [] or getattr(parameter, "count", False):
        return ""
    if value is True:
        return str(parameter.opts[0])
    return str(value)
