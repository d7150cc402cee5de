"""Records that earlier versions have written: `history show`, `history undo` and the runs that go on from them read
each as it was read then, for ever.

A case in ``fixtures/`` is a record, byte for byte, and beside it the account as that run left it, what `show` printed,
and what another command made of both. A new version adds cases; none is ever changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.context import ACCOUNT_SID, Request
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import BASIC
from tests.support import Cli

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.stem for path in FIXTURES.glob("*.json"))
# What some runs did was not undone in their version.
CONTINUED = [name for name in CASES if "then" in json.loads((FIXTURES / f"{name}.json").read_text())]
SETTINGS = {"default_ttl": "DefaultTtl", "callback_url": "CallbackUrl"}
WEBHOOKS = {"voice_url": "VoiceUrl", "voice_method": "VoiceMethod"}


class Account:
    """The sandbox account of a case, with four numbers that are in no pool at first."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sandbox = Sandbox(store)
        self.sids = [row["sid"] for row in seed_numbers(store, 4, seed=1)]

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Any:
        """Another actor's request."""
        body = urlencode(form or {}).encode()
        response = self.sandbox.respond(
            Request.from_wire(method, path, {"authorization": BASIC}, body, "http://h")
        )
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def create(self, table: str, sid: str, path: str, form: Mapping[str, Any]) -> None:
        """Make something that has this SID."""
        made = self.ask("POST", path, form)["sid"]
        with self.store.writing() as db:
            db.execute(f"UPDATE {table} SET sid = ? WHERE sid = ?", (sid, made))

    def set_up(self, stage: Mapping[str, Any]) -> None:
        """Make the account what a run left behind."""
        for sid, service in stage.get("services", {}).items():
            form = {SETTINGS[name]: value for name, value in service.items() if name in SETTINGS}
            self.create("services", sid, "/v1/Services", {"UniqueName": service["unique_name"], **form})
        for sid in stage.get("messaging_services", ()):
            form = {"FriendlyName": "mg", "UseInboundWebhookOnNumber": "true"}
            self.create("messaging_services", sid, "/messaging/v1/Services", form)
        for sid, number in stage.get("numbers", {}).items():
            if "service" in number:
                pool_numbers(self.store, number["service"], [sid], is_reserved=number["is_reserved"])
            if "messaging_service" in number:
                path = f"/messaging/v1/Services/{number['messaging_service']}/PhoneNumbers"
                self.ask("POST", path, {"PhoneNumberSid": sid})
            webhooks = {WEBHOOKS[name]: value for name, value in number.items() if name in WEBHOOKS}
            if webhooks:
                self.ask(
                    "POST", f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{sid}.json", webhooks
                )

    def services(self) -> dict[str, dict[str, Any]]:
        """The Services with the settings that are not the API's own."""
        found = self.ask("GET", "/v1/Services")["services"]
        return {
            row["sid"]: {name: row[name] for name in ("unique_name", *SETTINGS) if row[name]} for row in found
        }

    def numbers(self) -> dict[str, dict[str, Any]]:
        """Where the numbers are, and which webhooks of their own they have."""
        found: dict[str, dict[str, Any]] = {sid: {} for sid in self.sids}
        for service in self.services():
            for row in self.ask("GET", f"/v1/Services/{service}/PhoneNumbers")["phone_numbers"]:
                found[row["sid"]] |= {"service": service, "is_reserved": row["is_reserved"]}
        for messaging in self.ask("GET", "/messaging/v1/Services")["services"]:
            path = f"/messaging/v1/Services/{messaging['sid']}/PhoneNumbers"
            for row in self.ask("GET", path)["phone_numbers"]:
                found[row["sid"]]["messaging_service"] = messaging["sid"]
        for sid, number in found.items():
            row = self.ask("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{sid}.json")
            if row["voice_url"] == "https://example.com/voice":
                number |= {name: row[name] for name in WEBHOOKS}
        return {sid: number for sid, number in found.items() if number}


@pytest.fixture
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What is known of one case, with its records by id."""
    known: dict[str, Any] = json.loads((FIXTURES / f"{request.param}.json").read_text())
    records: dict[str, bytes] = {}
    for line in (FIXTURES / f"{request.param}.jsonl").read_bytes().splitlines(keepends=True):
        if line.startswith(b'{"type":"run"'):
            records[json.loads(line)["id"]] = b""
        records[list(records)[-1]] += line
    return {"name": request.param, "records": records, **known}


@pytest.fixture
def remembering(case: dict[str, Any], cli: Cli, tmp_path: Path) -> Cli:
    """The program, whose history is that of the case."""
    directory = tmp_path / "state" / "history"
    directory.mkdir(parents=True, mode=0o700)
    for run, content in case["records"].items():
        path = directory / f"{run}.jsonl"
        path.write_bytes(content)
        path.chmod(0o600)
    return cli


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what is null, and without the column that came later; of an error the exit code, since its words
    may get better.
    """
    facts = [{"exit_code": (row.get("error") or {}).get("exit_code"), **row} for row in rows]
    return [
        {key: value for key, value in row.items() if value is not None and key not in ("error", "service")}
        for row in facts
    ]


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_show(case: dict[str, Any], remembering: Cli) -> None:
    for run, rows in case["show"].items():
        ran = remembering.ok("history", "show", run, "-o", "json")
        assert told(ran.json) == rows
        assert ("damaged" in ran.err) == (case["name"] == "killed-in-the-middle-of-a-line")


@pytest.mark.parametrize("case", CONTINUED, indirect=True)
def test_undo_or_go_on(case: dict[str, Any], remembering: Cli, tmp_path: Path) -> None:
    then = case["then"]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        account = Account(store)
        account.set_up(case["stage"])
        assert account.numbers() == case["stage"].get("numbers", {})
        ran = remembering(*then["command"], "-o", "json", "--allow", "no-unreserved")
        assert ran.code == then["code"], ran.err
        assert told(ran.json if ran.out else []) == told(then["rows"])
        assert account.numbers() == then["stage"].get("numbers", {})
        assert account.services() == then["stage"].get("services", {})
