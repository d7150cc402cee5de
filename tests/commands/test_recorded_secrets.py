"""A secret that stands in what is typed or set: locks and history do not hold it, and undo never sends what stands in
its place.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, Sandbox
from proxyctl.sandbox.world.seed import seed_numbers
from proxyctl.sandbox.world.store import Store
from proxyctl.text import REDACTED
from tests.battery.front import SECRET, Front
from tests.sandbox.serving import served
from tests.support import Cli, Ran

FORMS = [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
OWN = "https://own.example/"


class Stage:
    """A Service with a number, before an account whose secret is SECRET."""

    def __init__(self, cli: Cli, front: Front, number: str) -> None:
        self.cli, self.number = cli, number
        self.sent: list[bytes] = []
        front.answer = lambda request: self.sent.append(repr(request).encode())

    def ok(self, *arguments: str) -> Ran:
        ran = self.cli.ok(*arguments)
        self.kept_nothing()
        return ran

    def kept_nothing(self) -> None:
        """No file of ours has the secret in any form; no request has what stands in its place."""
        state = self.cli.directory / "state"
        kept = [
            path
            for path in state.rglob("*")
            if path.is_file() and path.suffix in (".jsonl", ".lock", ".json", ".toml")
        ]
        assert kept
        for path in kept:
            assert not [form for form in FORMS if form in path.read_text()], path.read_text()
        assert not [body for body in self.sent if b"redacted" in body]

    def undo(self, code: int, *options: str) -> Ran:
        ran = self.cli("history", "undo", "last", "--yes", "-o", "json", *options)
        assert ran.code == code, ran.err
        self.kept_nothing()
        return ran

    @property
    def service(self) -> dict[str, object]:
        found: dict[str, object] = self.cli.ok("service", "show", "masking", "-o", "json").json
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Store(":memory:") as store:
        front = Front(Sandbox(store))
        (number,) = seed_numbers(store, 1, seed=1)
        with served(front) as server:
            environ = {
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": SECRET,
                "PROXYCTL_BASE_URL": server.url,
            }
            yield Stage(Cli(tmp_path, environ), front, number["sid"])


@pytest.mark.parametrize("form", FORMS)
def test_in_what_is_typed(stage: Stage, form: str) -> None:
    """The very first command: nothing was sent before its lock is taken."""
    stage.ok("service", "create", "masking", "--callback-url", f"https://a.example/?x={form}")
    stage.ok(
        "api", "POST", "/v1/Services/" + str(stage.service["sid"]), "-d", f"CallbackUrl=https://a/{form}"
    )
    stage.cli("api", "GET", f"/v1/Services/{quote(form, safe='')}")
    stage.cli("api", "DELETE", f"/v1/Services/{quote(form, safe='')}", "--yes")
    stage.kept_nothing()
    assert REDACTED in stage.ok("history", "list", "--all").out
    for run in stage.ok("history", "list", "--all", "-o", "ids").lines:
        stage.ok("history", "show", run)


def test_a_redacted_command_that_is_pasted_is_refused(stage: Stage) -> None:
    ran = stage.cli("api", "POST", "/v1/Services", "-d", f"UniqueName={REDACTED}")
    assert (ran.code, stage.sent) == (2, [])


def test_undo_refuses_the_field_and_undoes_the_others(stage: Stage) -> None:
    stage.ok("service", "create", "masking", "--callback-url", OWN, "--default-ttl", "60")
    secret = f"https://user:{quote(SECRET, safe='')}@a.example/"
    stage.ok("service", "update", "masking", "--callback-url", secret, "--default-ttl", "90")
    ran = stage.undo(6)
    assert "callback_url of Service masking: failed: can't be undone" in ran.err
    assert [(row["action"], row["error"] and row["error"]["exit_code"]) for row in ran.json] == [
        ("failed", 5),
        ("updated", None),
    ]
    assert (stage.service["callback_url"], stage.service["default_ttl"]) == (secret, 60)


@pytest.mark.parametrize("before", [OWN, f"https://b/{SECRET}"])
@pytest.mark.parametrize("after", [OWN + "new", f"https://a/{SECRET}"])
def test_undo_of_that_field_alone(stage: Stage, before: str, after: str) -> None:
    stage.ok("service", "create", "masking", "--callback-url", before)
    stage.ok("service", "update", "masking", "--callback-url", after)
    plain = SECRET not in before + after
    for options in (["--dry-run"], []):
        ran = stage.undo(0 if plain else 5, *options)
        assert plain or "so it was not recorded" in ran.err
    assert stage.service["callback_url"] == (before if plain else after)


def test_the_file_that_recreates_a_service_lacks_it(stage: Stage) -> None:
    stage.ok("service", "create", "masking", "--callback-url", f"https://a/{SECRET}", "--default-ttl", "60")
    ran = stage.cli("service", "delete", "masking", "--yes")
    assert ran.code == 0 and "callback_url of Service masking held the secret" in ran.err
    stage.kept_nothing()
    (saved,) = (stage.cli.directory / "state" / "saved").iterdir()
    stage.ok("pool", "apply", str(saved), "--yes")
    assert (stage.service["callback_url"], stage.service["default_ttl"]) == (None, 60)


@pytest.mark.parametrize("way", ["undo", "remove", "remove late", "webhooks"])
def test_webhooks_with_the_secret_are_not_restored(stage: Stage, way: str) -> None:
    number = stage.number
    stage.ok("service", "create", "masking")
    url = f"https://user:{quote(SECRET, safe='')}@own.example/voice"
    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{number}.json"
    stage.ok("api", "POST", path, "-d", f"VoiceUrl={url}", "-d", f"SmsUrl={OWN}")
    stage.ok("number", "add", "masking", number, "--allow", "take-over")
    commands = {
        "undo": ("history", "undo", "last"),
        "remove": ("number", "remove", "masking", number, "--restore-webhooks"),
        "remove late": ("number", "remove", "masking", number, "--restore-webhooks"),
        "webhooks": ("number", "webhooks", "masking", number, "--restore"),
    }
    if way == "remove late":
        stage.ok("number", "remove", "masking", number, "--yes", "--allow", "no-unreserved")
    ran = stage.cli(*commands[way], "--yes", "--allow", "no-unreserved", "-o", "json")
    stage.kept_nothing()
    assert ran.code == 5 and "not recorded" in ran.err, ran.err
