"""How the findings are printed: the verdict and lines for people, rows for programs; then the worst error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from proxyctl.doctor.checks import FAIL, OK, WARNING, CheckResult, examine
from proxyctl.errors import ConfigError, ProxyctlError, TemporaryError
from proxyctl.render.shapes import Shape
from proxyctl.roles import Line, Piece, Role, cells, line
from proxyctl.text import counted, lines_in

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

FIELDS = ("check", "state", "detail", "hint")
SHAPE = Shape.generic("check", FIELDS, id_field="check")
SIGNS = {OK: Role.GOOD("✓"), WARNING: Role.WARNING("!"), FAIL: Role.BAD("✗")}
MARGIN = 16  # columns that sign and check take


def report(runtime: Runtime) -> None:
    """Make every check and print its finding; raise the error of the worst."""
    try:
        runtime.format  # noqa: B018 - made on first use
    except ConfigError:  # a config that can't be read is a finding, and not the end
        runtime.format = runtime.usual_format
    runtime.out.check(SHAPE)
    clean = runtime.console.redactor.clean
    with runtime.waiting("checking"):
        found = list(examine(runtime))
    found = [one._replace(detail=clean(one.detail), hint=one.hint and clean(one.hint)) for one in found]
    shown = [one for one in found if one.state != OK or not runtime.options.silent]
    people = runtime.format == "table" and runtime.options.fields is None
    if people:
        runtime.out.lines(lines(found, shown, runtime.console.width) if shown else ())
    else:
        runtime.out.rows(SHAPE, [[{name: getattr(one, name) for name in FIELDS} for one in shown]])
    # What a user has to fix comes before what may pass; among equals the first is the likeliest cause.
    errors = [one.error for one in found if one.error is not None]
    if errors:
        worst: ProxyctlError = min(errors, key=lambda error: isinstance(error, TemporaryError))
        hint, problem = ("", None) if people else (worst.hint, worst.problem)
        raise type(worst)(f"{verdict(found)[1]}.", hint=hint, problem=problem)
    if not people:
        runtime.note(f"{verdict(found)[1]}.")


def verdict(found: Sequence[CheckResult]) -> tuple[str, str]:
    """Return the worst state, and a sentence on whether all is in order."""
    wrong, mild = ([one.check for one in found if one.state == state] for state in (FAIL, WARNING))
    if wrong:
        return FAIL, f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}"
    if mild:
        return WARNING, f"{counted(len(mild), 'warning')}: {', '.join(mild)}"
    return OK, f"all {len(found)} checks are ok"


def lines(found: Sequence[CheckResult], shown: Sequence[CheckResult], width: int) -> Iterator[Line]:
    """Yield findings for people: sign, check, what was found; below it what to type, unless that was said before."""
    state, words = verdict(found)
    yield line(SIGNS[state], f" {words}", hang=2)
    yield line("")
    said: set[str] = set()
    for finding in shown:
        first, *more = lines_in(finding.detail)
        longest = max(map(cells, first.split()), default=0)
        margin = MARGIN if MARGIN + longest <= width else 4
        yield line(SIGNS[finding.state], f" {finding.check:<12}  {first}", hang=margin)
        yield from (line(f"{'':{margin}}{text}", hang=margin) for text in more)
        hints = [text for text in lines_in(finding.hint or "") if text]
        for text in hints:
            if text not in said:
                arrow = "→" if text == hints[0] else " "
                words, run, command = text.partition("Run: ")
                yield line(f"{'':{margin}}{arrow} {words}{run}", Piece(command, whole=True), hang=margin + 2)
        said.update(hints)
