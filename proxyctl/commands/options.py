"""The options that several commands share: declared once, parsed into `SharedOptions`, given to the Runtime.

`@command(...)` adds them to a command's signature, so that a command declares only what is its own.
"""

import inspect
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, TypeVar

import typer
from typer.models import CommandInfo

from proxyctl.clock import seconds_of
from proxyctl.console import FORMATS, SharedOptions
from proxyctl.identifiers import is_placeholder
from proxyctl.text import did_you_mean

CONNECTION = "Connection and messages"
OUTPUT = "Output"
WRITING = "Writing"
PACE = "Pace and safety"
INPUT = "Input"
FILTERS = "Filters"
NATIONAL = "Numbers"
# Help names their options, a topic describes them.
SHARED_PANELS = (CONNECTION, OUTPUT, WRITING, PACE, NATIONAL)

Function = TypeVar("Function", bound=Callable[..., Any])
Group = dict[str, inspect.Parameter]  # declared options


def option(shown: str, about: str, panel: str | None = None, *, default: Any = None, **settings: Any) -> Any:
    """Declare an option as help shows it, `-p --profile NAME`, listed there under ``panel``; a flag has no value."""
    names = [word for word in shown.split(" ") if word.startswith("-")]
    if (metavar := shown.rpartition(" ")[2]) not in names:
        settings["metavar"] = metavar
    return typer.Option(default, *names, help=about, rich_help_panel=panel, **settings)


def group(panel: str | None) -> Callable[[Callable[..., None]], Group]:
    """Declare options that help lists together, under ``panel``, by the parameters of a function.

    The defaults of shared ones are those of `SharedOptions`.
    """

    def declare(function: Callable[..., None]) -> Group:
        options = dict(inspect.signature(function).parameters)
        for name, one in options.items():
            one.default.rich_help_panel = panel
            default = SharedOptions._field_defaults.get(name, one.default.default)
            # What is parsed from text needs a text as its default.
            one.default.default = f"{default:g}" if isinstance(default, float) else default
        return options

    return declare


def argument(shown: str, about: str, **settings: Any) -> Any:
    """Declare an argument as help shows it: `SERVICE`, or `[NUMBER]...`."""
    return typer.Argument(metavar=shown, help=about, show_default=False, **settings)


def within(low: float, high: float, unit: str) -> Callable[[str], float]:
    """Return what parses a number within these limits."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise typer.BadParameter(f"{text!r} is not a number from {low:g} to {high:g} ({unit}).")
        return value

    return parse


def duration(text: str) -> float:
    """Parse ``90s``, ``15m``, ``2h``, ``7d`` or ``1h30m`` into seconds; a bare number is seconds."""
    total = seconds_of(text)
    if total is None:
        raise typer.BadParameter(f"{text!r} is not a duration. Write 90s, 15m, 2h or 1h30m.")
    if not total <= 366 * 86400:
        raise typer.BadParameter(f"{text!r} is longer than a year.")
    return total


def finding_id(text: str) -> str:
    """Return the ID of a kind of finding."""
    from proxyctl.pools.findings import KINDS

    if text not in KINDS:
        meant = did_you_mean(text, KINDS) or f" The IDs are {', '.join(KINDS)}."
        raise typer.BadParameter(f"there is no finding {text!r}.{meant}")
    return text


def given(text: str) -> str:
    """Return a value as it is typed. Refuse an empty one: a shell variable is not set."""
    if not text.strip():
        raise typer.BadParameter("it is empty.")
    return text


def url(text: str) -> str:
    """Return a URL as it is typed. Refuse a bare word in capitals, which printed commands use for an unknown value."""
    if is_placeholder(text):
        raise typer.BadParameter(f"{text} stands for a URL. Write your own in its place.")
    return given(text)


# What several commands declare alike.
SERVICE = argument("SERVICE", "Service SID (KS…) or unique name.")
SERVICES = argument("[SERVICE]...", "Service SIDs (KS…) or unique names.", default_factory=list)
ALL = option("-A --all", "Include all Services of the account.")
SESSION = argument("SESSION", "Session SID (KC…) or unique name.")
NUMBER = argument("NUMBER", "PN SID, or number in E.164: +14155550100.")
NUMBERS = argument("[NUMBER]...", "PN SIDs, or numbers in E.164: +14155550100.", default_factory=list)


@group(CONNECTION)
def CALLS(
    profile: str | None = option("-p --profile NAME", "Use this profile's credentials."),
    sandbox: bool = option("--sandbox", "Use the embedded sandbox, as --profile sandbox does."),
    timeout: float = option(
        "--timeout SECONDS",
        "Limit the time of one request, from connecting to the last byte.",
        parser=within(0.001, 3600.0, "seconds, for example 30"),
    ),
    retries: int = option("--retries N", "Retry a temporary failure up to N times.", min=0, max=100),
    verbose: int = option(
        "-v --verbose",
        "Print retries to stderr. Twice: print each request.",
        count=True,
        metavar="",
        show_default=False,
    ),
    quiet: bool = option("-q --quiet", "Print only errors."),
    color: Literal["auto", "always", "never"] = option("--color", "Colour the output."),
) -> None:
    """Whose account, how each request is sent, and what is said: every command accepts these."""


@group(OUTPUT)
def DATA(
    output: Literal[FORMATS] | None = option(  # type: ignore[valid-type]
        "-o --output", "Print in this format. The default is table on a terminal and tsv elsewhere."
    ),
    fields: str | None = option(
        "--fields A,B,C", "Print these fields, in this order. capabilities.sms_outbound reaches into a map."
    ),
    no_header: bool = option("--no-header", "Leave out the header line of tsv and csv."),
) -> None:
    """How rows are printed."""


@group(None)
def LIST(
    sort: str | None = option("--sort FIELD", "Sort by a field. -FIELD sorts in descending order."),
    limit: int | None = option("--limit N", "Print at most N rows.", min=1),
    only_count: bool = option("--count", "Print only the count."),
) -> None:
    """Which rows of a list are printed, in what order."""


@group(WRITING)
def WRITES(
    dry_run: bool = option("--dry-run", "Print what would be done, and send nothing."),
    yes: bool = option("-y --yes", "Skip the confirmation prompt."),
    requests: bool = option("--requests", "With --dry-run: print the requests that would be sent."),
    confirm_profile: str | None = option(
        "--confirm-profile NAME", "Permit writing to a protected account: name a profile that protects it."
    ),
    no_history: bool = option(
        "--no-history", "Do not record this run, for example where the history is not writable."
    ),
    lock_wait: float = option(
        "--lock-wait DURATION",
        "Wait up to DURATION for another run on the same Service.",
        parser=duration,
        show_default=False,
    ),
    allow: list[str] | None = option(
        "--allow RULE", "Permit what RULE refuses (repeatable). See 'proxyctl help rules'."
    ),
    summary_json: str | None = option("--summary-json FILE", "Write a summary to FILE as JSON."),
) -> None:
    """What asks, can be rehearsed and is recorded, what the guard refuses, and what monitoring reads."""


@group(WRITING)
def THROUGH(
    through_messaging: bool = option(
        "--through-messaging",
        "Take numbers out of their Messaging Service first, and put those that join a pool back.",
    ),
) -> None:
    """Numbers that leave a Messaging Service."""


@group(NATIONAL)
def COUNTRY(
    default_country: str | None = option(
        "--default-country CC", "Accept numbers in the national format of this country, for example US."
    ),
) -> None:
    """How numbers are read."""


@group(PACE)
def PACING(
    rate: float | None = option(
        "--rate N",
        "Send at most N requests a second to each endpoint of a Service. 0 turns pacing off.",
        parser=within(0.0, 10_000.0, "requests a second, for example 30"),
        show_default="30",
    ),
    concurrency: int | None = option(
        "--concurrency N", "Send at most N requests in parallel.", show_default="automatic", min=1, max=200
    ),
    max_errors: int | None = option("--max-errors N", "Stop when N items have failed.", min=1),
    deadline: float | None = option(
        "--deadline DURATION", "Stop after DURATION: 90s, 15m, 2h.", parser=duration
    ),
    failed_to: str | None = option(
        "--failed-to FILE",
        "Write the failed and unknown inputs to FILE, as they came in, with the reason. -f reads it.",
    ),
    untried_to: str | None = option(
        "--untried-to FILE", "Write the inputs that were not tried to FILE. -f reads it."
    ),
) -> None:
    """How fast and how long a run goes, and what is left of it."""


@group(INPUT)
def ROWS(
    file: str | None = option(
        "-f --file FILE", "Read numbers from FILE: text, CSV, JSON or JSON Lines. '-' is stdin."
    ),
    column: str | None = option(
        "--column NAME|N", "Read numbers from this column of FILE: its name, or its place."
    ),
    skip_bad_rows: bool = option("--skip-bad-rows", "Skip rows that can't be used. Print them, and exit 6."),
) -> None:
    """Files of numbers."""


@group(FILTERS)
def FINDINGS(
    severity: Literal["error", "warning", "info"] | None = option(
        "--severity", "Print findings that are at least so bad."
    ),
    only: list[str] | None = option(
        "--only ID", "Print only findings with this ID (repeatable).", parser=finding_id
    ),
    ignore: list[str] | None = option(
        "--ignore ID", "Leave out findings with this ID (repeatable).", parser=finding_id
    ),
) -> None:
    """Which findings."""


LIMIT = {"limit": LIST["limit"]}
DRY_RUN = {name: WRITES[name] for name in ("dry_run", "yes")}
YES = {"yes": WRITES["yes"]}
RECORDED = {name: WRITES[name] for name in ("requests", "confirm_profile", "no_history", "lock_wait")}
ALLOW = {"allow": WRITES["allow"]}
SUMMARY = {"summary_json": WRITES["summary_json"]}
RATE = {"rate": PACING["rate"]}
BULK = COUNTRY | PACING
EVERY = CALLS | DATA | WRITES | THROUGH | BULK

# Options that may stand before the subcommand as well as after it: True where a value follows.
HOISTED: dict[str, bool] = {
    name: one.annotation is not bool and not one.default.count
    for one in EVERY.values()
    for name in one.default.param_decls
}


def command(
    name: str, does: str | None = None, *groups: Group, **always: Any
) -> Callable[[Function], CommandInfo]:
    """Declare a command by a function: by its parameters, its docstring, and the options of ``groups``.

    ``does`` names what carries it out, `module:function`, which is imported when it runs; without, the function itself
    does. That gets the Runtime, what was typed, what is ``always`` the same, and of the groups what was given. Options
    of `SharedOptions` go to the Runtime.
    """
    every = {name: one for group in (CALLS, *groups) for name, one in group.items()}

    def declare(function: Function) -> CommandInfo:
        def run(ctx: typer.Context, **values: Any) -> None:
            given = {key: values.pop(key) for key in every}
            shared = {key: value for key, value in given.items() if key in SharedOptions._fields}
            own = {key: value for key, value in given.items() if key not in shared and value is not None}
            ctx.obj.begin(ctx.command_path, ctx.params, shared)
            carry_out: Callable[..., object] = function
            if does is not None:
                module, _, named = does.partition(":")
                carry_out = getattr(import_module(f"proxyctl.commands.{module}"), named)
            carry_out(ctx.obj, **values, **always, **own)

        return CommandInfo(name, callback=signed(run, function, every))

    return declare


def signed(run: Function, function: Callable[..., Any], added: Group) -> Function:
    """Return ``run`` with the parameters of ``function``, and those that are ``added``, for Typer to read."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    declared = [*inspect.signature(function).parameters.values(), *added.values()]
    parameters = [inspect.Parameter("ctx", keyword, annotation=typer.Context)]
    for one in declared:
        if one.annotation is bool and one.default.default is None:
            one.default.default = False
        if one.name != "runtime":
            parameters.append(one.replace(kind=keyword))
    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
