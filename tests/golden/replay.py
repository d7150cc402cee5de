"""Golden files that are also their own scripts: commands, each with the exit code, stdout and stderr that it had.

    ## a title                 a new stage: an empty account, and an empty state directory
    % pool masking reserved 1-3    sets the stage (see `DIRECTIVES`); nothing of it is recorded
    $ number reserve masking N1    runs a command line
    $$ number remove masking N1    runs it in each of `FORMS`, each on a stage that came as far as this line
    $> number list masking     runs it, and demands exit code 0; nothing of it is recorded
    $y number remove masking   runs it at a terminal, where every question is answered with yes
    $n number remove masking   the same, answered with no
    $80 number list masking    a screen: at a terminal of so many columns, with the role of each word as ``⟦bad no⟧``;
                               numbers and SIDs in full, so that columns stay in line. $80y and $80n answer, too
    $ pool plan - < FILE > FILE    as a shell reads it, stdout is not recorded then
    ~ text                     a line of the file that the last ``% file NAME`` names
    = | ! >                    what was recorded: exit code, a line of stdout, one of stderr, the form

``N7`` and ``PN7`` are the seventh number of the account and its SID; SIDs that are made later count from 1: ``KS1``.
Commands run in the stage's directory, ``DIR``. Time stands still but for sleeping, and a minute passes between
commands.
"""

from __future__ import annotations

import calendar
import contextlib
import re
import shlex
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from proxyctl.roles import Role
from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.context import Request
from proxyctl.sandbox.guesses import Rules
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.world.rehearsal import set_in_use
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.golden.masks import MASKS, indices, made_sid
from tests.golden.pasted import NUMBERS_FILE, commands_in, filled, runs
from tests.sandbox.serving import BASIC, kept, served
from tests.support import Cli, StandingClock

NUMBERS = 12
EPOCH = calendar.timegm((2024, 3, 1, 9, 0, 0))
MINUTE = 60.0
FORMS = ("--yes", "--yes -o json", "--yes -q", "--dry-run", "")
ANSWERS = {"$y": "yes\n", "$n": "no\n"}
# No colours, no bar, and lines that are never too long: how long a directory's name is must not be seen.
TERMINAL = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "1000"}
BAR = re.compile(r"\x1b\[\?25[lh]|\r\x1b\[2K(?:[^\r\n]*(?=\x1b\[\?25l|\r))?")  # drawn, and erased again
SCREEN = re.compile(r"\$(\d+)([yn]?)")
PAINTED = re.compile(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m")
RECORDED = ("=", "|", "!", ">")


@dataclass
class Stage:
    """An account with `NUMBERS` numbers on a served sandbox, and the program before it."""

    directory: Path
    cli: Cli
    clock: StandingClock
    store: Store
    sandbox: Sandbox
    policies: Policies
    numbers: list[dict[str, Any]]
    made: Counter[str]
    services: dict[str, str] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    open_file: Path | None = None

    # Directives

    def more(self, count: str, country: str = "US") -> None:
        """The account gets more numbers."""
        self.numbers += seed_numbers(self.store, int(count), country, seed=2, now=EPOCH)

    def pool(self, service: str, kind: str, numbers: str) -> None:
        """Put numbers (``1-3,7``) into the pool of a Service, which is made if need be, as reserved or unreserved."""
        sids = [self.numbers[index - 1]["sid"] for index in indices(numbers)]
        pool_numbers(self.store, self.service(service), sids, is_reserved=kind == "reserved", now=EPOCH)

    def service(self, name: str, *settings: str) -> str:
        if name not in self.services:
            form = dict(setting.split("=", 1) for setting in settings)
            self.services[name] = self.ask("POST", "/v1/Services", UniqueName=name, **form)
        return self.services[name]

    def leave(self, service: str, numbers: str) -> None:
        """Another actor takes numbers out of a pool."""
        for index in indices(numbers):
            path = f"/v1/Services/{self.service(service)}/PhoneNumbers/{self.numbers[index - 1]['sid']}"
            self.ask("DELETE", path)

    def gone(self, service: str) -> None:
        """Another actor deletes a Service."""
        self.ask("DELETE", f"/v1/Services/{self.service(service)}")

    def messaging(self, name: str, numbers: str = "", defers: str = "true") -> None:
        """Make a Messaging Service with these numbers as senders; it leaves messages to their webhooks, or not."""
        mg = self.ask("POST", "/messaging/v1/Services", FriendlyName=name, UseInboundWebhookOnNumber=defers)
        for index in indices(numbers):
            path = f"/messaging/v1/Services/{mg}/PhoneNumbers"
            self.ask("POST", path, PhoneNumberSid=self.numbers[index - 1]["sid"])

    def busy(self, numbers: str, sessions: str) -> None:
        with self.store.writing() as db:
            for index in indices(numbers):
                sid, now = self.numbers[index - 1]["sid"], int(self.clock.now())
                set_in_use(db, sid, int(sessions), now, self.sandbox.rules.new_sid)

    def file(self, name: str) -> None:
        self.open_file = self.directory / name
        self.open_file.write_text("")

    def at(self, event: str, *directive: str) -> None:
        """``POST:2``: carry out a directive (or ``$ command``) when the second POST reaches the server."""
        method, _, number = event.partition(":")
        text = shlex.join(directive)
        line = text.replace("'$'", "$", 1) if directive[0] == "$" else f"% {text}"
        self.script(Scripted(None, method, first=int(number or 1), action=lambda: self.carry_out(line)))

    def fault(self, name: str, method: str, path: str = "", first: str = "1", times: str = "") -> None:
        """Let requests go wrong: from the ``first`` that matches, so many times (default: for ever)."""
        self.script(Scripted(name, method, path, int(first), int(times) if times else None))

    def script(self, entry: Scripted) -> None:
        before = self.policies.faults.script if self.policies.faults else ()
        self.policies.faults = FaultPlan(script=(*before, entry))

    def limit(self, retry_after: str) -> None:
        """Each 429 asks for so many seconds."""
        self.policies.retry_after = retry_after

    def days(self, count: str) -> None:
        """Time passes."""
        self.clock.sleep(float(count) * 86_400)

    def heal(self) -> None:
        self.policies.faults = self.policies.retry_after = None

    def ask(self, method: str, path: str, **form: str) -> str:
        """Send another actor's request; returns the SID that it made."""
        body = urlencode(form).encode()
        answer = self.sandbox.respond(
            Request.from_wire(method, path, {"authorization": BASIC}, body, "http://127.0.0.1:1")
        )
        assert answer.status < 300, answer.body
        found = re.search(rb'"sid": "(\w+)"', answer.body or b"")
        return found[1].decode() if found else ""

    def paste(self) -> None:
        """Run each command that was printed, on the account as it is now."""
        self.policies.faults = None
        (self.directory / "numbers.csv").write_text(NUMBERS_FILE.format(self.numbers[0]["phone_number"]))
        (self.directory / "pool.toml").write_text("version = 1\n")
        services = [*self.services.values(), *["KS" + "0" * 32] * 2]
        words = {
            "SERVICE": services[0],
            "OTHER_SERVICE": services[1],
            "NUMBER": self.numbers[0]["phone_number"],
        }
        words |= {
            "KS": services[0],
            "MG": "MG" + "0" * 32,
            "MESSAGING_SERVICE": "MG" + "0" * 32,
            "ID": "20240301",
        }
        text = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(self.said))
        text = re.sub(r"(?m)^.*\n +\^.*$", "", text)  # a mistake, with carets below it
        for command in dict.fromkeys(commands_in(text)):
            with contextlib.chdir(self.directory):
                ran = self.cli(*filled(command, words), tty=True, stdin="no\n" * 4, environ=TERMINAL)
            assert runs(ran), f"{command}\n{ran.err}"

    def keep(self) -> Callable[[], None]:
        """Keep how all is now; returns what brings it back to there."""
        files_and_rows = kept(self.store, self.directory)
        time, made, faults = self.clock.time, self.made.copy(), self.policies.faults
        counts = list(faults._counts) if faults else []

        def come_back() -> None:
            files_and_rows()
            self.clock.time, self.policies.faults = time, faults
            self.made.clear()
            self.made.update(made)
            if faults:
                faults._counts = list(counts)
            self.recorded.clear()

        return come_back

    # Lines

    def carry_out(self, line: str, *, form: str = "", quiet: bool = False) -> None:
        """Carry out a line of a script; what a command says is recorded."""
        mark, _, text = line.partition(" ")
        text = self.unmasked(text)
        if mark == "%":
            name, *arguments = shlex.split(text)
            DIRECTIVES[name](self, *arguments)
        elif mark == "~":
            assert self.open_file is not None
            with self.open_file.open("a") as file:
                file.write(text + "\n")
        elif text.startswith("cat "):
            (path,) = self.directory.glob(text[4:])
            self.record(0, path.read_text(), "")
        elif mark.startswith("$"):
            self.clock.sleep(MINUTE)
            text, _, target = text.partition(" > ")
            text, _, source = text.partition(" < ")
            stdin = (
                (self.directory / source).read_text()
                if source
                else ANSWERS.get("$" + mark.lstrip("$0123456789"), "")
            )
            line = (*shlex.split(text), *shlex.split(form))
            screen = SCREEN.fullmatch(mark)
            environ = {"TERM": "xterm-256color", "COLUMNS": screen[1]} if screen else TERMINAL
            with contextlib.chdir(self.directory):
                ran = self.cli(*line, tty=bool(screen) or mark in ANSWERS, stdin=stdin, environ=environ)
            if target:
                (self.directory / target).write_text(ran.out)
            assert mark != "$>" or ran.code == 0, ran.err
            self.said += [
                line for line in (ran.out + ran.err).splitlines() if not line.startswith('{"error"')
            ]
            if screen:
                self.record_screen(ran.code, ran.out, ran.err)
            elif mark != "$>" and not quiet:
                self.record(ran.code, "" if target else ran.out, ran.err)

    def record(self, code: int, out: str, err: str) -> None:
        err = re.sub(BAR, "", err)
        said = [("|", line) for line in out.splitlines()] + [("!", line) for line in err.splitlines()]
        self.recorded += [f"= {code}", *(f"{mark} {self.masked(line)}".rstrip() for mark, line in said)]

    def record_screen(self, code: int, out: str, err: str) -> None:
        said = [("|", line) for line in out.splitlines()]
        said += [("!", line) for line in re.sub(BAR, "", err).splitlines()]
        self.recorded.append(f"= {code}")
        for mark, line in said:
            text = PAINTED.sub(lambda found: f"⟦{Role(found[1]).name.lower()} {found[2]}⟧", line)
            for pattern, short in MASKS[2:]:
                text = re.sub(pattern, short, text)
            text = re.sub(r"(?<=127\.0\.0\.1:)\d{5}\b", "PORT5", text)
            self.recorded.append(f"{mark} {text.replace(str(self.directory), 'DIR')}".rstrip())

    def unmasked(self, text: str) -> str:
        """Replace the short names of a script."""
        text = re.sub(r"\bAC1\b", ACCOUNT_SID, text)
        text = re.sub(r"\bPN(\d{1,3})\b", lambda found: self.numbers[int(found[1]) - 1]["sid"], text)
        text = re.sub(r"\bN(\d{1,3})\b", lambda found: self.numbers[int(found[1]) - 1]["phone_number"], text)
        return re.sub(r"\b(KS|MG|KC|KP)(\d{1,3})\b", lambda found: made_sid(found[1], int(found[2])), text)

    def masked(self, text: str) -> str:
        """Replace what differs from run to run, and shorten SIDs and numbers to their short names."""
        for index, row in enumerate(self.numbers, 1):
            text = text.replace(row["sid"], f"PN{index}").replace(row["phone_number"], f"N{index}")
        text = text.replace(str(self.directory), "DIR").replace(self.cli.environ["PROXYCTL_BASE_URL"], "URL")
        for pattern, short in MASKS:
            text = re.sub(pattern, short, text)
        return text


DIRECTIVES: dict[str, Callable[..., object]] = {
    name: getattr(Stage, name)
    for name in (
        *("more", "pool", "service", "leave", "gone", "messaging", "busy", "file", "at", "fault", "limit"),
        *("heal", "days"),
    )
}


def new_stage(directory: Path, stack: ExitStack) -> Stage:
    """Set a new stage, until ``stack`` is closed."""
    directory.mkdir(mode=0o700)
    clock, made, policies = StandingClock(EPOCH), Counter[str](), Policies()
    store = stack.enter_context(Store(":memory:"))

    def new_sid(prefix: str) -> str:
        made[prefix] += 1
        return made_sid(prefix, made[prefix])

    sandbox = Sandbox(store, clock=clock, rules=Rules(new_sid=new_sid))
    server = stack.enter_context(served(sandbox, policies=policies))
    environ = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PROXYCTL_BASE_URL": server.url,
    }
    numbers = seed_numbers(store, NUMBERS, seed=1, now=EPOCH)
    return Stage(
        directory, Cli(directory, environ, clock=clock), clock, store, sandbox, policies, numbers, made
    )


def replay(script: str, directory: Path) -> str:
    """Run a golden file's commands; returns the file as it has to be."""
    parts = re.split(r"(?m)^(?=## )", script)
    return "".join(_part(part, directory / str(index)) for index, part in enumerate(parts))


def _part(text: str, directory: Path) -> str:
    lines = [line for line in text.splitlines() if not line.startswith(RECORDED)]
    if not text.startswith("## "):
        return text
    directory.mkdir()
    with ExitStack() as stack:
        stage = new_stage(directory / "run", stack)
        written: list[str] = []
        for position, line in enumerate(lines):
            written.append(line)
            if line.startswith("$$ "):
                written += _in_forms(lines[:position], line, directory / str(position))
            elif line and not line.startswith("#"):
                stage.carry_out(line)
                written += stage.recorded
                stage.recorded.clear()
        stage.paste()
    return "\n".join(written) + "\n"


def _in_forms(before: list[str], line: str, directory: Path) -> list[str]:
    """Run a command line in each form, on a stage that came as far as it, and comes back to there for the next."""
    written: list[str] = []
    with ExitStack() as stack:
        stage = new_stage(directory, stack)
        for each in before:
            if each.startswith(("% ", "~ ", "$ ", "$> ")):
                stage.carry_out(each, quiet=True)
        come_back = stage.keep()
        for form in FORMS:
            come_back()
            stage.carry_out(f"$ {line[3:]}", form=form)
            written += [f"> {form}".rstrip(), *stage.recorded]
    return written
