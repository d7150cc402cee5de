"""The root of the command tree: which command lives in which module."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import typer

from proxyctl import __version__
from proxyctl.commands.tree import LazyCommand, LazyGroup


class Root(LazyGroup):
    """`proxyctl` itself."""

    table: ClassVar[Mapping[str, LazyCommand]] = {
        "service": LazyCommand(
            "proxyctl.commands.service.declare", "Create, list, show, update and delete Services."
        ),
        "number": LazyCommand(
            "proxyctl.commands.number.declare",
            "Add, reserve, release, remove, list, find, drain and move phone numbers.",
        ),
        "pool": LazyCommand(
            "proxyctl.commands.pool.declare",
            "See, declare and keep whole pools: status, export, plan, apply, audit.",
        ),
        "messaging": LazyCommand(
            "proxyctl.commands.messaging.declare",
            "Check and fill the Messaging Service of a pool's US numbers (A2P 10DLC).",
        ),
        "auth": LazyCommand(
            "proxyctl.commands.auth.declare", "Log in, log out, and see which credentials win."
        ),
        "profile": LazyCommand("proxyctl.commands.auth.profile", "List, choose and remove profiles."),
        "config": LazyCommand("proxyctl.commands.auth.config", "Read and change the config file."),
        "history": LazyCommand(
            "proxyctl.commands.history.declare", "See what was changed, by whom and when, and take it back."
        ),
        "sandbox": LazyCommand(
            "proxyctl.commands.sandbox.declare", "An emulated Twilio Proxy, to try and to rehearse with."
        ),
        "api": LazyCommand(
            "proxyctl.commands.api.declare", "Send any other request, with the same auth and retries."
        ),
        "explain": LazyCommand(
            "proxyctl.commands.explain",
            "Say what a code means and what to do: Twilio's, HTTP's or an exit code.",
        ),
        "doctor": LazyCommand(
            "proxyctl.commands.doctor", "Check config, credentials, state, network and terminal."
        ),
        "completion": LazyCommand(
            "proxyctl.commands.completion", "Print the script that lets bash, zsh or fish complete proxyctl."
        ),
        "help": LazyCommand(
            "proxyctl.commands.help", "Show the help of a command, or of a topic such as exit-codes."
        ),
    }


app = typer.Typer(
    cls=Root,
    help="Administer Twilio Proxy: Services and their pools of phone numbers.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def show_version(ctx: typer.Context, value: bool) -> None:
    """Print the version and leave."""
    if value:
        ctx.obj.stdout.write(f"proxyctl {__version__}\n")
        raise typer.Exit


@app.callback(epilog="Start with:\n  proxyctl sandbox demo\n")
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Administer Twilio Proxy: Services and their pools of phone numbers."""
