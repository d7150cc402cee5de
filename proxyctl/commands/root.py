"""The root of the command tree: which command lives in which module, and how a command line is parsed and run."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer

from proxyctl import __version__
from proxyctl.commands.options import HOISTED
from proxyctl.commands.tree import Entry, NoArgsIsHelpError, ParsingError, command_of, root_group, unequal
from proxyctl.errors import HelpShown, UsageError

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

LONGEST_MESSAGE = 400  # of the parser, which repeats what was typed

# Each command, the module that declares it, and the line that help shows without importing it.
COMMANDS = {
    "service": ("service.declare", "Create, list, show, update and delete Services."),
    "number": (
        "number.declare",
        "Add, reserve, release, remove, list, find, drain and move phone numbers.",
    ),
    "pool": ("pool.declare", "See, declare and keep whole pools: status, export, plan, apply, audit."),
    "messaging": (
        "messaging.declare",
        "Check and fill the Messaging Service of a pool's US numbers (A2P 10DLC).",
    ),
    "auth": ("auth.declare", "Log in, log out, and see which credentials win."),
    "profile": ("auth.profile", "List, choose and remove profiles."),
    "config": ("auth.config", "Read and change the config file."),
    "history": ("history.declare", "See what was changed, by whom and when, and take it back."),
    "sandbox": ("sandbox.declare", "An emulated Twilio Proxy, to try and to rehearse with."),
    "api": ("api.declare", "Send any other request, with the same auth and retries."),
    "explain": ("explain", "Say what a code means and what to do: Twilio's, HTTP's or an exit code."),
    "doctor": ("doctor", "Check config, credentials, state, network and terminal."),
    "completion": ("completion", "Print the script that lets bash, zsh or fish complete proxyctl."),
    "help": ("help", "Show the help of a command, or of a topic such as exit-codes."),
}


def root_command() -> Any:
    """Return the root of the command tree."""
    entries = {name: Entry(summary, partial(load, name)) for name, (_, summary) in COMMANDS.items()}
    return root_group(
        entries,
        show_version,
        name="proxyctl",
        help="Administer Twilio Proxy: Services and their pools of phone numbers.",
        epilog="Start with:\n  proxyctl sandbox demo\n",
    )


def load(name: str) -> Any:
    """Import the module of a command and make it."""
    module, summary = COMMANDS[name]
    return command_of(import_module(f"proxyctl.commands.{module}").app, name, summary)


def show_version(ctx: typer.Context, parameter: Any, value: bool) -> None:
    """Print the version and leave."""
    if value and not ctx.resilient_parsing:
        ctx.obj.stdout.write(f"proxyctl {__version__}\n")
        raise typer.Exit


def run(arguments: list[str], runtime: Runtime) -> None:
    """Parse and carry out the command line; errors come out as ProxyctlError."""
    command = root_command()
    try:
        with command.make_context("proxyctl", unequal(arguments), obj=runtime) as context:
            command.invoke(context)
    except ParsingError as error:
        raise usage(error, runtime) from None
    except typer.Exit as leave:
        if leave.exit_code:
            raise UsageError("nothing was done.") from None
    except (typer.Abort, EOFError):
        raise UsageError("not confirmed: nothing was sent.") from None


def usage(error: Any, runtime: Runtime) -> UsageError:
    """Turn the parser's error into ours, with the command to ask for help."""
    if isinstance(error, NoArgsIsHelpError):
        runtime.console.write_error(error.ctx.get_help() + "\n")
        return HelpShown("no subcommand was given.")
    message = " ".join(error.format_message().split())
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}..."
    elsewhere = "Other commands take this option; here it has no meaning, so leave it out. "
    hint = elsewhere if getattr(error, "option_name", None) in HOISTED else ""
    return UsageError(message, hint=f"{hint}See '{error.ctx.command_path if error.ctx else 'proxyctl'} -h'.")
