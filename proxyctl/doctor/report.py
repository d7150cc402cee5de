"""All checks in turn, and how their findings are printed: the verdict and lines for people, rows for programs; then
the worst error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.doctor import FAIL, OK, WARNING, CheckResult, files, installed, server
from proxyctl.errors import ConfigError, ProxyctlError, TemporaryError
from proxyctl.render.shapes import Shape
from proxyctl.roles import Line, Piece, Role, cells, line
from proxyctl.text import counted, lines_in

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

SHAPE = Shape.generic("check", ("check", "state", "detail", "hint"), id_field="check")
ROLES = {OK: Role.GOOD, WARNING: Role.WARNING, FAIL: Role.BAD}
SIGNS = {OK: "✓", WARNING: "!", FAIL: "✗"}
MARGIN = 16  # columns that sign and check take


def report(runtime: Runtime) -> None:
    """Make every check and print its finding; raise the error of the worst."""
    try:
        runtime.format  # noqa: B018 - made on first use
    except ConfigError:  # a config that can't be read is a finding, and not the end
        runtime.format = runtime.usual_format
    runtime.out.check(SHAPE)
    found: list[CheckResult] = []
    people = runtime.format == "table" and runtime.options.fields is None
    if people:
        with runtime.waiting("checking"):
            shown = list(printed(runtime, found))
        clean = runtime.console.redactor.clean
        width = runtime.console.width if runtime.console.terminal.stdout else None
        runtime.out.lines(lines(verdict(found) if shown else None, shown, clean, width))
    else:
        runtime.out.rows(SHAPE, rows(runtime, found))
    conclude(runtime, found, hint=not people)


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
    yield files.sandbox(runtime, used=profile is not None and profile.is_sandbox)
    if profile is not None and not profile.is_sandbox:
        yield from server.call(runtime, profile)
    yield installed.terminal(runtime)


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
        texts = {"detail": clean(finding.detail), "hint": finding.hint and clean(finding.hint)}
        yield [finding.row() | texts]


def verdict(found: Sequence[CheckResult]) -> Line:
    """Say in a line whether all is in order, and what is not."""
    wrong = [finding.check for finding in found if finding.state == FAIL]
    mild = [finding.check for finding in found if finding.state == WARNING]
    if wrong:
        return line(Role.BAD("✗"), f" {failed(wrong, found)}", hang=2)
    if mild:
        return line(Role.WARNING("!"), f" {counted(len(mild), 'warning')}: {', '.join(mild)}", hang=2)
    return line(Role.GOOD("✓"), f" all {len(found)} checks are ok")


def failed(wrong: Collection[str], found: Sequence[CheckResult]) -> str:
    """Return ``2 of 12 checks failed: state, call``."""
    return f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}"


def lines(
    verdict: Line | None, found: Sequence[CheckResult], clean: Callable[[str], str], width: int | None
) -> Iterator[Line]:
    """Yield findings for people: sign, check, what was found; below it what to type, unless that was said before."""
    if verdict is not None:
        yield from (verdict, line(""))
    said: set[str] = set()
    for finding in found:
        first, *more = map(clean, lines_in(finding.detail))
        longest = max(map(cells, first.split()), default=0)
        margin = MARGIN if width is None or MARGIN + longest <= width else 4
        sign = ROLES[finding.state](SIGNS[finding.state])
        yield line(sign, f" {finding.check:<12}  {first}", hang=margin)
        yield from (line(f"{'':{margin}}{text}", hang=margin) for text in more)
        hints = [clean(text) for text in lines_in(finding.hint or "") if text]
        for text in hints:
            if text not in said:
                arrow = "→" if text == hints[0] else " "
                words, run, command = text.partition("Run: ")
                yield line(f"{'':{margin}}{arrow} {words}{run}", Piece(command, whole=True), hang=margin + 2)
        said.update(hints)


def conclude(runtime: Runtime, found: list[CheckResult], *, hint: bool) -> None:
    """Say how many checks passed; raise the error of the worst, with its exit code, and its ``hint`` if wanted.

    What a user has to fix comes before what may pass; among equals the first is the likeliest cause.
    """
    wrong = {finding.check: finding.error for finding in found if finding.error is not None}
    warnings = [finding.check for finding in found if finding.state == WARNING]
    if not wrong:
        mild = f"{len(warnings)} with a warning ({', '.join(warnings)})" if warnings else "all ok"
        if hint:
            runtime.note(f"{len(found)} checks, {mild}.")
        return
    worst: ProxyctlError = min(wrong.values(), key=lambda error: isinstance(error, TemporaryError))
    raise type(worst)(
        f"{failed(wrong, found)}.",
        hint=worst.hint if hint else "",
        problem=worst.problem if hint else None,
    )
