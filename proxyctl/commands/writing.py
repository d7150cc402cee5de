"""What commands that write share: --dry-run's list of requests, and the history's record of what was written."""

from __future__ import annotations

import getpass
import shlex
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from proxyctl.errors import Interrupted, OutputError, ProxyctlError, exit_status
from proxyctl.signals import Signalled

if TYPE_CHECKING:
    from proxyctl.api.calls import Call
    from proxyctl.api.models import Service
    from proxyctl.bulk.outcomes import Outcome, Work
    from proxyctl.input.items import Item
    from proxyctl.pools.changes import Change
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder


LONGEST_COMMAND = 1000  # characters: the items of a run have all the numbers


def show_calls(runtime: Runtime, calls: Sequence[Call]) -> None:
    """Print the requests that would be sent, a row each; nothing is sent."""
    from proxyctl.render.shapes import Shape

    shape = Shape.generic("request", ("method", "path", "form"), id_field="path")
    rows = [{"method": call.method, "path": call.path, "form": dict(call.data)} for call in calls]
    runtime.out.rows(shape, [rows])
    requests = "1 request" if len(calls) == 1 else f"{len(calls)} requests"
    runtime.note(f"dry run: {requests} would be sent; nothing was.")


def command_line(runtime: Runtime) -> str:
    """Return what was typed, cut where it names hundreds of numbers. No option takes a secret, so it holds none."""
    from proxyctl.visible import cut

    return cut(shlex.join(["proxyctl", *runtime.argv]), LONGEST_COMMAND)


def begin(runtime: Runtime, service: Service | None) -> RunRecorder | None:
    """Open the record of a run, or None with --no-history. Raises OutputError that says so."""
    from proxyctl.state.record import RunInfo

    if runtime.options.no_history:
        return None
    info = RunInfo(
        command=command_line(runtime),
        profile=runtime.profile.name,
        account_sid=runtime.profile.account_sid,
        service_sid=service.sid if service else None,
        service_name=service.unique_name if service else None,
        user=user_name(),
        host=socket.gethostname(),
    )
    with nothing_sent():
        return runtime.history.begin(info, runtime.server_now)


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Say of a history that can't be written that this came first."""
    try:
        yield
    except OutputError as error:
        raise OutputError(
            f"the history can't be written, so nothing was sent: {error.message}",
            hint="Set PROXYCTL_STATE_DIR to a directory of yours, or add --no-history to go on without.",
        ) from None


def user_name() -> str | None:
    """Return who is running this, where the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


@contextmanager
def late(runtime: Runtime) -> Iterator[None]:
    """Keep an OutputError for the end of the command: what was done comes first, and is told all the same."""
    try:
        yield
    except OutputError as error:
        runtime.late_errors.append(
            OutputError(f"what was done could not be recorded: {error.message}", hint=error.hint)
        )


class Record:
    """The record of one single write; without a recorder it only listens."""

    def __init__(self, runtime: Runtime, recorder: RunRecorder | None) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._after: Mapping[str, Any] | None = None
        self._facts: dict[str, Any] = {}

    def done(self, after: Mapping[str, Any] | None, **facts: Any) -> None:
        """Say that it worked: ``after`` is the resource as it is now."""
        self._after = after
        self._facts = facts

    def end(self, error: ProxyctlError | None) -> None:
        """Write the outcome and the end of the run."""
        if self._recorder is None:
            return
        with late(self._runtime):
            self._recorder.outcome(0, {**outcome_of(error), "after": self._after, **self._facts})
            state = "failed" if error else "done"
            self._recorder.end({state: 1}, exit_status(error) if error else 0)


def outcome_of(error: ProxyctlError | None) -> dict[str, Any]:
    """Return what the history keeps of how a single write ended."""
    if error is None:
        return {"state": "done"}
    problem = error.problem
    return {
        "state": "unknown" if error.may_have_happened else "failed",
        "message": error.message,
        "code": problem.code if problem else None,
        "status": problem.status if problem else None,
        "request_id": problem.request_id if problem else None,
    }


@contextmanager
def recorded(
    runtime: Runtime,
    action: str,
    *,
    before: Mapping[str, Any] | None,
    service: Service | None = None,
    when: bool = True,
) -> Iterator[Record]:
    """Record one single write: its intent before the body runs, its outcome after."""
    recorder = announce(runtime, action, before, service) if when else None
    record = Record(runtime, recorder)
    try:
        yield record
    except Signalled as signalled:
        interrupted = cut_short(signalled) if when else Interrupted(signalled.number)
        record.end(interrupted)
        raise interrupted from None
    except ProxyctlError as error:
        record.end(error)
        raise
    else:
        record.end(None)
    finally:
        if recorder is not None:
            recorder.close()


def announce(
    runtime: Runtime, action: str, before: Mapping[str, Any] | None, service: Service | None
) -> RunRecorder | None:
    """Open the record of one single write with its intent; None with --no-history."""
    recorder = begin(runtime, service)
    if recorder is not None:
        try:
            with nothing_sent():
                recorder.intent(0, {"action": action, "before": before})
        except OutputError:
            recorder.close()
            raise
    return recorder


def cut_short(signalled: Signalled) -> Interrupted:
    """Return the error for a write whose answer nobody waited for."""
    error = Interrupted(
        signalled.number,
        "interrupted before the answer came: the change may have been made.",
        hint="Look whether it was before you run the same command again.",
    )
    error.may_have_happened = True
    return error


class BulkJournal:
    """The engine's journal: each change before it is sent, and what came of it.

    What can't be written is told once: by the engine, which stops at it, or at the end of the command.
    """

    def __init__(self, runtime: Runtime, recorder: RunRecorder | None) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._told = False

    def intent(self, work: Work) -> None:
        """Record what is about to be sent."""
        if self._recorder is not None:
            with self._telling():
                self._recorder.intent(work.index, self.intent_of(work))

    def intent_of(self, work: Work) -> dict[str, Any]:
        """Return what the history keeps of a change before it is sent."""
        return change_intent(work.payload, work.payload.item)

    def outcome(self, work: Work, outcome: Outcome) -> None:
        """Record what came of it."""
        if self._recorder is not None:
            with self._telling():
                self._recorder.outcome(work.index, bulk_outcome(outcome))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OutputError:
            self._told = True
            raise

    def end(self, counts: Mapping[str, int], exit_code: int) -> None:
        """Record the end of the run."""
        if self._recorder is None:
            return
        with suppress(OutputError) if self._told else late(self._runtime):
            self._recorder.end(counts, exit_code)


def change_intent(change: Change, item: Item) -> dict[str, Any]:
    """Return what the history keeps of the change of a number that was named by ``item``."""
    return {
        "action": str(change.kind),
        "input": item.input,
        "sid": change.sid,
        "phone_number": change.number.phone_number if change.number else change.item.phone_number,
        "before": {"is_reserved": change.number.is_reserved} if change.number else None,
        "after": None if change.is_reserved is None else {"is_reserved": change.is_reserved},
    }


def bulk_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return what the history keeps of one attempt."""
    from proxyctl.bulk.outcomes import Done

    if not isinstance(outcome, Done):
        return {**outcome_of(outcome.error), "state": type(outcome).__name__.lower()}
    written = outcome.detail
    number = written.number if written else None
    return {
        "state": "done",
        "action": outcome.action,
        "sid": number.sid if number else None,
        "phone_number": number.phone_number if number else None,
        "request_id": written.request_id if written else None,
    }


@contextmanager
def bulk_journal(
    runtime: Runtime,
    service: Service | None,
    journal: Callable[[Runtime, RunRecorder | None], BulkJournal] = BulkJournal,
) -> Iterator[BulkJournal]:
    """Record a bulk run, on one Service or (None) on several; ``journal`` makes what the engine tells."""
    recorder = begin(runtime, service)
    try:
        yield journal(runtime, recorder)
    finally:
        if recorder is not None:
            recorder.close()
