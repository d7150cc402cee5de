"""A fake account on which plans are carried out, answers in any order: refused, stopped, killed."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proxyctl.bulk.outcomes import Done, Lost, Outcome, Refused, Result, Task
from proxyctl.commands.sending import intent_of, outcome_of
from proxyctl.errors import ProxyctlError, RefusedError, TemporaryError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, add_chain, flag_chain, move_chain, place, remove_chain, through
from proxyctl.pools.desired import World, plan_of
from proxyctl.state.record import ItemRecord
from proxyctl.writes.flow import Flow
from proxyctl.writes.plan import Capacity, Chain, Entry, Plan, Room
from proxyctl.writes.requests import ADD, ATTACH, CREATE_SERVICE, DETACH, REMOVE, Request, Seen

FULL = {True: 5000, False: 500}
Rate = float | Callable[[int], bool]
Pools = Mapping[str, Mapping[str, bool]]


class Account:
    """Pools by Service, {number: is_reserved}; which numbers a Messaging Service has, and which are in use.

    ``most_out``: how many were in no pool at a time, ``least``: how few of a kind a pool held. ``sent`` has the
    requests of the last run by index, with their results (None: it was killed before).
    """

    def __init__(
        self,
        pools: Pools,
        limits: Mapping[bool, int] = FULL,
        senders: Iterable[str] = (),
        busy: Iterable[str] = (),
    ) -> None:
        self.limits = limits
        self.pools = {service: dict(pool) for service, pool in pools.items()}
        self.owned = {number for pool in pools.values() for number in pool}
        self.senders = dict.fromkeys(senders, "MG")
        self.busy = set(busy)
        self.most_out = 0
        self.least = {(name, flag): self.count(name, flag) for name in pools for flag in (True, False)}
        self.sent: dict[int, tuple[Request, Result | None]] = {}

    def count(self, service: str, flag: bool) -> int:
        return sum(value is flag for value in self.pools[service].values())

    def out(self) -> set[str]:
        """The numbers that were in a pool, and are in none now."""
        return self.owned - {number for pool in self.pools.values() for number in pool}

    def capacities(self) -> dict[Room, Capacity]:
        return {
            place(service, flag): Capacity(service, self.count(service, flag), self.limits[flag])
            for service in self.pools
            for flag in (True, False)
        }

    def answer(self, request: Request) -> ProxyctlError | None:
        """Carry a request out; return the refusal, if it is one."""
        verb, service, number = request.verb, request.parent, request.name
        if verb is CREATE_SERVICE:
            self.pools[number] = {}
        elif verb is ATTACH:
            self.senders[number] = service
        elif verb is DETACH:
            self.senders.pop(number, None)
        elif verb is REMOVE:
            assert number not in self.busy, f"{number} is in use"
            flag = self.pools[service].pop(number)
            self.least[service, flag] = min(self.least.get((service, flag), 0), self.count(service, flag))
        else:
            flag = bool(request.wanted["is_reserved"])
            if verb is ADD and number in self.senders:
                return RefusedError("in a Messaging Service")
            held = [name for name, pool in self.pools.items() if number in pool]
            assert verb is not ADD or not held, f"{number} added twice"
            if self.count(service, flag) >= self.limits[flag]:
                return RefusedError("full")
            self.pools[service][number] = flag
            self.least[service, not flag] = min(
                self.least.get((service, not flag), 0), self.count(service, not flag)
            )
        self.most_out = max(self.most_out, len(self.out()))
        return None

    def row(self, service: str, number: str) -> dict[str, Any]:
        return {"sid": sid(number), "phone_number": number, "is_reserved": self.pools[service][number]}

    # Chains

    def add(self, service: str, number: str, flag: bool) -> Chain:
        return add_chain(home(service), Item(number, sid(number), number), flag)

    def flag(self, service: str, number: str) -> Chain:
        """Reserve an unreserved number, release a reserved one."""
        row = self.row(service, number)
        return flag_chain(home(service), Item(number, sid(number), number), row, not row["is_reserved"])

    def remove(self, service: str, number: str) -> Chain:
        return remove_chain(home(service), Item(number, sid(number), number), self.row(service, number))

    def move(self, number: str, source: str, target: str, messaging_service: str | None = None) -> Chain:
        row = self.row(source, number)
        item = Item(number, sid(number), number)
        chain = move_chain(home(source), home(target), item, row, row["is_reserved"])
        return through(chain, messaging_service, messaging_service)


def planned(account: Account, entries: Sequence[Entry]) -> Plan:
    """What these entries come to in these pools."""
    return replace(plan_of(entries, World()), capacities=account.capacities())


def home(service: str) -> Home:
    return Home(service, service)


def sid(number: str) -> str:
    return f"PN{int(''.join(char for char in number if char.isdigit()) or 0):032x}"


def run(
    account: Account,
    plan: Plan,
    rng: random.Random,
    *,
    refused: Mapping[str, Rate] | None = None,
    stop_at: int | None = None,
    kill_at: int | None = None,
    under_way: int = 25,
) -> Flow:
    """Carry a plan out. ``refused``: by verb, how often the API says no; ``rollback`` too, and ``unknown``.

    Of the requests that are on their way when it is killed, some arrive.
    """
    flow = Flow(plan)
    queue, sent, answers = deque(flow.start()), list[Task](), 0
    account.sent = {}
    while queue or sent:
        while queue and len(sent) < under_way:
            sent.append(queue.popleft())
            account.sent[sent[-1].index] = (sent[-1].payload.request, None)
        answers += 1
        if kill_at is not None and answers >= kill_at:
            for task in sent:
                if rng.random() < 0.5:
                    account.answer(task.payload.request)
            return flow
        task = sent.pop(rng.randrange(len(sent)))
        result = result_of(account, task, answers, rng, refused or {})
        account.sent[task.index] = (task.payload.request, result)
        queue.extend(flow.follow(result))
        if answers == stop_at:
            error = TemporaryError("deadline")
            unsent = [task for task in queue if not task.rescue]
            queue = deque(task for task in queue if task.rescue)
            queue.extend(flow.stop(error))
            while unsent:
                more = list(flow.follow(Result(unsent.pop().index, "skipped", error=error)))
                unsent.extend(task for task in more if not task.rescue)
                queue.extend(task for task in more if task.rescue)
    return flow


def result_of(
    account: Account, task: Task, answers: int, rng: random.Random, refused: Mapping[str, Rate]
) -> Result:
    request: Request = task.payload.request

    def happens(rate: Rate) -> bool:
        return rate(answers) if callable(rate) else rng.random() < rate

    no = happens(refused.get("rollback" if task.rescue else request.verb.name, 0))
    error = RefusedError("refused") if no else account.answer(request)
    if happens(refused.get("unknown", 0)):
        return Result(task.index, "unknown", error=TemporaryError("the answer was lost"))
    if error is None:
        made = request.name if request.verb is CREATE_SERVICE else sid(request.name)
        seen = Seen({"sid": request.sid or made, **request.wanted})
        return Result(task.index, "done", request.verb.done, seen)
    return Result(task.index, "failed", error=error, full=error.message == "full")


def records(account: Account) -> list[ItemRecord]:
    """What the history holds of the last run."""
    found = []
    for index, (request, result) in sorted(account.sent.items()):
        outcome: Outcome | None = None
        if result is not None and result.state == "done":
            outcome = Done(result.action or "", result.detail)
        elif result is not None:
            error = result.error or TemporaryError("no")
            outcome = Lost(error) if result.state == "unknown" else Refused(error)
        kept = None if outcome is None else outcome_of(request, outcome)
        lost = isinstance(outcome, Lost)
        found.append(ItemRecord(index, intent_of(request), kept, 1, lost))
    return found


def states(flow: Flow) -> dict[str, int]:
    return dict(Counter(end.state for end in flow.ends()))


def goal_chains(account: Account, goal: Mapping[str, Mapping[str, bool]]) -> Iterator[Chain]:
    """What leads from the account to ``goal``, number by number; a number that changes both is moved first."""
    where = {number: service for service, pool in account.pools.items() for number in pool}
    for service, pool in goal.items():
        for number, flag in pool.items():
            if number not in where:
                yield account.add(service, number, flag)
            elif where[number] != service:
                yield account.move(number, where[number], service)
            elif account.pools[service][number] is not flag:
                yield account.flag(service, number)
    wanted = {number for pool in goal.values() for number in pool}
    yield from (account.remove(service, number) for number, service in where.items() if number not in wanted)


def random_pools(
    rng: random.Random, numbers: Collection[str], limits: Mapping[bool, int]
) -> dict[str, dict[str, bool]]:
    pools: dict[str, dict[str, bool]] = {"A": {}, "B": {}, "C": {}}
    for number in rng.sample(sorted(numbers), len(numbers)):
        options = [
            (service, flag)
            for service, pool in pools.items()
            for flag in (True, False)
            if sum(value is flag for value in pool.values()) < limits[flag]
        ]
        if options and rng.random() < 0.6:
            service, flag = rng.choice(options)
            pools[service][number] = flag
    return pools
