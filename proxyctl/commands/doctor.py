"""`proxyctl doctor`: is everything here as commands need it, and if not, what to type."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from proxyctl.commands.options import CALLS, DATA, shared
from proxyctl.commands.tree import ProxyctlCommand
from proxyctl.errors import ConfigError, ProxyctlError, TemporaryError
from proxyctl.runtime import Runtime

if TYPE_CHECKING:
    from proxyctl.doctor import Finding

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

FIELDS = ("check", "state", "detail", "hint")
COLORS = {"good": "green", "warning": "yellow", "bad": "red"}
SIGNS = {"good": "✓", "warning": "!", "bad": "✗"}
PLAIN_SIGNS = {"good": "+", "warning": "!", "bad": "x"}
MARGIN = 25  # columns that sign, state and check take

EPILOG = """Examples:
  proxyctl doctor
  proxyctl doctor --profile prod
  proxyctl doctor -o json
"""


@app.command("doctor", cls=ProxyctlCommand, epilog=EPILOG)
@shared(*CALLS, DATA)
def doctor(ctx: typer.Context) -> None:
    """Check config, credentials, state, the way to Twilio, and the terminal.

    A row for each check: good, warning or bad, what was found, and how to mend it. Makes one request, changes
    nothing, and never shows a secret. Ends with the exit code of the worst; warnings don't count.
    """
    from proxyctl.doctor import examine
    from proxyctl.render.shapes import Shape

    runtime: Runtime = ctx.obj
    settle_format(runtime)
    shape = Shape.generic("check", FIELDS, id_field="check")
    runtime.out.check(shape)
    found: list[Finding] = []
    if runtime.format == "table" and runtime.options.fields is None:
        for finding in examine(runtime):
            found.append(finding)
            show(runtime, finding)
    else:
        runtime.out.rows(shape, rows(runtime, examine(runtime), found))
    conclude(runtime, found)


def settle_format(runtime: Runtime) -> None:
    """Choose the format although the config, which may say it, can't be read: that is a finding, not the end."""
    try:
        runtime.format  # noqa: B018 - made on first use
    except ConfigError:
        runtime.format = "table" if runtime.console.terminal.stdout else "tsv"


def rows(
    runtime: Runtime, findings: "Iterator[Finding]", found: "list[Finding]"
) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield a page for each finding, as it is made, and keep it in ``found``."""
    clean = runtime.console.redactor.clean
    for finding in findings:
        found.append(finding)
        yield [{name: value and clean(value) for name, value in finding.row().items()}]


def show(runtime: Runtime, finding: "Finding") -> None:
    """Print a finding for people: sign, state, check, what was found; the mend below."""
    sign = (PLAIN_SIGNS if runtime.console.ascii_only else SIGNS)[finding.state]
    arrow = "->" if runtime.console.ascii_only else "→"
    clean = runtime.console.redactor.clean
    first, *more = folded(runtime, clean(finding.detail))
    lead = f"{sign} {finding.state:<7}"
    runtime.out.line((lead, COLORS[finding.state]), (f"  {finding.check:<12}  {first}", None))
    for text in more:
        runtime.out.line((" " * MARGIN + text, None))
    if finding.hint:
        for place, text in enumerate(folded(runtime, clean(finding.hint), len(arrow) + 1)):
            lead = f"{arrow} " if place == 0 else " " * (len(arrow) + 1)
            runtime.out.line((" " * MARGIN + lead + text, None))


def folded(runtime: Runtime, text: str, indent: int = 0) -> list[str]:
    """Return the lines that ``text`` takes: those of its own, and on a terminal as many more as it needs."""
    if not runtime.console.terminal.stdout:
        return text.splitlines() or [""]
    from textwrap import wrap

    room = max(20, runtime.console.width - MARGIN - indent)
    lines = (wrap(line, room, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return [line for part in lines for line in part] or [""]


def conclude(runtime: Runtime, found: "list[Finding]") -> None:
    """Say how many checks are as they should be; raise the error of the worst, with its exit code.

    What must be mended comes before what may pass by itself; among equals the first is the likeliest cause.
    """
    wrong = [finding for finding in found if finding.error is not None]
    warnings = [finding.check for finding in found if finding.state == "warning"]
    if not wrong:
        mild = f"{len(warnings)} with a warning ({', '.join(warnings)})" if warnings else "all good"
        runtime.note(f"{len(found)} checks, {mild}.")
        return
    errors: list[ProxyctlError] = [finding.error for finding in wrong if finding.error is not None]
    worst = min(errors, key=lambda error: isinstance(error, TemporaryError))
    names = ", ".join(finding.check for finding in wrong)
    raise type(worst)(
        f"{len(wrong)} of {len(found)} checks {'is' if len(wrong) == 1 else 'are'} bad: {names}.",
        hint=worst.hint,
        problem=worst.problem,
    )
