"""The root of the command tree: which command lives in which module."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import typer

from proxyctl import __version__
from proxyctl.commands.tree import Entry, command_of, root_group

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
