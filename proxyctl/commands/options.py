"""The options that several commands share: declared once, parsed into `SharedOptions`, handed to the Runtime.

`@shared(...)` adds them to a command's signature, so that a command declares only what is its own.
"""

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from proxyctl.console import FORMATS, SharedOptions

CONNECTION = "Connection and messages"
OUTPUT = "Output"
WRITING = "Writing"
PACE = "Pace and safety"

Function = TypeVar("Function", bound=Callable[..., Any])


class Color(StrEnum):
    """When to colour."""

    auto = "auto"
    always = "always"
    never = "never"


OutputFormat = Enum("OutputFormat", {name: name for name in FORMATS}, type=str)  # type: ignore[misc]


def seconds(text: str) -> float:
    """Parse a positive number of seconds, at most an hour."""
    return _number(text, 0.001, 3600.0, "seconds, for example 30")


def milliseconds(text: str) -> float:
    """Parse a delay of at most a minute."""
    return _number(text, 0.0, 60_000.0, "milliseconds, for example 150")


def requests_per_second(text: str) -> float:
    """Parse a rate; 0 turns pacing off."""
    return _number(text, 0.0, 10_000.0, "requests a second, for example 30; 0 turns pacing off")


def _number(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise typer.BadParameter(f"{text!r} is not a number from {low:g} to {high:g} ({what}).")
    return value


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


Group = dict[str, Any]  # parameter names of SharedOptions, with their declarations


def option(kind: Any, *names: str, panel: str | None = None, **settings: Any) -> Any:
    """Declare an option of type ``kind``, listed under ``panel`` in the help."""
    return Annotated[kind, typer.Option(*names, rich_help_panel=panel, **settings)]


PROFILE: Group = {
    "profile": option(
        str | None,
        "-p",
        "--profile",
        metavar="NAME",
        panel=CONNECTION,
        help="Use this profile's credentials.",
    ),
    "sandbox": option(
        bool,
        "--sandbox",
        panel=CONNECTION,
        help="Use the embedded sandbox (the same as --profile sandbox).",
    ),
}
REQUESTS: Group = {
    "timeout": option(
        float,
        "--timeout",
        metavar="SECONDS",
        parser=seconds,
        panel=CONNECTION,
        help="Time for the whole of one request.",
    ),
    "retries": option(
        int,
        "--retries",
        metavar="N",
        min=0,
        max=100,
        panel=CONNECTION,
        help="Extra tries after a failure that may pass.",
    ),
}
MESSAGES: Group = {
    "verbose": option(
        int,
        "-v",
        "--verbose",
        count=True,
        metavar="",
        show_default=False,
        panel=CONNECTION,
        help="Say more; twice: a line for each request.",
    ),
    "quiet": option(bool, "-q", "--quiet", panel=CONNECTION, help="Say nothing when all goes well."),
    "color": option(Color, "--color", panel=CONNECTION, help="When to colour."),
}
DATA: Group = {
    "output": option(
        OutputFormat | None,
        "-o",
        "--output",
        panel=OUTPUT,
        help="Format: table on a terminal and tsv elsewhere, unless this says otherwise.",
    ),
    "fields": option(
        str | None,
        "--fields",
        metavar="A,B,C",
        panel=OUTPUT,
        help="Only these fields, in this order; capabilities.sms_outbound reaches into a map.",
    ),
    "no_header": option(bool, "--no-header", panel=OUTPUT, help="No header line in tsv and csv."),
}
YES: Group = {
    "yes": option(bool, "-y", "--yes", panel=WRITING, help="Do not ask for confirmation."),
}
DRY_RUN: Group = {
    "dry_run": option(bool, "--dry-run", panel=WRITING, help="Print what would be sent; send nothing."),
    **YES,
}
WRITES: Group = {
    **DRY_RUN,
    "confirm_profile": option(
        str | None,
        "--confirm-profile",
        metavar="NAME",
        panel=WRITING,
        help="Name a protected profile, to be allowed to write with it.",
    ),
    "no_history": option(
        bool,
        "--no-history",
        panel=WRITING,
        help="Do not record this run (for when state can't be written).",
    ),
    "lock_wait": option(
        float,
        "--lock-wait",
        metavar="DURATION",
        parser=duration,
        show_default=False,
        panel=WRITING,
        help="Wait this long for another run on the same Service to end.",
    ),
}
ALLOW: Group = {
    "allow": option(
        list[str] | None,
        "--allow",
        metavar="RULE",
        panel=WRITING,
        help="Permit what this rule refuses; the refusal names it.",
    ),
}
BULK: Group = {
    "default_country": option(
        str | None,
        "--default-country",
        metavar="CC",
        help="Read numbers in this country's national format too, for example US.",
    ),
    "rate": option(
        float | None,
        "--rate",
        metavar="N",
        parser=requests_per_second,
        panel=PACE,
        help="Requests a second for each endpoint of a Service; 0 turns pacing off. [default: 30]",
    ),
    "concurrency": option(
        int | None,
        "--concurrency",
        metavar="N",
        min=1,
        max=200,
        panel=PACE,
        help="Requests under way at once, at most. [default: found by itself]",
    ),
    "max_errors": option(
        int | None, "--max-errors", metavar="N", min=1, panel=PACE, help="Stop when this many items failed."
    ),
    "deadline": option(
        float | None,
        "--deadline",
        metavar="DURATION",
        parser=duration,
        panel=PACE,
        help="Stop after this time: 90s, 15m, 2h.",
    ),
    "failed_to": option(
        str | None,
        "--failed-to",
        metavar="FILE",
        panel=PACE,
        help="Write the failed and unknown inputs here, in a form that -f takes.",
    ),
}

CALLS = (PROFILE, REQUESTS, MESSAGES)


def _names_and_value(annotation: Any) -> Iterator[tuple[str, bool]]:
    """Yield the names of an option, each with whether a value follows it."""
    kind, info = get_args(annotation)[:2]
    # Within Annotated, Typer keeps the first name where a default would be.
    for name in (info.default, *info.param_decls):
        yield name, kind is not bool and not info.count


# Options that may stand before the subcommand as well as after it: True where a value follows.
HOISTED: dict[str, bool] = {
    name: valued
    for group in (*CALLS, DATA, WRITES)
    for annotation in group.values()
    for name, valued in _names_and_value(annotation)
}


def shared(*groups: Group) -> Callable[[Function], Function]:
    """Add the options of ``groups`` to a command and hand them to its Runtime before the command runs."""
    declared = {name: annotation for group in groups for name, annotation in group.items()}
    defaults = SharedOptions()

    def hand_over(ctx: typer.Context, given: dict[str, Any]) -> dict[str, Any]:
        ctx.obj.use(ctx.obj.options._replace(**given))
        return {}

    return _adding({name: (declared[name], _default(name, defaults)) for name in declared}, hand_over)


def with_settings(settings: Group) -> Callable[[Function], Function]:
    """Add options to a command, which gets those that were given as ``settings``, a dict of text by name."""

    def pass_on(ctx: typer.Context, given: dict[str, Any]) -> dict[str, Any]:
        return {"settings": {name: str(value) for name, value in given.items() if value is not None}}

    return _adding({name: (annotation, None) for name, annotation in settings.items()}, pass_on)


def _adding(
    declared: dict[str, tuple[Any, Any]],
    receive: Callable[[typer.Context, dict[str, Any]], dict[str, Any]],
) -> Callable[[Function], Function]:
    """Return a decorator that adds parameters to a signature; ``receive`` says what the function gets of them."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.name != "settings" or "settings" in declared]
        names = [name for name in declared if name not in signature.parameters]

        @functools.wraps(function)
        def command(*args: Any, **values: Any) -> Any:
            given = {name: _plain(values.pop(name)) for name in names}
            return function(*args, **values, **receive(values["ctx"], given))

        added = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=declared[name][1],
                annotation=declared[name][0],
            )
            for name in names
        ]
        parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *added]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {
            **{name: kind for name, kind in function.__annotations__.items() if name != "settings"},
            **{name: declared[name][0] for name in names},
        }
        del command.__wrapped__  # Typer would read the inner function's hints
        return cast(Function, command)

    return decorate


def _default(name: str, defaults: SharedOptions) -> Any:
    if name == "color":
        return Color.auto
    value = getattr(defaults, name)
    return str(value).removesuffix(".0") if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


@shared(*CALLS, DATA, WRITES)
def hoisted(ctx: typer.Context) -> None:
    """Stand for any command, where no command is named yet."""
