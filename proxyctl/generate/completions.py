"""What completion reads: the command tree as lines of text, and the scripts for the three shells."""

from __future__ import annotations

from proxyctl.completion.answer import SHELLS, script
from proxyctl.completion.tree import FILE
from proxyctl.generate.topics import TOPICS
from proxyctl.generate.walk import Node, Parameter

SCRIPTS = {"bash": "proxyctl.bash", "zsh": "_proxyctl", "fish": "proxyctl.fish"}
# What completes a value, by its name in the help, or by the parameter's own name.
BY_VALUE = {"SERVICE": "service", "NUMBER": "number", "FILE": "file", "DIR": "directory"}
BY_NAME = {"profile": "profile", "confirm_profile": "profile", "method": "GET|POST|DELETE"}


def files(root: Node) -> dict[str, str]:
    """Return the files of completion: path from the repository's root, and text."""
    found = {f"completions/{SCRIPTS[shell]}": script(shell) for shell in SHELLS}
    found[f"proxyctl/completion/{FILE}"] = "".join(f"{line}\n" for line in tree_lines(root))
    return found


def tree_lines(root: Node) -> list[str]:
    """Write the tree as `proxyctl.completion.tree` reads it: commands, and below each what it takes."""
    lines = []
    for node in root.walk():
        lines.append(f"{node.command_line}\t{node.summary}")
        for parameter in (*node.arguments, *options_of(node)):
            star = "*" if parameter.repeatable else ""
            lines.append(f"\t{' '.join(parameter.names)}\t{kind_of(node, parameter)}{star}\t{parameter.help}")
    return lines


def options_of(node: Node) -> list[Parameter]:
    """Return the options of a command; for a group also those that may stand before the subcommand."""
    from proxyctl.commands.options import HOISTED

    own = list(node.options)
    if node.is_group:
        known = {name for option in own for name in option.names}
        for option in (option for below in node.walk() for option in below.options):
            if option.names[0] in HOISTED and option.names[0] not in known:
                own.append(option)
                known.update(option.names)
    return own


def kind_of(node: Node, parameter: Parameter) -> str:
    """Return what completes a value of this parameter: '' for a flag."""
    if not parameter.value:
        return ""
    if parameter.choices:
        return "|".join(parameter.choices)
    value = parameter.value.removesuffix("...").strip("[]…")
    if value == "TOPIC":
        return "|".join(("topic", *TOPICS))
    if node.path[:1] == ("profile",) and parameter.is_argument:
        return "profile"
    if "|" in value:
        return value
    return BY_NAME.get(parameter.name) or BY_VALUE.get(value, "text")
