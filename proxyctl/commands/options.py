"""The options that several commands share: declared once, parsed into `SharedOptions`, given to the Runtime.

`@command(...)` adds them to a command's signature, so that a command declares only what is its own.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Annotated, Any, Literal, TypeVar, get_args

import typer
from typer.models import CommandInfo

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
Group = dict[str, Any]  # names of parameters, with their declarations


def option(shown: str, about: str, panel: str | None = None, **settings: Any) -> Any:
    """Declare an option as help shows it, `-p --profile NAME`, listed there under ``panel``; a flag has no value.

    Without a ``default``, it is False for a flag, and else None.
    """
    names = [word for word in shown.split(" ") if word.startswith("-")]
    metavar = shown.rpartition(" ")[2]
    default = settings.pop("default", False if metavar in names and "/" not in metavar else None)
    if metavar not in names:
        settings["metavar"] = metavar
    return typer.Option(default, *names, help=about, rich_help_panel=panel, **settings)


def typed(kind: Any, shown: str, about: str, **settings: Any) -> Any:
    """Declare an option of a group, whose value is a ``kind``."""
    return Annotated[kind, option(shown, about, default=..., **settings)]


def group(panel: str | None, **declared: Any) -> Group:
    """Declare options that help lists together, under ``panel``; each is named as the parameter that gets its value."""
    for annotation in declared.values():
        get_args(annotation)[1].rich_help_panel = panel
    return declared


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


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Parse ``90s``, ``15m``, ``2h``, ``7d`` or ``1h30m`` into seconds; a bare number is seconds."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        parts = [(text, "s")]
    elif not parts or "".join(number + unit for number, unit in parts) != text:
        raise typer.BadParameter(f"{text!r} is not a duration. Write 90s, 15m, 2h or 1h30m.")
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
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


def url(text: str) -> str:
    """Return a URL as it is typed. Refuse a bare word in capitals, which printed commands use for an unknown value."""
    if is_placeholder(text):
        raise typer.BadParameter(f"{text} stands for a URL. Write your own in its place.")
    return text


def url_given(text: str) -> str:
    """Return a URL. Refuse an empty one: a shell variable is not set."""
    if not text.strip():
        raise typer.BadParameter("the URL is empty.")
    return url(text)


# What several commands declare alike.
SERVICE = argument("SERVICE", "Service SID (KS…) or unique name.")
SERVICES = argument("[SERVICE]...", "Service SIDs (KS…) or unique names.", default_factory=list)
ALL = option("-A --all", "Include all Services of the account.")
NUMBER = argument("NUMBER", "PN SID, or number in E.164: +14155550100.")
NUMBERS = argument("[NUMBER]...", "PN SIDs, or numbers in E.164: +14155550100.", default_factory=list)
LIMIT = option("--limit N", "Print at most N rows.", min=1)
SORT = option("--sort FIELD", "Sort by a field. -FIELD sorts in descending order.")
COUNT = option("--count", "Print only the count.")

PROFILE = group(
    CONNECTION,
    profile=typed(str | None, "-p --profile NAME", "Use this profile's credentials."),
    sandbox=typed(bool, "--sandbox", "Use the embedded sandbox, as --profile sandbox does."),
)
REQUESTS = group(
    CONNECTION,
    timeout=typed(
        float,
        "--timeout SECONDS",
        "Limit the time of one request, from connecting to the last byte.",
        parser=within(0.001, 3600.0, "seconds, for example 30"),
    ),
    retries=typed(int, "--retries N", "Retry a temporary failure up to N times.", min=0, max=100),
)
MESSAGES = group(
    CONNECTION,
    verbose=typed(
        int,
        "-v --verbose",
        "Print retries to stderr. Twice: print each request.",
        count=True,
        metavar="",
        show_default=False,
    ),
    quiet=typed(bool, "-q --quiet", "Print only errors."),
    color=typed(Literal["auto", "always", "never"], "--color", "Colour the output."),
)
DATA = group(
    OUTPUT,
    output=typed(
        Literal[FORMATS] | None,
        "-o --output",
        "Print in this format. The default is table on a terminal and tsv elsewhere.",
    ),
    fields=typed(
        str | None,
        "--fields A,B,C",
        "Print these fields, in this order. capabilities.sms_outbound reaches into a map.",
    ),
    no_header=typed(bool, "--no-header", "Leave out the header line of tsv and csv."),
)
YES = group(WRITING, yes=typed(bool, "-y --yes", "Skip the confirmation prompt."))
DRY_RUN = (
    group(WRITING, dry_run=typed(bool, "--dry-run", "Print what would be done, and send nothing.")) | YES
)
SUMMARY = group(
    WRITING, summary_json=typed(str | None, "--summary-json FILE", "Write a summary to FILE as JSON.")
)
RECORDED = DRY_RUN | group(
    WRITING,
    requests=typed(bool, "--requests", "With --dry-run: print the requests that would be sent."),
    confirm_profile=typed(
        str | None,
        "--confirm-profile NAME",
        "Permit writing to a protected account: name a profile that protects it.",
    ),
    no_history=typed(
        bool, "--no-history", "Do not record this run, for example where the history is not writable."
    ),
    lock_wait=typed(
        float,
        "--lock-wait DURATION",
        "Wait up to DURATION for another run on the same Service.",
        parser=duration,
        show_default=False,
    ),
)
ALLOW = group(
    WRITING,
    allow=typed(
        list[str] | None, "--allow RULE", "Permit what RULE refuses (repeatable). See 'proxyctl help rules'."
    ),
)
WRITES = RECORDED | ALLOW | SUMMARY
THROUGH = group(
    WRITING,
    through_messaging=typed(
        bool,
        "--through-messaging",
        "Take numbers out of their Messaging Service first, and put those that join a pool back.",
    ),
)
COUNTRY = group(
    NATIONAL,
    default_country=typed(
        str | None,
        "--default-country CC",
        "Accept numbers in the national format of this country, for example US.",
    ),
)
PACING = group(
    PACE,
    rate=typed(
        float | None,
        "--rate N",
        "Send at most N requests a second to each endpoint of a Service. 0 turns pacing off.",
        parser=within(0.0, 10_000.0, "requests a second, for example 30"),
        show_default="30",
    ),
    concurrency=typed(
        int | None,
        "--concurrency N",
        "Send at most N requests in parallel.",
        show_default="automatic",
        min=1,
        max=200,
    ),
    max_errors=typed(int | None, "--max-errors N", "Stop when N items have failed.", min=1),
    deadline=typed(
        float | None, "--deadline DURATION", "Stop after DURATION: 90s, 15m, 2h.", parser=duration
    ),
    failed_to=typed(
        str | None,
        "--failed-to FILE",
        "Write the failed and unknown inputs to FILE, as they came in, with the reason. -f reads it.",
    ),
    untried_to=typed(
        str | None, "--untried-to FILE", "Write the inputs that were not tried to FILE. -f reads it."
    ),
)

ROWS = group(
    INPUT,
    file=typed(
        str | None, "-f --file FILE", "Read numbers from FILE: text, CSV, JSON or JSON Lines. '-' is stdin."
    ),
    column=typed(
        str | None, "--column NAME|N", "Read numbers from this column of FILE: its name, or its place."
    ),
    skip_bad_rows=typed(bool, "--skip-bad-rows", "Skip rows that can't be used. Print them, and exit 6."),
)

FINDINGS = group(
    FILTERS,
    severity=typed(
        Literal["error", "warning", "info"] | None, "--severity", "Print findings that are at least so bad."
    ),
    only=typed(
        list[str] | None, "--only ID", "Print only findings with this ID (repeatable).", parser=finding_id
    ),
    ignore=typed(
        list[str] | None, "--ignore ID", "Leave out findings with this ID (repeatable).", parser=finding_id
    ),
)

CALLS = (PROFILE, REQUESTS, MESSAGES)  # every command accepts these
BULK = COUNTRY | PACING
EVERY = PROFILE | REQUESTS | MESSAGES | DATA | WRITES | THROUGH | BULK


def _names_and_value(annotation: Any) -> Iterator[tuple[str, bool]]:
    """Yield the names of an option, each with whether a value follows it."""
    kind, info = get_args(annotation)[:2]
    for name in info.param_decls:
        yield name, kind is not bool and not info.count


# Options that may stand before the subcommand as well as after it: True where a value follows.
HOISTED: dict[str, bool] = {
    name: valued for annotation in EVERY.values() for name, valued in _names_and_value(annotation)
}


def command(
    name: str, does: str | None = None, *groups: Group, **always: Any
) -> Callable[[Function], CommandInfo]:
    """Declare a command by a function: by its parameters, its docstring, and the options of ``groups``.

    ``does`` names what carries it out, `module:function`, which is imported when it runs; without, the function itself
    does. That gets the Runtime, what was typed, what is ``always`` the same, and of the groups what was given. Options
    of `SharedOptions` go to the Runtime.
    """
    every = {one: kind for group in (*CALLS, *groups) for one, kind in group.items()}

    def declare(function: Function) -> CommandInfo:
        def run(ctx: typer.Context, **values: Any) -> None:
            given = {one: values.pop(one) for one in every}
            shared = {one: value for one, value in given.items() if one in SharedOptions._fields}
            own = {one: value for one, value in given.items() if one not in shared and value is not None}
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
    # What is parsed from text needs a text as its default.
    defaults = {
        name: f"{value:g}" if isinstance(value, float) else value
        for name, value in SharedOptions()._asdict().items()
    }
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [one for one in inspect.signature(function).parameters.values() if one.name != "runtime"]
    parameters = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(one.replace(kind=keyword) for one in own),
        *(
            inspect.Parameter(n, keyword, default=defaults.get(n), annotation=kind)
            for n, kind in added.items()
        ),
    ]
    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
