"""`proxyctl help`: the help of any command, and the topics that belong to no single one."""

from typing import Annotated, Any

import typer

from proxyctl.commands.options import argument
from proxyctl.errors import UsageError
from proxyctl.text import did_you_mean

app = typer.Typer(
    epilog="""Examples:
  proxyctl help number reserve
  proxyctl help exit-codes

Topics: first-steps, setup, profiles, bulk, cron, pool-files, a2p, rules, leaving, emulator,
troubleshooting, exit-codes, formatting, environment.
"""
)


@app.command("help")
def show_help(
    ctx: typer.Context,
    topic: Annotated[
        list[str] | None,
        argument("[TOPIC]...", "A command, such as 'number reserve', or a topic."),
    ] = None,
) -> None:
    """Show the help of a command, or of a topic: exit codes, environment, output formats, rules."""
    from proxyctl.generate import topics
    from proxyctl.render.output import Output

    words = topic or []
    if len(words) == 1 and words[0] in topics.TOPICS:
        text = topics.as_text(topics.topic(words[0]))
    else:
        text = context_of(ctx.find_root(), words, topics.TOPICS).get_help()
    Output("tsv", stdout=ctx.obj.stdout).text(text)


def context_of(root: Any, words: list[str], topics: tuple[str, ...]) -> Any:
    """Return the context of the command that ``words`` name. Raises UsageError, with what is near."""
    context = root
    for position, word in enumerate(words):
        names = getattr(context.command, "entries", {})
        if word not in names:
            near = did_you_mean(word, [*names, *(() if position else topics)])
            raise UsageError(
                f"there is no help about {' '.join(words[: position + 1])!r}.{near}",
                hint=f"The topics are {', '.join(topics)}; '{context.command_path} -h' lists the commands.",
            )
        command = context.command.get_command(context, word)
        context = typer.Context(command, parent=context, info_name=word, **command.context_settings)
    return context
