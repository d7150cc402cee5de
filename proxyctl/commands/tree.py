"""How the command tree is made of Typer's classes: commands load when they are named, options that several
commands share may stand before or after the subcommand, and help is plain text grouped by purpose.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import typer
from typer._click.exceptions import NoSuchOption, UsageError
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info

from proxyctl.commands.values import did_you_mean, plain, shown

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}
_SHORT_WITH_VALUE = re.compile(r"^(-[A-Za-z])=", re.DOTALL)


def hoist(args: list[str]) -> list[str]:
    """Move shared options that stand before the subcommand to just behind it, so that one parser sees them.

    Anything else that stands there (``--help``, a typo) stays, for the group's own parser to answer.
    """
    from proxyctl.commands.options import HOISTED

    moved: list[str] = []
    kept: list[str] = []
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        token = rest.pop(0)
        shared, takes_next = _shared(token, HOISTED)
        (moved if shared else kept).append(token)
        if takes_next and rest:
            moved.append(rest.pop(0))
    if not rest or rest[0] == "--":
        return kept + rest
    return [*kept, rest[0], *moved, *rest[1:]]


def _shared(token: str, known: Mapping[str, bool]) -> tuple[bool, bool]:
    """Tell whether ``token`` is a shared option (or several: -qv), and whether its value is the next token."""
    name, equals, _ = token.partition("=")
    if name in known:
        return True, known[name] and not equals
    if token.startswith("--"):
        return False, False
    for position, letter in enumerate(token[1:], start=2):
        if f"-{letter}" not in known:
            return False, False
        if known[f"-{letter}"]:
            return True, position == len(token)
    return len(token) > 1, False


def unequal(args: list[str]) -> list[str]:
    """Return ``args`` with ``-o=json`` as ``-ojson``: other tools take it, this parser would read ``=json``."""
    end = args.index("--") if "--" in args else len(args)
    return [_SHORT_WITH_VALUE.sub(r"\1", token) for token in args[:end]] + args[end:]


def unknown_option(error: NoSuchOption, known: list[str], elsewhere: str = "") -> Exception:
    """Return the error for an option that does not exist, with the one that was likely meant."""
    name = error.option_name
    if re.fullmatch(r"-[0-9.]+", name):
        return UsageError(f"No such option '{name}': a negative number means nothing here.", ctx=error.ctx)
    suggestion = did_you_mean(name, known, cutoff=0.7) if name.startswith("--") else ""
    return UsageError(f"No such option {shown(name)}.{suggestion or elsewhere}", ctx=error.ctx)


class HelpToStdout:
    """Prints the help as any other answer goes out: to the Runtime's stdout, whatever it can hold or take."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.callback = show_help
        return option


def show_help(ctx: Any, parameter: Any, value: bool) -> None:
    """Print the help of a command and leave."""
    if not value or ctx.resilient_parsing:
        return
    from proxyctl.render.output import Output

    Output("tsv", stdout=ctx.obj.stdout).text(ctx.get_help())
    ctx.exit()


class ProxyctlCommand(HelpToStdout, TyperCommand):
    """A command whose help groups its options by the panel that each option names."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.context_settings = {**CONTEXT_SETTINGS, **self.context_settings}
        for parameter in self.params:
            parameter.type = plain(parameter.type)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = [
            name for parameter in self.get_params(ctx) for name in parameter.opts + parameter.secondary_opts
        ]
        try:
            return super().parse_args(ctx, unequal(args))
        except NoSuchOption as error:
            raise unknown_option(error, known) from None

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name arguments as the rest of the help does: NAME, where Typer writes {NAME}."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            argument = parameter.param_type_name == "argument"
            title = "Arguments" if argument else getattr(parameter, "rich_help_panel", None) or "Options"
            panels.setdefault(title, []).append(record)
        for title, records in panels.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the epilog as it is: examples keep their lines."""
        write_verbatim(self.epilog, formatter)


class ProxyctlGroup(HelpToStdout, TyperGroup):
    """A group of commands that suggests names for typos and lets shared options stand before the subcommand."""

    def __init__(self, **attributes: Any) -> None:
        attributes["no_args_is_help"] = True
        super().__init__(**attributes)
        self.context_settings = {**CONTEXT_SETTINGS, **self.context_settings}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from proxyctl.commands.options import HOISTED

        try:
            return super().parse_args(ctx, hoist(unequal(args)))
        except NoSuchOption as error:
            raise unknown_option(
                error,
                [*HOISTED, "--help"],
                elsewhere=" An option that only some commands take stands behind the command.",
            ) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            suggestion = did_you_mean(name, known, cutoff=0.5) or f" There are: {', '.join(known)}."
            ctx.fail(f"No such command {shown(name)}.{suggestion}")
        return self._click_resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with their first sentence, whole: it is wrapped, not cut."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, cmd.get_short_help_str(1000)) for name, cmd in commands if cmd and not cmd.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        write_verbatim(self.epilog, formatter)


def write_verbatim(text: str | None, formatter: Any) -> None:
    """Write ``text`` into the help with its own line breaks."""
    if text:
        formatter.write_paragraph()
        formatter.write(text.rstrip() + "\n")


class AppGroup(ProxyctlGroup):
    """The group of a Typer application. It makes a command when it is named: that takes Typer most of a
    millisecond, and there are up to nine in a group.
    """

    def __init__(self, app: typer.Typer) -> None:
        super().__init__(help=app.info.help, epilog=app.info.epilog, rich_markup_mode=None)
        self.infos = {str(info.name): info for info in app.registered_commands}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.infos)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.infos and cmd_name not in self.commands:
            info = self.infos[cmd_name]
            command = get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)
            self.commands[cmd_name] = command
        return self.commands.get(cmd_name)


class LazyCommand(NamedTuple):
    """Where a top-level command lives, and the line that the root's help shows without importing it."""

    module: str
    summary: str
    hidden: bool = False


class LazyGroup(ProxyctlGroup):
    """The root: imports the module of a command only when its name is used."""

    table: ClassVar[Mapping[str, LazyCommand]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.table:
            return None
        if cmd_name not in self.commands:
            app = importlib.import_module(self.table[cmd_name].module).app
            several = len(app.registered_commands) > 1
            command = AppGroup(app) if several else typer.main.get_command(app)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.table.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        from typer._click.shell_completion import CompletionItem

        names = [name for name in self.table if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self.table[name].summary) for name in names]
        return found + [
            item for item in super().shell_complete(ctx, incomplete) if item.value.startswith("-")
        ]


def new_app(help_text: str, *, epilog: str | None = None) -> typer.Typer:
    """Return the Typer of one command group."""
    return typer.Typer(
        cls=ProxyctlGroup,
        help=help_text,
        epilog=epilog,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
