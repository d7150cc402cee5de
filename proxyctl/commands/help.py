"""`proxyctl help`: the help of any command, and the topics that concern many of them."""

import typer

from proxyctl.commands.options import argument, command
from proxyctl.commands.tree import root_command
from proxyctl.errors import UsageError
from proxyctl.help.pages import Node
from proxyctl.runtime import Runtime
from proxyctl.text import did_you_mean


@command("help")
def show_help(
    runtime: Runtime,
    topic: list[str] = argument(
        "[TOPIC]...", "A command, such as 'number reserve', or a topic.", default_factory=list
    ),
) -> None:
    """Show the help of a command or a topic.

    'proxyctl -h' lists the commands and the topics.

    Examples:
      proxyctl help number reserve
      proxyctl help options
      proxyctl help exit-codes
    """
    from proxyctl.help import pages, topics

    if len(topic) == 1 and topic[0] in topics.TOPICS:
        lines = topics.as_lines(topics.topic(topic[0]))
    else:
        lines = pages.page(node_of(topic, topics.TOPICS))
    pages.show(runtime, lines)


def command_tree() -> Node:
    """Return the whole tree of proxyctl."""
    root = root_command()
    return Node(typer.Context(root, info_name="proxyctl", **root.context_settings))


def node_of(words: list[str], topics: tuple[str, ...]) -> Node:
    """Return the command that ``words`` name. Raises UsageError, with what is near."""
    node = command_tree()
    for position, word in enumerate(words):
        group = node.context.command
        word = group.full_name(word) if node.names else word
        if word not in node.names:
            from proxyctl.commands.mistakes import command_meant, question

            near = command_meant(words[position:], group.entries) if node.names else None
            raise UsageError(
                f"There is no help about {' '.join(words[: position + 1])!r}."
                f"{question(near) or did_you_mean(word, () if position else topics)}",
                hint=f"The topics are {', '.join(topics)}. '{node.command_line} -h' lists the commands.",
            )
        node = node.child(word)
    return node
