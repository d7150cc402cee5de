"""The command tree: the module of each command, the tree of Typer's classes, and the parsing of a command line.

A command is made when it is named. Options that several commands share may stand before or after the subcommand. This
is the only module that imports private names of Typer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer._click.exceptions import UsageError as ParsingError
from typer._click.shell_completion import CompletionItem, _resolve_context, _resolve_incomplete
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_from_info, get_params_convertors_ctx_param_name_from_function
from typer.models import CommandInfo

from proxyctl import __version__
from proxyctl.commands.options import EVERY, HOISTED, signed
from proxyctl.errors import UsageError

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

_SHORT_WITH_VALUE = partial(re.sub, r"^(-[A-Za-z])=", flags=re.DOTALL)

# Hidden names of commands: the first that the group has.
OTHER_NAMES = {"ls": ("list",), "rm": ("remove", "delete")}

# Each command, the module that declares it, and the line that help shows without importing it.
COMMANDS = {
    "service": ("service.declare", "Create, list, show, update and delete Services."),
    "number": ("number.declare", "Add, list, find, reserve, release, move, drain and remove phone numbers."),
    "session": ("session.declare", "Create, list, show, update, close and delete Sessions."),
    "participant": ("session.participants", "List, add and remove the participants of a Session."),
    "interaction": ("session.interactions", "List the interactions of a Session."),
    "pool": ("pool.declare", "Manage whole pools: status, audit, export, plan and apply."),
    "messaging": ("messaging.declare", "Check and fill the Messaging Service of US numbers (A2P 10DLC)."),
    "auth": ("auth.declare", "Log in, log out, and check credentials."),
    "profile": ("auth.profile", "List, choose and remove profiles."),
    "config": ("auth.config", "Read and change the config file."),
    "history": ("history.declare", "List, show and undo earlier runs."),
    "sandbox": ("sandbox.declare", "Try and rehearse commands on an emulated Twilio Proxy."),
    "api": ("api.declare", "Send any request, with the auth and retries of proxyctl."),
    "explain": ("explain", "Explain a code of Twilio, an HTTP status or an exit code."),
    "doctor": ("doctor", "Check config, credentials, state, network and terminal."),
    "completion": ("completion", "Print the completion script for bash, zsh or fish."),
    "help": ("help", "Show the help of a command or a topic."),
}

# What `proxyctl help` explains besides.
TOPICS = (
    *("first-steps", "setup", "profiles", "bulk", "cron", "pool-files", "findings", "a2p", "rules"),
    *("leaving", "busy", "emulator", "troubleshooting", "options", "exit-codes", "formatting", "environment"),
    "security",
)


def hoist(args: list[str]) -> list[str]:
    """Move shared options that stand before the subcommand to just behind it, so that one parser sees them.

    Anything else that stands there (``--help``, a typo) stays, for the group's own parser to answer.
    """
    moved: list[str] = []
    kept: list[str] = []
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        token = rest.pop(0)
        shared, takes_next = _shared(token)
        (moved if shared else kept).append(token)
        if takes_next and rest:
            moved.append(rest.pop(0))
    if not rest or rest[0] == "--":
        return kept + rest
    return [*kept, rest[0], *moved, *rest[1:]]


def _shared(token: str) -> tuple[bool, bool]:
    """Return whether ``token`` is a shared option (or several: -qv), and whether its value is the next token."""
    name, equals, _ = token.partition("=")
    if name in HOISTED:
        return True, HOISTED[name] and not equals
    if token.startswith("--"):
        return False, False
    for position, letter in enumerate(token[1:], start=2):
        if f"-{letter}" not in HOISTED:
            return False, False
        if HOISTED[f"-{letter}"]:
            return True, position == len(token)
    return len(token) > 1, False


def unequal(args: list[str]) -> list[str]:
    """Return ``args`` with ``-o=json`` as ``-ojson``: other tools take it, this parser would read ``=json``."""
    end = args.index("--") if "--" in args else len(args)
    return [_SHORT_WITH_VALUE(r"\1", token) for token in args[:end]] + args[end:]


class OwnHelp:
    """Help that is a page of `help/pages.py`."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        option.callback = show_help
        return option


def show_help(ctx: Any, parameter: Any = None, value: bool = True) -> None:
    """Print the help of a command and exit."""
    if not value or ctx.resilient_parsing:
        return
    from proxyctl.help.pages import Node, page, show

    show(ctx.obj, page(Node(ctx)))
    ctx.exit()


class ProxyctlCommand(OwnHelp, TyperCommand):
    """A command."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name arguments as the rest of the help does: NAME, where Typer writes {NAME}."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class Entry(NamedTuple):
    """A command of a group: the line that says what it is for, and what makes it when it is named."""

    summary: str
    make: Callable[[], Any]


class ProxyctlGroup(OwnHelp, TyperGroup):
    """A group that makes a command when it is named: that takes Typer a millisecond or more, and there are up to 14.

    Shared options may stand before the subcommand.
    """

    def __init__(self, entries: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(rich_markup_mode=None, **attributes)
        self.entries = entries

    def get_params(self, ctx: Any) -> Any:
        own = super().get_params(ctx)
        return [*own, *shared_parameters()] if ctx.resilient_parsing else own  # at a TAB

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.entries and cmd_name not in self.commands:
            self.commands[cmd_name] = self.entries[cmd_name].make()
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = self.full_name(args[0])
        if name not in self.entries and not ctx.resilient_parsing:
            raise NoSuchCommand(ctx, args)
        return super().resolve_command(ctx, [name, *args[1:]])

    def full_name(self, name: str) -> str:
        """Return the name of a command that also has a hidden one."""
        return next((other for other in OTHER_NAMES.get(name, ()) if other in self.entries), name)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        args = hoist(args)
        if not args:
            show_help(ctx)
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        options = super(TyperGroup, self).shell_complete(ctx, incomplete)
        return [*(CompletionItem(name, help=entry.summary) for name, entry in self.entries.items()), *options]


class NoSuchCommand(ParsingError):
    """A group has no command of this name; ``words`` are what was typed from there on."""

    def __init__(self, ctx: Any, words: list[str]) -> None:
        super().__init__(f"No such command {words[0]!r}.", ctx)
        self.words = words


def load(name: str) -> Any:
    """Import the module of a command and make it: a group, or the only command that the module declares."""
    module, summary = COMMANDS[name]
    declared = import_module(f"proxyctl.commands.{module}")
    infos = [one for one in vars(declared).values() if isinstance(one, CommandInfo)]
    if infos[0].name == name:
        return made(infos[0])
    entries = {str(info.name): Entry(summary_of(info.callback), partial(made, info)) for info in infos}
    return ProxyctlGroup(entries, name=name, help=summary, epilog=parted(declared)[1])


@cache
def made(info: CommandInfo) -> Any:
    """Let Typer make a command that was declared."""
    info.cls = ProxyctlCommand
    info.help, info.epilog = parted(info.callback)
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def parted(documented: Any) -> tuple[str, str]:
    """Return a docstring in two parts: its end are the examples."""
    text, found, examples = inspect.cleandoc(documented.__doc__).partition("\n\nExamples:\n")
    return text, found.lstrip() + examples


def summary_of(function: Any) -> str:
    """Return the first line of a docstring."""
    return str(function.__doc__).strip().partition("\n")[0]


@cache
def shared_parameters() -> list[Any]:
    """Return the options that may stand before the subcommand, for a TAB there."""
    return get_params_convertors_ctx_param_name_from_function(signed(lambda: None, lambda: None, EVERY))[0]


def under_cursor(root: Any, words: list[str], word: str) -> tuple[Any, Any, str, list[tuple[str, str]]]:
    """Ask Typer what could stand in place of ``word``, which is being typed after ``words``.

    Returns the context of the command, its parameter whose value it is (or None), what is typed of the value, and
    what Typer itself offers: commands, options, choices.
    """
    context = _resolve_context(root, {}, "proxyctl", words)
    found, word = _resolve_incomplete(context, words, word)
    offered = [(item.value, item.help or "") for item in found.shell_complete(context, word)]
    return context, None if found is context.command else found, word, offered


def root_command() -> Any:
    """Return the root of the command tree."""
    entries = {name: Entry(summary, partial(load, name)) for name, (_, summary) in COMMANDS.items()}
    version = TyperOption(
        param_decls=["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show_version,
        help="Show the version.",
    )
    return ProxyctlGroup(
        entries,
        name="proxyctl",
        help="Administer Twilio Proxy: Services and their pools of phone numbers.",
        epilog="Examples:\n  proxyctl sandbox demo\n  proxyctl auth login\n  proxyctl help number reserve\n\n"
        f"Topics of 'proxyctl help': {', '.join(TOPICS)}.\n",
        params=[version],
        context_settings={"help_option_names": ["-h", "--help"]},  # of the commands below it too
    )


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
        from proxyctl.commands.mistakes import usage_error

        raise usage_error(error, runtime) from None
    except typer.Exit as leave:
        if leave.exit_code:
            raise UsageError("nothing was done.") from None
    except (typer.Abort, EOFError):
        raise UsageError("not confirmed. Nothing was sent.") from None
