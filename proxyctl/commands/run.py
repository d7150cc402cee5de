"""Every write, step by step: lock, read, decide, guard, ask, save, record, send, report.

Commands differ in the function that makes the plan, and in nothing else. Nothing is sent before the confirmation, the
saved file and the record. No lock is held while a question is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from proxyctl.api.models import Service
from proxyctl.commands.listing import drawn
from proxyctl.commands.number.given import Given, Rest
from proxyctl.commands.permission import can_ask, guarded, in_question, read_plan, refuses
from proxyctl.commands.pool.plan_text import advice, diff, foreseen, is_diff, show_plan
from proxyctl.commands.report import CORRECT, End, Report, report_of
from proxyctl.commands.second_look import Check, send_and_check, stranded
from proxyctl.commands.sending import Journal, load_what_reports
from proxyctl.commands.session.holders import say_holders
from proxyctl.errors import OutputError, PartialError, TemporaryError, UsageError
from proxyctl.input.rest import Left, text_of_rest
from proxyctl.named_files import write_output_file
from proxyctl.render.shape import Shape
from proxyctl.render.shapes import RESULT
from proxyctl.roles import Line, Part, Role, line, with_counts
from proxyctl.runtime import Runtime
from proxyctl.text import Lines, counted
from proxyctl.writes.guard import NO_UNRESERVED, needs
from proxyctl.writes.plan import Plan, chains_of

SEE_HISTORY = "The work was done. 'proxyctl history list' and 'history show' show it."


@dataclass(frozen=True, slots=True)
class Job:
    """What a command wants carried out.

    ``command`` is the one that the rules of the guard name. ``sids`` are the Services that are locked (None: the list
    of Services), ``decide`` reads and makes the plan, and is called again where something may have changed meanwhile.
    ``service`` is the one that the history names, if it is one alone, and ``undoes`` the run that is taken back. The
    summary names the first, or ``names``. ``save`` keeps what could not come back otherwise. ``typed`` is what a
    person types to agree, ``permitted`` the rules that were permitted at a prompt.
    """

    command: str
    sids: Sequence[str | None]
    decide: Callable[[], Plan]
    done: str = ""
    single: bool | None = False  # None: if the plan is about one item
    service: Service | None = None
    save: Callable[[Runtime, Plan], object] | None = None  # default: the numbers that leave
    typed: str | None = None
    check: Check = stranded  # what is checked again afterwards
    foresee: Callable[[Plan], Plan] = lambda plan: plan  # the plan as people see it
    shape: Shape = RESULT
    undoes: str | None = None
    names: Sequence[str] = ()
    permitted: set[str] = field(default_factory=set)

    def is_single(self, plan: Plan) -> bool:
        """Whether the error of one item is that of the run."""
        return len(plan.entries) == 1 if self.single is None else self.single


def run_numbers(
    runtime: Runtime, command: str, service: Service, given: Given, decide: Callable[[], Plan], done: str
) -> None:
    """Carry a number verb out on one Service, and report; raises the error of the run."""
    job = Job(command, [service.sid], given.deciding(decide), done, given.single, service)
    report = carry_out(runtime, job)
    if command == "remove":
        say_holders(runtime, service, report)
    finish(runtime, RESULT, report, given.rest)


def carry_out(runtime: Runtime, job: Job) -> Report | None:
    """Carry a job out; None where --dry-run only showed it. Raises what kept it from being begun."""
    title = f"{job.command} {services_of(job)}".rstrip()  # of the line that shows the run
    with Journal(runtime, title, job.service, names_of(job), job.undoes) as journal:
        report = carry_out_round(runtime, job, journal)
        if report is not None:
            report = replace(report, run=journal.run)
            journal.end(report)
        return report


def carry_out_round(runtime: Runtime, job: Job, journal: Journal) -> Report | None:
    """Carry out one round of a run, which holds the lock for as long as it takes; `carry_out` makes one of it."""
    journal.say_unfinished(job.sids)
    if runtime.options.dry_run:
        rehearse(runtime, job)
        return None
    if runtime.options.requests:
        raise UsageError("--requests goes with --dry-run.", hint="Add --dry-run, or leave --requests out.")
    with runtime.lock(*job.sids):
        plan = read_plan(runtime, job.decide, job.command, job.sids)
        asked = question(runtime, job, plan) if can_ask(runtime) else []
        if not asked:
            plan = guarded(runtime, plan, job.command, job.permitted)
            if asked := with_changes(runtime, job, plan, plan.asked):
                runtime.confirm(*asked, typed=job.typed)
            return send(runtime, job, plan, journal)
    runtime.confirm(*asked, typed=job.typed)
    with runtime.lock(*job.sids):
        again = read_plan(runtime, job.decide, job.command, job.sids)
        if (again.fingerprint(), question(runtime, job, again)) != (plan.fingerprint(), asked):
            raise TemporaryError("Changed since it was shown.", hint="Run the command again.")
        job.permitted.update(need.rule for need in needs(plan, job.command, ()))
        plan = guarded(runtime, again, job.command, job.permitted)
        return send(runtime, job, plan, journal)


def rehearse(runtime: Runtime, job: Job) -> None:
    """Print what would be done; raise the error that the run would end with, as far as reading shows it."""
    read = read_plan(runtime, job.decide, job.command, job.sids)
    plan = job.foresee(foreseen(runtime, guarded(runtime, read, job.command, job.permitted)))
    whole = is_diff(plan)  # else the question has all of it
    runtime.note(*(plan.asked or read.asked if whole else question(runtime, job, read)))
    requests = runtime.options.requests or job.command == "api"
    show_plan(runtime, plan, job.shape, place_of_plan(job), requests=requests)
    bad = plan.refused
    if bad and job.is_single(plan) and bad[0].error is not None:
        raise bad[0].error
    if bad:
        hints = advice(plan) if drawn(runtime) else []
        text = f"{len(bad)} of {counted(len(plan.entries), 'item')} would fail."
        raise PartialError(text, hint=Lines(*hints, CORRECT))


def question(runtime: Runtime, job: Job, plan: Plan) -> list[Line]:
    """Return what a person has to agree to: what is destroyed, and the rules that the plan needs permitted.

    RefusedError: no permission would help.
    """
    whole, rules = in_question(runtime, plan, job.command, job.permitted)
    asked = whole.asked or ([heading(runtime, "Change", Role.NAME(place_of_plan(job)))] if rules else [])
    yes = f"Typing {job.typed}" if job.typed else "A yes"
    answer = yes if can_ask(runtime) else "--allow RULE"
    permits = [line(""), line(f"{answer} permits {'this' if len(rules) == 1 else 'all of this'}:"), *rules]
    return [*with_changes(runtime, job, whole, asked), *(permits if rules else [])]


def with_changes(runtime: Runtime, job: Job, plan: Plan, asked: list[Line]) -> list[Line]:
    """Return a question with what changes below it, unless that is one thing, which the question names."""
    if not asked or not is_diff(plan):
        return asked
    return [*asked, line(""), *diff(job.foresee(plan), runtime.console.width, place_of_plan(job))]


def send(runtime: Runtime, job: Job, plan: Plan, journal: Journal) -> Report:
    """Save, record and send what was decided."""
    if not plan.chains:
        report = report_of(plan.entries, (), None)
    else:
        (job.save or save_leaving)(runtime, plan)
        load_what_reports(runtime)
        runtime.stop.running = True
        journal.begin_round(plan, job.sids)
        keeping = refuses(runtime, NO_UNRESERVED, job.command, job.permitted)
        ends, run = send_and_check(runtime, plan, journal, job.check, keeping=keeping)
        report = report_of(plan.entries, ends, run, runtime.account.holder_of)
    services, label = services_of(job), runtime.profile.label
    where = f"{services} ({label})" if services else label
    return replace(report, done=job.done, single=job.is_single(plan), where=where)


def save_leaving(runtime: Runtime, plan: Plan) -> None:
    """Save which numbers are about to leave their pools; one alone needs no file."""
    going = chains_of(plan.entries, "remove")
    if len(going) > 1:
        from proxyctl.commands.saved_file import save_chains

        save_chains(runtime, going)


# What is shown


def heading(runtime: Runtime, verb: str, *parts: Part, sids: Sequence[str] = ()) -> Line:
    """Return the first line of a question: what will be done, to what, and as whom."""
    who = ", ".join([*sids, runtime.profile.label, f"account {runtime.data_account}"])
    return line(Role.BAD(verb), " ", *parts, "  ", Role.FAINT(f"({who})"), hang=2)


def of_account(runtime: Runtime) -> str:
    """Say as whom something will be done."""
    return f"of account {runtime.data_account} ({runtime.profile.label})"


def services_of(job: Job) -> str:
    """Return the names of the Services that a run works on, up to three."""
    names = names_of(job)
    return ", ".join(names) if len(names) <= 3 else counted(len(names), "Service")


def names_of(job: Job) -> Sequence[str]:
    """Return the names of the Services that a run works on."""
    return job.names or ([job.service.name] if job.service else [])


def place_of_plan(job: Job) -> str:
    """Return the Service of the numbers whose plan names none: the last, where several are changed."""
    return job.service.name if job.service else next(reversed(job.names), "")


def finish(runtime: Runtime, shape: Shape, report: Report | None, rest: Rest) -> None:
    """Print rows, failures and summary, write what is left, and raise the error of the run.

    What can't be written is reported as well, and stops none of the rest.
    """
    if report is None:
        return
    runtime.stop.ending = True
    for note, count in Counter(end.note for end in report.ends if end.note).items():
        runtime.note(f"{count} unchanged: {note}.")
    error = report.error()
    lost = []
    options = runtime.options
    wanted = not options.quiet or (error is not None and not options.silent)
    for_people = options.output is None and runtime.console.terminal.stdout  # they get the summary
    if wanted and not for_people:
        fields = set(shape.fields)
        rows = [{key: value for key, value in end.row().items() if key in fields} for end in report.ends]
        lost.append(lost_output(lambda: runtime.out.rows(shape, [rows])))
    lost += write_rest(rest, report.ends)
    if error is None:
        runtime.note(with_counts(report.summary()))
    elif not report.single:
        runtime.say(*report.failure_lines(runtime.console.width if runtime.console.terminal.stderr else None))
    losses = [each for each in lost if each is not None]
    failure = error or (losses.pop() if losses else None)
    for loss in losses:
        runtime.warn(loss.message)
    if failure is not None:
        raise failure


def write_rest(rest: Rest, ends: Sequence[End]) -> Iterator[OutputError | None]:
    """Write --failed-to and --untried-to; yield what could not be written."""
    bad = [end for end in ends if end.bad and (end.item.sid or end.item.phone_number or end.item.raw)]
    tried = [left_of(end) for end in bad if end.action != "skipped"]
    untried = [Left(end.item) for end in bad if end.action == "skipped"]
    files = [("--failed-to", rest.failed_to, tried), ("--untried-to", rest.untried_to, untried)]
    for option, path, left in files:
        if path is not None:
            data = text_of_rest(left, rest.contents).encode()
            yield lost_output(partial(write_output_file, path, data), f"{option} {path}")


def left_of(end: End) -> Left:
    """Return an input that is not as wanted, with the reason."""
    error = end.error
    return Left(end.item, error.message if error else end.action, int(error.exit_code) if error else None)


def finish_one(runtime: Runtime, report: Report | None, show: Callable[[End], None]) -> None:
    """Let ``show`` print the one item of a run if it is as wanted, and raise the error of the run."""
    if report is None:
        return
    runtime.stop.ending = True
    error, end = report.error(), report.ends[0]
    if not end.bad:
        show(end)
    if error is not None:
        raise error


def show_one(runtime: Runtime, shape: Shape, end: End) -> None:
    """Print what a run made or changed, unless nothing is to be printed."""
    if not runtime.options.silent:
        runtime.out.one(shape, dict(end.seen or {}))


def lost_output(write: Callable[[], object], what: str = "the rows") -> OutputError | None:
    """Write ``what``; return the error where it is lost: the work is done, and still has to be reported."""
    try:
        write()
    except OutputError as error:
        return OutputError(error.message, hint=SEE_HISTORY)
    except OSError as error:
        return OutputError(f"{what} could not be written: {error.strerror or error}", hint=SEE_HISTORY)
    return None
