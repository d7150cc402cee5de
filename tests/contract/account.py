"""An account on a served sandbox that can be set to a state of the table, and read back as one."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.battery.live import Forked, settled
from tests.battery.scene import Scene
from tests.contract.verbs import OWN_URL, VERBS, State, Verb
from tests.support import Ran

LETTERS = "abcdefghijk"
SETTINGS = {"default_ttl": "DefaultTtl"}
NO_POOLS = ("MG", "OWN", "BUSY", "SESSIONS")
MESSAGING = "/messaging/v1/Services"
INCOMING = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers"


@dataclass
class Account:
    """The stage of a row: its state, and the command line that carries it out; a letter is ``width`` numbers."""

    scene: Scene
    verb: Verb
    width: int = 1
    run_id: str = ""

    def __post_init__(self) -> None:
        if not self.verb.earlier:
            self.scene.other("DELETE", f"/v1/Services/{self.scene.service}")
            self.set(self.verb.before)
            return
        earlier = Account(self.scene, VERBS[self.verb.earlier], self.width)
        assert earlier.run().code == 0
        self.run_id = earlier.runs()[0]["id"]
        self.scene.ledger.clear()

    # The state

    def set(self, state: State) -> None:
        """Bring an empty account to a state."""
        for name, value in state.items():
            service, _, setting = name.partition(".")
            if setting:
                path = f"/v1/Services/{self.services()[service]}"
                self.scene.other("POST", path, **{SETTINGS[setting]: str(value)})
            elif name == "OWN":
                for row in self.rows(str(value)):
                    self.scene.other(
                        "POST", f"{INCOMING}/{row['sid']}.json", VoiceUrl=OWN_URL, SmsUrl=OWN_URL
                    )
            elif name == "SESSIONS":
                self.set_sessions(str(value))
            elif name == "BUSY":
                for row in self.rows(str(value)):
                    self.scene.store.set_in_use(row["sid"], 1)
            elif name == "MG":
                sid = self.scene.other(
                    "POST", MESSAGING, FriendlyName="mg", UseInboundWebhookOnNumber="true"
                )["sid"]
                for row in self.rows(str(value)):
                    self.scene.other("POST", f"{MESSAGING}/{sid}/PhoneNumbers", PhoneNumberSid=row["sid"])
            else:
                sid = self.scene.new_service(name)
                for reserved in (True, False):
                    letters = "".join(each for each in str(value) if each.isupper() is reserved)
                    self.scene.fill(self.rows(letters), reserved=reserved, service=sid)

    @property
    def sessions(self) -> str:
        """The path of the Sessions."""
        return f"/v1/Services/{self.services()['masking']}/Sessions"

    def set_sessions(self, word: str) -> None:
        """Make Sessions in the Service masking."""
        path = self.sessions
        for letter, ttl, people in re.findall("([A-Za-z])([0-9]*)('*)", word):
            form = {"UniqueName": letter.lower()} | ({"Ttl": ttl} if ttl else {})
            sid = self.scene.other("POST", path, **form)["sid"]
            for place in range(len(people)):
                identifier = f"+1415555{1001 + 10 * LETTERS.index(letter.lower()) + place}"
                self.scene.other("POST", f"{path}/{sid}/Participants", Identifier=identifier)
            if letter.islower():
                self.scene.other("POST", f"{path}/{sid}", Status="closed")

    def session_word(self) -> str:
        """The Sessions as the table writes them."""
        path, word = self.sessions, ""
        named = [row for row in self.scene.other("GET", path)["sessions"] if row["unique_name"]]
        for row in sorted(named, key=lambda row: str(row["unique_name"])):
            rows = self.scene.other("GET", f"{path}/{row['sid']}/Participants")["participants"]
            name = str(row["unique_name"])
            word += name if row["status"] == "closed" else name.upper()
            word += f"{row['ttl'] or ''}{sum(not one['date_deleted'] for one in rows) * chr(39)}"
        return word

    def state(self) -> State:
        """Read the whole account."""
        found: dict[str, object] = {}
        for service in self.scene.other("GET", "/v1/Services")["services"]:
            name = service["unique_name"]
            found[name] = self.word(self.scene.pool(service["sid"]))
            found |= {f"{name}.{setting}": service[setting] for setting in SETTINGS if service[setting]}
        with self.scene.store.reading() as db:
            in_use = "SELECT DISTINCT proxy_identifier_sid AS sid FROM participants WHERE is_active = 1"
            busy = {row["sid"]: False for row in db.execute(in_use)}
        for sid in self.messaging_services():
            rows = self.scene.other("GET", f"{MESSAGING}/{sid}/PhoneNumbers")["phone_numbers"]
            found["MG"] = self.word({row["sid"]: False for row in rows})
        rows = self.scene.other("GET", f"{INCOMING}.json")["incoming_phone_numbers"]
        own = {row["sid"]: False for row in rows if row["voice_url"] == row["sms_url"] == OWN_URL}
        if "masking" in found and (sessions := self.session_word()):
            return found | {"SESSIONS": sessions}
        return found | {name: self.word(sids) for name, sids in (("OWN", own), ("BUSY", busy)) if sids}

    def word(self, pool: Mapping[str, bool]) -> str:
        """A pool as the table writes it; a letter that is there only in part is followed by a question mark."""
        found = ""
        for letter in LETTERS:
            flags = [pool.get(row["sid"]) for row in self.rows(letter)]
            known = [flag for flag in flags if flag is not None]
            if known:
                found += letter.upper() if known[0] else letter
                found += "?" if len(set(flags)) > 1 else ""
        return found

    def rows(self, letters: str) -> list[dict[str, Any]]:
        """The numbers that letters stand for."""
        first = [LETTERS.index(letter) * self.width for letter in letters.lower()]
        return [row for index in first for row in self.scene.numbers[index : index + self.width]]

    def outside(self) -> int:
        """How many numbers are in no pool that are in one before and after the run."""
        before, after = (set(pooled(state).lower()) for state in (self.verb.before, self.verb.after))
        inside = {sid for service in self.services().values() for sid in self.scene.pool(service)}
        return sum(row["sid"] not in inside for row in self.rows("".join(sorted(before & after))))

    def services(self) -> dict[str, str]:
        listed = self.scene.other("GET", "/v1/Services")["services"]
        return {row["unique_name"]: row["sid"] for row in listed}

    def messaging_services(self) -> list[str]:
        return [row["sid"] for row in self.scene.other("GET", MESSAGING)["services"]]

    # The command

    def command(self, *options: str, file: str | None = None) -> tuple[str, ...]:
        """The command line of the row, with more options; its numbers are in a file, unless it is another one."""
        words = {"RUN": self.run_id, "MG": next(iter(self.messaging_services()), "")}
        if "POOL" in self.verb.line:
            words["POOL"] = self.pool_file(self.verb.after)
        line = [words.get(word, word) for word in self.verb.line.split()]
        if self.verb.items:
            line += ["-f", file or self.scene.file(self.rows(self.verb.items))]
        if self.verb.sessions:
            path = self.scene.directory / "sessions.csv"
            path.write_text("unique_name\n" + "".join(f"{name}\n" for name in self.verb.sessions))
            line += ["-f", file or str(path)]
        return (*line, *options)

    def pool_file(self, state: State) -> str:
        """Write a pool file that says a state."""
        services: dict[str, dict[str, Any]] = {}
        for name, value in state.items():
            if name in NO_POOLS:
                continue
            service, _, setting = name.partition(".")
            table = services.setdefault(service, {})
            if setting:
                table[setting] = value
            else:
                table["numbers"] = {
                    kind: [row["phone_number"] for row in self.rows(filter_case(str(value), upper))]
                    for kind, upper in (("reserved", True), ("unreserved", False))
                }
        path = self.scene.directory / "pool.toml"
        path.write_text(tomli_w.dumps({"version": 1, "services": services}))
        return str(path)

    def run(self, *options: str, confirmed: bool = True, file: str | None = None, **settings: Any) -> Ran:
        """Carry the command out, with --yes where it needs that, unless it is not ``confirmed``."""
        yes = ("--yes",) if confirmed and self.verb.destructive else ()
        ran = self.scene.cli(*self.command(*yes, *options, file=file), **settings)
        self.scene.ran.append(ran)
        return ran

    def start(self, prepare: Callable[[], object] = lambda: None) -> Forked:
        """Carry the command out in a process of its own, which ``prepare`` may change."""
        return Forked(self.scene, *self.command("--yes"), prepare=prepare)

    def killed(self, child: Forked) -> bool:
        """Wait for the end of a process; whether it was killed. What it had sent has been carried out then."""
        child.communicate()
        settled()
        return child.returncode == -signal.SIGKILL

    @property
    def directory(self) -> Path:
        """Where the program keeps its state."""
        return Path(self.scene.cli.environ["PROXYCTL_STATE_DIR"])

    def files(self) -> set[Path]:
        """What it keeps there."""
        return {path for path in self.directory.rglob("*") if path.is_file()}

    def runs(self) -> list[dict[str, Any]]:
        """The runs that the history has, newest first."""
        return self.scene.cli.ok("history", "list", "-o", "jsonl").rows

    def items(self, run: str) -> list[dict[str, Any]]:
        return self.scene.cli.ok("history", "show", run, "-o", "jsonl").rows

    # What holds

    def is_untouched(self) -> None:
        """No write was sent."""
        assert self.scene.writes == []
        assert self.state() == self.verb.before

    def is_done(self) -> None:
        """All is as wanted, and nothing was created twice."""
        assert self.state() == self.verb.after
        self.did_nothing_twice()

    def did_nothing_twice(self) -> None:
        """No request that creates was committed twice."""
        made = Counter(
            (entry.path, json.loads(entry.answer or b"{}").get("sid"))
            for entry in self.scene.ledger.effects
            if entry.path.endswith(("/PhoneNumbers", "/Services", "/Sessions", "/Participants"))
        )
        assert set(made.values()) <= {1}

    def sends_no_more(self) -> None:
        """The same command finds nothing left to do."""
        self.scene.heal()
        self.scene.ledger.clear()
        assert self.run().code == self.verb.again
        assert self.scene.ledger.effects == [] or not self.verb.converges
        assert self.state() == self.verb.after


def filter_case(letters: str, upper: bool) -> str:
    return "".join(letter for letter in letters if letter.isupper() is upper)


def pooled(state: State) -> str:
    """The letters that are in any pool."""
    return "".join(str(value) for name, value in state.items() if name not in NO_POOLS and "." not in name)
