"""An account in memory, for plans: carries works out one by one as the API would, and checks what must always hold."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proxyctl.pools.apply import WrittenService
from proxyctl.pools.captives import travellers, without_captives
from proxyctl.pools.changes import Kind
from proxyctl.pools.flow import Flow
from proxyctl.pools.plan import Plan, World, make_plan
from proxyctl.pools.writer import Written

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.bulk.outcomes import Result, State, Work
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.pool import Pool
from proxyctl.pools.poolfile import WantedService

Numbers = dict[str, bool]  # SID to is_reserved


def number_sid(index: int) -> str:
    return f"PN{index:032x}"


def service_sid(name: str) -> str:
    return "KS" + name.encode().hex().ljust(32, "0")[:32]


def phone_number(sid: str) -> str:
    return f"+1415{int(sid[2:], 16):07}"


@dataclass
class Account:
    """Services by unique name, each with its pool; ``busy`` numbers have open Sessions."""

    pools: dict[str, Numbers] = field(default_factory=dict)
    limits: Mapping[bool, int] = field(default_factory=lambda: {True: 5000, False: 500})
    busy: frozenset[str] = frozenset()
    most: dict[tuple[str, bool], int] = field(default_factory=dict)
    requests: int = 0
    added: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name, numbers in self.pools.items():
            for flag, limit in self.limits.items():
                self.most[name, flag] = max(limit, sum(value is flag for value in numbers.values()))

    def world(self) -> World:
        services, pools = {}, {}
        for name, numbers in self.pools.items():
            sid = service_sid(name)
            services[name] = Service({"sid": sid, "unique_name": name})
            pools[name] = Pool(sid)
            for number in numbers:
                pools[name].add(self.number(name, number))
        return World(services, pools)

    def number(self, name: str, sid: str) -> PhoneNumber:
        return PhoneNumber(
            {
                "sid": sid,
                "phone_number": phone_number(sid),
                "is_reserved": self.pools[name][sid],
                "in_use": int(sid in self.busy),
            }
        )

    def check(self) -> None:
        """No pool is beyond its limits, and no number is in two."""
        seen: list[str] = []
        for name, numbers in self.pools.items():
            seen += numbers
            for flag, limit in self.limits.items():
                count = sum(value is flag for value in numbers.values())
                assert count <= self.most.get((name, flag), limit), f"{name} is beyond its limit"
        assert len(seen) == len(set(seen))

    def carry_out(self, work: Work) -> Result:
        """Do what a work asks, or refuse it as the API would."""
        self.requests += 1
        sending = work.payload
        if sending.change is None:
            self.pools.setdefault(sending.service, {})
            service = Service({"sid": service_sid(sending.service), "unique_name": sending.service})
            return Result(work.index, "done", sending.step.action.done, WrittenService(service, None))
        change, pool = sending.change, self.pools[sending.service]
        assert sending.service_sid == service_sid(sending.service)
        sid = change.sid or number_sid(int(change.item.phone_number[5:]))
        if change.kind is Kind.ADD:
            assert not any(sid in numbers for numbers in self.pools.values()), "another pool has it"
            pool[sid] = bool(change.is_reserved)
            self.added.add(sid)
        elif change.kind is Kind.REMOVE:
            assert sid not in self.busy
            del pool[sid]
            self.check()
            return Result(work.index, "done", "removed", Written(change.number, None))
        else:
            assert sid in pool
            pool[sid] = bool(change.is_reserved)
        self.check()
        return Result(work.index, "done", change.kind.done, Written(self.number(sending.service, sid), None))


def wanted(pools: Mapping[str, Numbers]) -> list[WantedService]:
    """What a pool file says that names these pools."""
    return [
        WantedService(
            name,
            numbers=tuple(
                Item(phone_number(sid), None, phone_number(sid), flag) for sid, flag in numbers.items()
            ),
        )
        for name, numbers in pools.items()
    ]


def plan_for(account: Account, pools: Mapping[str, Numbers], *, prune: bool = True) -> Plan:
    plan = make_plan(wanted(pools), account.world(), prune=prune)
    return without_captives(plan, travellers(plan, account.limits), {})


def run(
    account: Account,
    plan: Plan,
    chance: random.Random,
    *,
    at_most: int | None = None,
    failing: Iterable[State] = (),
) -> Flow:
    """Carry a plan out in any order that the flow allows; killed after ``at_most`` requests.

    With ``failing``, some of the requests end so; an unknown one may have been carried out.
    """
    flow = Flow(plan, limits=account.limits)
    under_way = flow.start()
    failing = tuple(failing)
    left = -1 if at_most is None else at_most
    while under_way and left:
        left -= 1
        work = under_way.pop(chance.randrange(len(under_way)))
        state = chance.choice(failing) if failing and chance.random() < 0.2 else "done"
        if state == "done" or (state == "unknown" and chance.random() < 0.5):
            result = account.carry_out(work)
        if state != "done":
            result = Result(work.index, state, error=RefusedError(f"{state}, as the test wants it"))
        under_way += flow.follow(result)
    return flow
