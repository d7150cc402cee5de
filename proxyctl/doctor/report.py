"""All checks in turn, and how their findings are printed: lines for people, rows for programs; then the count, or the
worst error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.doctor import BAD, GOOD, WARNING, CheckResult, files, installed, server
from proxyctl.errors import ConfigError, ProxyctlError, TemporaryError
from proxyctl.render.shapes import Shape
from proxyctl.text import wrapped

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

SHAPE = Shape.generic("check", ("check", "state", "detail", "hint"), id_field="check")
COLORS = {GOOD: "green", WARNING: "yellow", BAD: "red"}
SIGNS = {GOOD: "✓", WARNING: "!", BAD: "✗"}
PLAIN_SIGNS = {GOOD: "+", WARNING: "!", BAD: "x"}
MARGIN = 25  # columns that sign, state and check take


def report(runtime: Runtime) -> None:
    """Make every check and print its finding; raise the error of the worst."""
    try:
        runtime.format  # noqa: B018 - made on first use
    except ConfigError:  # a config that can't be read is a finding, and not the end
        runtime.format = runtime.usual_format
    runtime.out.check(SHAPE)
    found: list[CheckResult] = []
    if runtime.format == "table" and runtime.options.fields is None:
        for finding in examine(runtime):
            found.append(finding)
            show(runtime, finding)
    else:
        runtime.out.rows(SHAPE, rows(runtime, found))
    conclude(runtime, found)


def examine(runtime: Runtime) -> Iterator[CheckResult]:
    """Yield a finding for each check, as it is made.

    Nothing is sent with the sandbox's profile, and where no credentials say which server is meant.
    """
    yield installed.program(runtime.environ)
    yield installed.python()
    yield files.config(runtime)
    profile, finding = server.credentials(runtime)
    yield finding
    yield files.state(runtime)
    yield files.cache(runtime)
    yield files.sandbox(runtime, used=profile is not None and profile.is_sandbox)
    if profile is not None and not profile.is_sandbox:
        yield from server.call(runtime, profile)
    yield installed.terminal(runtime)
    yield installed.completions(runtime.environ)
    yield installed.man_pages(runtime.environ)


def rows(runtime: Runtime, found: list[CheckResult]) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield a page for each finding, as it is made, and keep it in ``found``."""
    clean = runtime.console.redactor.clean
    for finding in examine(runtime):
        found.append(finding)
        yield [{name: value and clean(value) for name, value in finding.row().items()}]


def show(runtime: Runtime, finding: CheckResult) -> None:
    """Print a finding for people: sign, state, check, what was found; below it what to type."""
    plain = runtime.console.ascii_only
    sign, arrow = (PLAIN_SIGNS if plain else SIGNS)[finding.state], "->" if plain else "→"
    first, *more = lines(runtime, finding.detail)
    lead = (f"{sign} {finding.state:<7}", COLORS[finding.state])
    runtime.out.line(lead, (f"  {finding.check:<12}  {first}", None))
    if finding.hint:
        first, *others = lines(runtime, finding.hint, len(arrow) + 1)
        more += [f"{arrow} {first}", *(" " * (len(arrow) + 1) + text for text in others)]
    for text in more:
        runtime.out.line((" " * MARGIN + text, None))


def lines(runtime: Runtime, text: str, indent: int = 0) -> list[str]:
    """Return the lines that ``text`` takes: those of its own, and on a terminal as many more as it needs."""
    clean = runtime.console.redactor.clean(text)
    if runtime.console.terminal.stdout:
        clean = wrapped(clean, max(20, runtime.console.width - MARGIN - indent))
    return clean.splitlines() or [""]


def conclude(runtime: Runtime, found: list[CheckResult]) -> None:
    """Say how many checks are good; raise the error of the worst, with its exit code.

    What a user has to fix comes before what may pass; among equals the first is the likeliest cause.
    """
    wrong = {finding.check: finding.error for finding in found if finding.error is not None}
    warnings = [finding.check for finding in found if finding.state == WARNING]
    if not wrong:
        mild = f"{len(warnings)} with a warning ({', '.join(warnings)})" if warnings else "all good"
        runtime.note(f"{len(found)} checks, {mild}.")
        return
    worst: ProxyctlError = min(wrong.values(), key=lambda error: isinstance(error, TemporaryError))
    raise type(worst)(
        f"{len(wrong)} of {len(found)} checks {'is' if len(wrong) == 1 else 'are'} bad: {', '.join(wrong)}.",
        hint=worst.hint,
        problem=worst.problem,
    )
