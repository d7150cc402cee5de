"""All checks in turn, and how their findings are printed: lines for people, rows for programs; then the count, or the
worst error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.doctor import FAIL, OK, WARNING, CheckResult, files, installed, server
from proxyctl.errors import ConfigError, ProxyctlError, TemporaryError
from proxyctl.render.shapes import Shape
from proxyctl.roles import Role, line

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

SHAPE = Shape.generic("check", ("check", "state", "detail", "hint"), id_field="check")
ROLES = {OK: Role.GOOD, WARNING: Role.WARNING, FAIL: Role.BAD}
SIGNS = {OK: "✓", WARNING: "!", FAIL: "✗"}
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
        for finding in printed(runtime, found):
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


def printed(runtime: Runtime, found: list[CheckResult]) -> Iterator[CheckResult]:
    """Yield what is printed, as it is found, and keep all in ``found``: with --quiet only what is not in order."""
    for finding in examine(runtime):
        found.append(finding)
        if finding.state != OK or not runtime.options.silent:
            yield finding


def rows(runtime: Runtime, found: list[CheckResult]) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield a page for each finding, as it is made."""
    clean = runtime.console.redactor.clean
    for finding in printed(runtime, found):
        yield [{name: value and clean(value) for name, value in finding.row().items()}]


def show(runtime: Runtime, finding: CheckResult) -> None:
    """Print a finding for people: sign, state, check, what was found; below it what to type."""
    clean = runtime.console.redactor.clean
    first, *more = clean(finding.detail).splitlines() or [""]
    lead = ROLES[finding.state](f"{SIGNS[finding.state]} {finding.state:<7}")
    lines = [line(lead, f"  {finding.check:<12}  {first}", hang=MARGIN)]
    if finding.hint:
        first, *others = clean(finding.hint).splitlines()
        more += [f"→ {first}", *(f"  {text}" for text in others)]
    runtime.out.lines([*lines, *(line(" " * MARGIN + text) for text in more)])


def conclude(runtime: Runtime, found: list[CheckResult]) -> None:
    """Say how many checks passed; raise the error of the worst, with its exit code.

    What a user has to fix comes before what may pass; among equals the first is the likeliest cause.
    """
    wrong = {finding.check: finding.error for finding in found if finding.error is not None}
    warnings = [finding.check for finding in found if finding.state == WARNING]
    if not wrong:
        mild = f"{len(warnings)} with a warning ({', '.join(warnings)})" if warnings else "all ok"
        runtime.note(f"{len(found)} checks, {mild}.")
        return
    worst: ProxyctlError = min(wrong.values(), key=lambda error: isinstance(error, TemporaryError))
    raise type(worst)(
        f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}.",
        hint=worst.hint,
        problem=worst.problem,
    )
