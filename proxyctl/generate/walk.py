"""The command tree as data: each command with its texts, arguments, options, defaults and examples."""

from __future__ import annotations

import typer

from proxyctl.commands.tree import root_command
from proxyctl.generate.nodes import Node as Node


def command_tree() -> Node:
    """Return the whole tree of proxyctl."""
    root = root_command()
    return Node(typer.Context(root, info_name="proxyctl", **root.context_settings))
