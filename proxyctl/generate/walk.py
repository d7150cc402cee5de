"""The command tree as data: each command with its arguments, options, defaults and examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from proxyctl.commands.tree import root_command
from proxyctl.generate.parameters import Parameter, examples_of, paragraphs_of, parameter_of


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
        tuple(parameter_of(parameter) for parameter in parameters),
        children,
    )
