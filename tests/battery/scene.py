"""A stage for faults: the whole program against a served sandbox that keeps a ledger, with time that passes
faster, credentials that must not leak, and the promises that hold after any fault.
"""

from __future__ import annotations

import base64
import contextlib
import json
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from proxyctl.clock import Clock
from proxyctl.sandbox.behaviour import ACCOUNT_SID, Sandbox
from proxyctl.sandbox.context import Request
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.server.policies import Entry, Ledger, Policies
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from proxyctl.writes.reading import Reader
from tests.battery.front import CANARY, SECRET, FastClock, Front
from tests.sandbox.serving import served
from tests.support import Cli, Ran

EMPTYING = ("--allow", "no-unreserved")  # most of what is done here is done with the whole pool
DONE = {"add": "added", "reserve": "reserved", "release": "released", "remove": "removed"}


@dataclass
class Scene:
    """One Service with an empty pool, an account with ``numbers``, and the program before it."""

    cli: Cli
    clock: FastClock
    store: Store
    front: Front
    policies: Policies
    ledger: Ledger
    directory: Path
    numbers: list[dict[str, Any]]
    service: str = ""
    ran: list[Ran] = field(default_factory=list)

    # Setting the stage

    def other(self, method: str, path: str, **form: str) -> Any:
        """Another actor's request, with credentials of its own; it is not in the ledger."""
        body = urlencode(form).encode()
        response = self.front.carry_out(Request.from_wire(method, path, {}, body, "http://127.0.0.1:1"))
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def new_service(self, name: str) -> str:
        sid: str = self.other("POST", "/v1/Services", UniqueName=name)["sid"]
        return sid

    @property
    def path(self) -> str:
        """The path of the pool."""
        return f"/v1/Services/{self.service}/PhoneNumbers"

    def fill(self, numbers: Iterable[Mapping[str, Any]], *, reserved: bool, service: str = "") -> None:
        """Put numbers into a pool at once."""
        pool_numbers(
            self.store, service or self.service, [row["sid"] for row in numbers], is_reserved=reserved
        )

    def script(self, *entries: Scripted) -> None:
        """Let faults and other actors come at certain requests."""
        self.policies.faults = FaultPlan(script=entries)

    def act_before_the_first_write(self, action: Callable[[], object]) -> None:
        """Let another actor be there first: every write waits until it is done."""
        lock, done = threading.Lock(), []

        def answer(request: Request) -> None:
            with lock:
                if request.method != "GET" and not done:
                    done.append(action())

        self.front.answer = answer

    def draw(
        self, rates: dict[str, float], *, seed: int = 1, methods: Sequence[str] = ("POST", "DELETE")
    ) -> None:
        """Let faults come with these probabilities."""
        self.policies.faults = FaultPlan(rates, seed=seed, methods=methods, hold=30.0)

    def heal(self) -> None:
        """No more faults, limits or delays."""
        policies = self.policies
        policies.faults = policies.window = policies.retry_after = policies.concurrency.ceiling = None
        policies.latency = 0.0
        self.front.see_all()
        self.front.answer = lambda request: None

    def file(self, numbers: Iterable[Mapping[str, Any]], name: str = "numbers.csv") -> str:
        """Write numbers to a file that -f takes."""
        path = self.directory / name
        path.write_text("phone_number\n" + "".join(f"{row['phone_number']}\n" for row in numbers))
        return str(path)

    # Running

    def run(self, *arguments: str) -> Ran:
        """Run a command line; rows come as JSON Lines."""
        ran = self.cli(*arguments, "-o", "jsonl")
        self.ran.append(ran)
        return ran

    def ok(self, *arguments: str) -> Ran:
        """The same, and demand exit code 0."""
        ran = self.run(*arguments)
        assert ran.code == 0, ran.err
        return ran

    def add(self, *options: str, numbers: Sequence[Mapping[str, Any]] | None = None) -> tuple[str, ...]:
        """The command that adds numbers (default: all) as reserved."""
        name = self.file(self.numbers if numbers is None else numbers)
        return ("number", "add", self.service, "-f", name, "--reserved", *options)

    def verb(self, verb: str, *options: str) -> tuple[str, ...]:
        """The command that does something with all numbers."""
        return ("number", verb, self.service, "-f", self.file(self.numbers), *EMPTYING, *options)

    def command(self, verb: str, *options: str) -> tuple[str, ...]:
        """Let the pool be one that ``verb`` changes as a whole, and return the command that does."""
        if verb == "add":
            return self.add(*options)
        self.fill(self.numbers, reserved=verb != "reserve")
        return self.verb(verb, *(["--yes"] if verb == "remove" else []), *options)

    def wanted(self, verb: str) -> dict[str, bool]:
        """The pool after `command`."""
        return {} if verb == "remove" else self.everything(reserved=verb != "release")

    def pool(self, service: str = "") -> dict[str, bool]:
        """What the pool really holds: SID to is_reserved."""
        with self.store.reading() as db:
            rows = db.execute(
                "SELECT numbers.sid, pool.is_reserved FROM pool JOIN numbers ON numbers.id = pool.number_id"
                " JOIN services ON services.id = pool.service_id WHERE services.sid = ?",
                (service or self.service,),
            ).fetchall()
        return {row["sid"]: bool(row["is_reserved"]) for row in rows}

    def everything(self, *, reserved: bool = True) -> dict[str, bool]:
        """The pool that holds all numbers."""
        return {row["sid"]: reserved for row in self.numbers}

    @contextlib.contextmanager
    def second_machine(self) -> Iterator[tuple[Cli, Front]]:
        """Yield the program with a state directory of its own, on the same account, and what stands before that."""
        directory, front = self.directory / "run" / "second", Front(self.front.sandbox)
        directory.mkdir(mode=0o700)
        with served(front) as server:
            changes = {"PROXYCTL_STATE_DIR": str(directory / "state"), "PROXYCTL_BASE_URL": server.url}
            yield Cli(directory, {**self.cli.environ, **changes}, clock=self.clock), front

    # What was sent

    @property
    def writes(self) -> list[Entry]:
        return [entry for entry in self.ledger.entries if entry.method != "GET"]

    @property
    def reads(self) -> list[Entry]:
        return [entry for entry in self.ledger.entries if entry.method == "GET"]

    @property
    def throttled(self) -> int:
        """How many requests were answered 429."""
        return sum(entry.sent == 429 for entry in self.ledger.entries)

    def adds(self) -> list[tuple[str, Entry]]:
        """The creates with the number that each named, in the order of their ends."""
        creates = [entry for entry in self.writes if entry.method == "POST" and entry.path == self.path]
        return [(self._named(entry), entry) for entry in creates]

    def _named(self, entry: Entry) -> str:
        form = dict(entry.form)
        return form.get("PhoneNumber") or form["Sid"]

    # The promises

    def keeps_its_promises(self, command: Sequence[str], wanted: Mapping[str, bool]) -> None:
        """Check what holds after any fault: nothing twice, the same command heals, a third run is idle."""
        self.did_nothing_twice()
        self.heal()
        self.ok(*command)
        assert self.pool() == wanted
        self.did_nothing_twice()
        self.ledger.clear()
        third = self.ok(*command)
        assert self.writes == []
        assert {row["action"] for row in third.rows} <= {"unchanged"}
        self.left_no_trace()

    def did_nothing_twice(self) -> None:
        """At most one committed add for each number, and none was repeated without a look after a fault."""
        committed = Counter(self._name(entry) for _, entry in self.adds() if entry.committed)
        assert not [name for name, count in committed.items() if count > 1]
        unsure: set[str] = set()
        for entry in self.ledger.entries:
            if entry.method == "GET" and entry.path == self.path:
                unsure.clear()
            elif entry.method == "GET":
                unsure.discard(entry.path.rpartition("/")[2])
            elif entry.method == "POST" and entry.path == self.path and entry.sent != 429:
                assert self._named(entry) not in unsure, "an add was repeated without looking"
                unsure.add(self._named(entry))

    def _name(self, entry: Entry) -> str:
        sid: str = json.loads(entry.answer or b"")["sid"]
        return sid

    def left_no_trace(self) -> None:
        """No secret and no traceback in anything that was said or kept; no file that others can read."""
        said = "".join(ran.out + ran.err for ran in self.ran)
        assert "Traceback" not in said
        kept = [path for path in self.directory.joinpath("run").rglob("*") if not path.is_dir()]
        assert kept or not self.writes, "nothing was kept: is this the right directory?"
        texts = [said.encode(), *(path.read_bytes() for path in kept)]
        for form in leaks():
            assert not any(form in text for text in texts)
        for path in self.directory.joinpath("run").rglob("*"):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def leaks() -> list[bytes]:
    """The forms in which the secret could show itself."""
    raw = SECRET.encode()
    return [
        raw,
        base64.b64encode(raw).rstrip(b"="),
        CANARY.split()[1].encode(),
        urlencode({"": SECRET})[1:].encode(),
    ]


@contextlib.contextmanager
def scene(
    directory: Path, count: int = 40, *, factor: float = 100.0, server_clock: Clock | None = None
) -> Iterator[Scene]:
    """Set a stage with ``count`` numbers in the account, for the length of the block.

    The network keeps real time, and so does who waits for an answer.
    """
    within = Reader.within
    patient = patch.object(
        Reader, "within", lambda reader, seconds, **how: within(reader, seconds * factor, **how)
    )
    with Store(":memory:") as store, patient:
        sandbox, policies = Sandbox(store, clock=server_clock), Policies()
        front = Front(sandbox)
        with served(front, policies=policies) as server:
            clock = FastClock(factor)
            (directory / "run").mkdir(mode=0o700)
            cli = Cli(
                directory / "run",
                {
                    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                    "TWILIO_AUTH_TOKEN": SECRET,
                    "PROXYCTL_BASE_URL": server.url,
                },
                clock=clock,
            )
            numbers = seed_numbers(store, count, seed=1)
            stage = Scene(cli, clock, store, front, policies, server.ledger, directory, numbers)
            stage.service = stage.new_service("masking")
            yield stage
