"""A plan as it is shown: a diff for people, which `pool plan`, every --dry-run at a terminal and the questions have;
and what --dry-run prints elsewhere. What the API would refuse is read beforehand, as far as reading shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from proxyctl.commands.listing import drawn
from proxyctl.commands.report import End, no_op_end
from proxyctl.errors import InputError, RefusedError
from proxyctl.pools.decide import THE_POOL
from proxyctl.pools.desired import CHANGES, shown
from proxyctl.pools.facts import problems_of_adds, with_problems
from proxyctl.render.shape import Shape
from proxyctl.roles import Line, Part, Piece, Role, cells, folded, line, plain, size
from proxyctl.runtime import Runtime
from proxyctl.text import CHANGED, command_line, counted, first_of
from proxyctl.writes.guard import after, without_staying
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, chains_of

ADDED, ALTERED, REMOVED = Role.GOOD("+"), Role.CHANGED("~"), Role.BAD("-")
SIGNS = {
    **dict.fromkeys(("create", "add", "attach", "create Session", "add participant"), ADDED),
    **dict.fromkeys(
        ("delete", "remove", "detach", "close", "delete Sessions", "remove participant"), REMOVED
    ),
    "move": Role.CHANGED(">"),
    "refused": Role.BAD("!"),
}
WORDS = {
    "": "send",
    "set webhooks of": "webhooks",
    "create Session": "create",
    "delete Sessions": "delete",
    "add participant": "add",
    "remove participant": "remove",
}
WIDEST = 120
EDGE = 76  # where the counts of the pools end, unless a line is longer
REASONS = 3  # of refusals, for each Service
REQUEST = Shape.generic("request", ("method", "path", "form"), id_field="path")
WOULD = {word: f"would_{word.removesuffix('d')}" for word in CHANGED}
WOULD |= {"added": "would_add", "sent": "would_send"}

Group = dict[tuple[str, str], list[Entry]]  # what happens to numbers, with how: the entries


def diff(plan: Plan, width: int, place: str = "") -> list[Line]:
    """Return a plan as lines of at most ``width``; ``place`` names the Service of what names none."""
    width = min(width, WIDEST)
    of_services: dict[str, list[Entry]] = {}
    for entry in plan.entries:
        if isinstance(entry, Chain) or entry.error is not None:  # not what is as wanted
            of_services.setdefault(entry.service or place, []).append(entry)
            if isinstance(entry, Chain) and entry.source:
                of_services.setdefault(entry.source, [])
    pools = counts_of(plan, place)
    longest = max(map(cells, of_services), default=0)
    leaving = Counter(chain.source for chain in plan.chains if chain.source)
    lines: list[Line] = []
    for name, entries in of_services.items():
        head = headed(name, " " * (longest - cells(name)), entries, leaving[name])
        lines += [*beside(head, pools.get(name, []), width), *body(entries, width, bool(pools.get(name)))]
    return [*lines, *([line("")] if lines else []), line(Role.HEADING("Plan:"), *summary(plan))]


def is_diff(plan: Plan) -> bool:
    """Whether a diff shows more than the question does: not for a request of `api`, and not for `service delete`."""
    return all(chain.change for chain in plan.chains) and all(one.change != "delete" for one in plan.entries)


def summary(plan: Plan) -> list[Part]:
    """Return the counts of what would be done, and of what is refused."""
    counts = Counter(chain.change for chain in plan.chains)
    order = sorted(counts, key=lambda change: CHANGES.index(change) if change in CHANGES else len(CHANGES))
    words = ", ".join(f"{WORDS.get(change, change)} {counts[change]}" for change in order)
    parts: list[Part] = [f" {words}"] if words else []
    if plan.refused:
        parts += ["; " if words else " ", Piece(f"{len(plan.refused)} refused", Role.BAD, whole=True)]
    return parts or [" no changes"]


def in_words(plan: Plan) -> str:
    """Return the same as plain text."""
    return plain(summary(plan)).strip()


def headed(name: str, blank: str, entries: Sequence[Entry], going: int) -> list[Part]:
    """Return the head of a Service: its name, and how much happens to it; ``going`` numbers move elsewhere."""
    chains = [entry for entry in entries if isinstance(entry, Chain)]
    counts = Counter(chain.change for chain in chains)
    fields = sum(len(chain.request.wanted) for chain in chains if chain.change == "update")
    words = [word for word in ("create", "delete") if counts[word]]
    words += [counted(fields, "field")] if fields else []
    words += [
        f"{'move in' if change == 'move' else WORDS.get(change, change)} {count}"
        for change, count in counts.items()
        if change not in ("create", "delete", "update")
    ]
    words += [f"move out {going}"] if going else []
    refused = len(entries) - len(chains)
    sign = SIGNS.get(next((one.change for one in chains if one.change in ("create", "delete")), ""), ALTERED)
    text = f"{blank}  {', '.join(words)}{', ' if words and refused else ''}"
    return [sign, " ", Role.NAME(name), text, *([Role.BAD(f"refused {refused}")] if refused else [])]


def beside(head: list[Part], counts: list[Part], width: int) -> Iterator[Line]:
    """Yield the head with how full the pools get beside it, or below it where there is no room."""
    if counts and size(head) + 2 + size(counts) > width:
        yield line(*head)
        head = []
    edge = min(width, max(EDGE, size(head) + 2 + size(counts)))
    yield line(*head, " " * (edge - size(head) - size(counts)), *counts)


def counts_of(plan: Plan, place: str) -> dict[str, list[Part]]:
    """Return, by Service, how many numbers of each kind its pool holds before and after, where that changes."""
    then = after(without_staying(plan))
    counts: dict[str, list[Part]] = {}
    for room, one in plan.capacities.items():
        if one.open and one.whole and then[room] != one.held and room[1] != "senders":
            name = place if one.name == THE_POOL else one.name
            parts = counts.setdefault(name, [])
            parts += ["  "] if parts else []
            parts += [
                f"{room[1]} ",
                Role.FAINT(f"{one.held} →"),
                f" {then[room]} ",
                Role.FAINT(f"of {one.limit}"),
            ]
    return counts


def body(entries: Sequence[Entry], width: int, counted_there: bool) -> Iterator[Line]:
    """Yield what changes in a Service: its settings one by one, and its numbers by what happens to them."""
    groups: Group = {}
    fields: list[tuple[Chain, str]] = []
    flags = {
        entry.item.is_reserved for entry in entries if isinstance(entry, Chain) and entry.change == "add"
    }
    for entry in entries:
        if isinstance(entry, NoOp):
            groups.setdefault(("refused", reason(entry)), []).append(entry)
        elif entry.change in ("create", "update"):
            fields += [(entry, key) for key in entry.request.wanted]
        elif entry.change != "delete":
            groups.setdefault((entry.change, how(entry, flags, counted_there)), []).append(entry)
    longest = max((len(key) for _, key in fields), default=0)
    for chain, field in fields:
        before = None if chain.change == "create" else shown((chain.before or {}).get(field))
        yield setting(field.ljust(longest), before, shown(chain.request.wanted[field]), width)
    verbs = [WORDS.get(change, change) for change, _ in groups]
    indent = 6 + max(map(len, verbs), default=0) + 2
    refusals = [key for key in groups if key[0] == "refused"]
    for key in [key for key in groups if key[0] != "refused"] + refusals[:REASONS]:
        yield numbers_line(key, list(map(name_of, groups[key])), indent, width)
    left = sum(len(groups[key]) for key in refusals[REASONS:])
    if left:
        yield line(" " * indent, f"… and {left} more refused")


def setting(name: str, before: str | None, value: str, width: int) -> Line:
    """Return how a setting was, unless it is new, and what it becomes."""
    start = f"{name}  "
    hang = max(6, min(6 + len(start), width - cells(value)))  # a URL stays whole
    if before is None:
        return line("    ", ADDED, " ", start, Role.NAME(value), hang=hang)
    return line("    ", ALTERED, " ", start, Role.FAINT(f"{before} →"), " ", Role.NAME(value), hang=hang)


def numbers_line(key: tuple[str, str], names: Sequence[str], indent: int, width: int) -> Line:
    """Return one line of numbers that share what happens to them: as many as fit, and the count of the rest."""
    change, note = key
    word = WORDS.get(change, change)
    room = width - indent - (min(cells(note), 40) + 2 if note else 0)
    start: list[Part] = ["    ", SIGNS.get(change, ALTERED), f" {word.ljust(indent - 6)}"]
    listed = folded(names, room)
    tail: list[Part] = []
    if note:
        tail = ["  ", note if change == "refused" else Role.FAINT(note)]
    hang = indent + cells(listed) + 2 if change == "refused" and cells(listed) < room // 2 else indent
    return line(*start, listed, *tail, hang=hang)


def name_of(entry: Entry) -> str:
    """Return a number as people know it, and as it was given where nobody knows it."""
    seen = entry.seen if isinstance(entry, NoOp) else entry.before
    known = seen or {}
    return (
        known.get("phone_number") or entry.item.phone_number or known.get("unique_name") or entry.item.input
    )


def how(chain: Chain, flags: set[bool | None], counted_there: bool) -> str:
    """Return how numbers of one change differ."""
    if chain.source:
        return f"from {chain.source}"
    if chain.change != "add" or (len(flags) == 1 and counted_there) or chain.item.is_reserved is None:
        return ""
    return "reserved" if chain.item.is_reserved else "unreserved"


def reason(entry: NoOp) -> str:
    """Return why an entry is refused, in words that fit others of the same cause."""
    text = entry.error.message if entry.error else ""
    for name in (entry.item.shown, name_of(entry)):
        text = text.removeprefix(f"{name} ").removeprefix("is ")
    return text.rstrip(".").removeprefix("in use by ").replace("in the pool of Service ", "in ")


# --dry-run


def foreseen(runtime: Runtime, plan: Plan) -> Plan:
    """Return the plan with what the API would refuse: numbers that the account lacks, or that can't join a pool."""
    joining, account = [chain.item for chain in chains_of(plan.entries, "add")], runtime.account
    if not joining:
        return plan
    problems = problems_of_adds(plan.entries, account, runtime.note_once)
    targets = {chain.request.parent for chain in plan.chains}
    others = {one.sid: name for name, one in account.services_by_name().items() if one.sid not in targets}
    for item, holder in account.holders([one for one in joining if one.name not in problems], others):
        text = f"{item.shown} is in the pool of Service {holder.name} ({holder.service_sid})."
        move = command_line("number", "move", item.name, "--from", holder.service_sid, "--to", "SERVICE")
        problems[item.name] = RefusedError(text, hint=f"'{move}' moves it.")
    return replace(plan, entries=tuple(with_problems(plan.entries, problems)))


def show_plan(runtime: Runtime, plan: Plan, shape: Shape, place: str, *, requests: bool) -> None:
    """Print what a plan would do; nothing is sent."""
    if not runtime.options.silent:
        if requests:
            calls = [step.request.call() for chain in plan.chains for step in chain.foreseen]
            rows = [{"method": call.method, "path": call.path, "form": dict(call.data)} for call in calls]
            runtime.out.rows(REQUEST, [rows])
        elif drawn(runtime):
            runtime.out.lines(diff(plan, runtime.console.width, place) if is_diff(plan) else [])
        else:
            fields = set(shape.fields)
            ends = [end_of(entry).row() for entry in plan.entries]
            runtime.out.rows(shape, [[{key: row[key] for key in row if key in fields} for row in ends]])
    say_refused(runtime, plan)
    runtime.note(f"dry run: {in_words(plan)}. Nothing was sent.")


def end_of(entry: Entry) -> End:
    """Return how an item would end."""
    if isinstance(entry, NoOp):
        end = no_op_end(entry)
        return end if entry.error is None else replace(end, action="would_fail")
    request, verbs = entry.request, [step.request.verb for step in entry.foreseen]
    deciding = [verb for verb in verbs if not verb.beside] or verbs
    done = entry.done or deciding[-1].done
    wanted: Mapping[str, object] = {"is_reserved": False} if entry.change == "add" else {}
    flags = ("is_reserved", "status")
    for step in entry.foreseen:
        wanted = {key: value for key, value in step.request.wanted.items() if key in flags} or wanted
    known = {"sid": request.sid, "phone_number": request.phone_number}
    seen = {**{key: value for key, value in known.items() if value}, **(entry.before or {}), **wanted}
    return End(entry.item, WOULD.get(done, done), seen, service=entry.service)


def say_refused(runtime: Runtime, plan: Plan) -> None:
    """Say what of a plan would fail, if no diff shows it: the first 20, and the count of the rest."""
    if drawn(runtime):
        return
    lines = []
    for entry in plan.refused:
        if not isinstance(entry.error, InputError):  # named already
            hint = getattr(entry.error, "hint", None)
            lines.append(f"{entry.item.shown}: would fail: {entry.error}{f' {hint}' if hint else ''}")
    runtime.say(*first_of(lines, "more would fail."))


def advice(plan: Plan) -> list[str]:
    """Return what to do about each kind of refusal, once."""
    hints = [hint for entry in plan.refused if (hint := getattr(entry.error, "hint", None))]
    return list(dict.fromkeys(hints))
