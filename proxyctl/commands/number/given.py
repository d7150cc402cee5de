"""The numbers that a verb is given: as arguments and with ``-f FILE``, read and checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proxyctl.api.models import Service
from proxyctl.commands.permission import allowed_rules
from proxyctl.errors import InputError, UsageError
from proxyctl.input.items import Item, Reading
from proxyctl.input.refusal import notes_on, skipped_rows
from proxyctl.input.rows import Contents
from proxyctl.named_files import STDIN, check_output_file
from proxyctl.render.shape import Shape
from proxyctl.render.shapes import RESULT
from proxyctl.runtime import Runtime
from proxyctl.text import show
from proxyctl.writes.guard import EMPTY_INPUT, by_rule
from proxyctl.writes.plan import NoOp, Plan

Numbers = Sequence[str]  # as typed


@dataclass(frozen=True, slots=True)
class Rest:
    """Where the inputs go that are left of a run; ``contents`` is the form of the file that they came from."""

    failed_to: Path | None
    untried_to: Path | None
    contents: Contents | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a verb works on, as it was typed. ``single``: one number was named, so its own error is the run's."""

    reading: Reading
    single: bool
    rest: Rest

    @property
    def items(self) -> tuple[Item, ...]:
        """The numbers, in the order given."""
        return self.reading.items

    def require(self, service: Service) -> None:
        """Refuse rows which say that they are of another Service. InputError, unless bad rows are skipped."""
        self.reading.require_service(service.sid, titled(service))

    def deciding(self, decide: Callable[[], Plan]) -> Callable[[], Plan]:
        """Return ``decide`` with the rows that are skipped as items that fail."""
        bad = tuple(NoOp(item, error=error) for item, error in self.reading.rejected)

        def decided() -> Plan:
            plan = decide()
            return replace(plan, entries=(*plan.entries, *bad))

        return decided if bad else decide


def begin(
    runtime: Runtime,
    numbers: Numbers,
    *,
    use_is_reserved: bool = False,
    required: bool = True,
    shape: Shape = RESULT,
    kind: type[Reading] = Reading,
) -> Given:
    """Check all that a verb was given, before anything is read or sent. ``kind`` reads it."""
    runtime.out.check(shape)
    reading, file = kind(), runtime.options.file
    if required or numbers or file is not None:
        reading = read_input(runtime, numbers, use_is_reserved=use_is_reserved, kind=kind)
    if reading.empty_reason:
        if file != STDIN and EMPTY_INPUT not in allowed_rules(runtime):
            raise by_rule(InputError(reading.empty_reason), EMPTY_INPUT)
        runtime.note(f"{reading.empty_reason}.")
    rest = rest_of(runtime, file, contents=reading.contents)
    runtime.guard_writes()
    return Given(reading, file is None and len(numbers) == 1, rest)


def read_input(
    runtime: Runtime, numbers: Numbers, *, use_is_reserved: bool = False, kind: type[Reading] = Reading
) -> Reading:
    """Read what a verb works on, from its arguments and ``-f FILE``; all of it is checked here."""
    file = runtime.options.file
    if not numbers and file is None:
        raise UsageError("no numbers were given.", hint="Name them as arguments, or in a file with -f FILE.")
    stdin = runtime.open_input()
    reading = kind(
        numbers or (),
        default_country=runtime.options.default_country,
        use_is_reserved=use_is_reserved,
        account_sid=runtime.profile.account_sid,
        column=runtime.options.column,
        skip_bad=runtime.options.skip_bad_rows,
    )
    if file is not None:
        reading.read(file, stdin)
    reading.require_usable()
    runtime.say(*skipped_rows(reading))
    if reading.contents.unknown:
        runtime.note(f"the first line, {show(reading.contents.header[0])}, is read as a header.")
    for note in notes_on(reading.noted):
        runtime.note(note)
    return reading


def rest_of(runtime: Runtime, *inputs: str | None, contents: Contents | None = None) -> Rest:
    """Check --failed-to and --untried-to: each can be written, and is none of ``inputs``. UsageError."""
    options = runtime.options
    failed_to = check_output_file("--failed-to", options.failed_to, inputs)
    untried_to = check_output_file("--untried-to", options.untried_to, [*inputs, options.failed_to])
    if untried_to is not None and untried_to == failed_to:
        raise UsageError("--failed-to and --untried-to name one file.", hint="Name two files.")
    return Rest(failed_to, untried_to, contents)


def titled(service: Service) -> str:
    """Return a Service as a question names it: by its name, if that is known, and its SID."""
    return f"{service.unique_name} ({service.sid})" if service.unique_name else service.sid
