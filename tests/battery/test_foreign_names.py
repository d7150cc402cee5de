"""Names and SIDs as somebody hostile would choose them, in what every command prints and sends: no command is injected
or loses its account, no line is forged, and no SID becomes more than a SID.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.battery.foreign import Foreign, foreign, hostile
from tests.support import Ran, all_commands, case

__all__ = ["foreign", "hostile"]  # fixtures

NAMES = (
    "mask;touch${IFS}PWNED;#",
    "it's PWNED'; touch PWNED; '",
    "x\nFORGED: of account AC-staging\r\nFORGED",
    "x -p x PWNED",
    "--sandbox",
    "a: proxyctl number drain PWNED",
    "'proxyctl number list PWNED' `proxyctl pool list PWNED`",
    "'proxyctl number PWNED",
)
# What is typed: SERVICE and OTHER are SIDs, NUMBER and FREE numbers in the pool and outside of it.
COMMANDS = {
    "service create": ["service create Masking", "service create masking --if-not-exists"],
    "service list": ["service list", "service list --counts"],
    "service show": ["service show SERVICE", "service show NAME", "service show maskin"],
    "service update": [
        "service update SERVICE --default-ttl 60",
        "service update SERVICE --unique-name other",
    ],
    "service delete": [
        "service delete SERVICE --yes",
        "service delete SERVICE",
        "service delete OTHER --dry-run",
    ],
    "number add": ["number add SERVICE NUMBER", "number add OTHER NUMBER", "number add SERVICE FREE"],
    "number reserve": ["number reserve SERVICE NUMBER", "number reserve OTHER NUMBER"],
    "number release": ["number release SERVICE NUMBER", "number release OTHER NUMBER"],
    "number remove": [
        "number remove SERVICE NUMBER --yes",
        "number remove OTHER NUMBER --yes",
        "number remove SERVICE BUSY --yes",
    ],
    "number list": ["number list SERVICE", "number list --all", "number list nothing"],
    "number show": ["number show NUMBER", "number show OTHER NUMBER"],
    "number find": ["number find NUMBER", "number find FREE"],
    "number drain": ["number drain SERVICE BUSY", "number drain OTHER NUMBER --remove --yes"],
    "number webhooks": ["number webhooks SERVICE NUMBER --proxy", "number webhooks OTHER NUMBER --proxy"],
    "number move": [
        "number move NUMBER --from SERVICE --to OTHER --yes",
        "number move BUSY --from SERVICE --to OTHER",
    ],
    "session list": [
        "session list SERVICE --active --with-participants",
        "session list --all --number BUSY",
        "session list OTHER --number BUSY",
    ],
    "session show": ["session show SERVICE SESSION", "session show SERVICE NAME"],
    "session create": [
        "session create SERVICE --unique-name masking",
        "session create SERVICE --participant +4930901820",
        "session create SERVICE --unique-name NAME --if-not-exists",
    ],
    "session update": [
        "session update SERVICE SESSION --ttl 60",
        "session update SERVICE SESSION --status in-progress",
    ],
    "session close": ["session close SERVICE SESSION --yes", "session close SERVICE --all-sessions"],
    "session delete": ["session delete SERVICE SESSION", "session delete OTHER --all-sessions --yes"],
    "participant add": ["participant add SERVICE SESSION +4930901820"],
    "participant remove": ["participant remove SERVICE SESSION nobody --yes"],
    "participant list": ["participant list SERVICE SESSION", "participant list SERVICE nobody"],
    "interaction list": ["interaction list SERVICE SESSION"],
    "pool status": ["pool status SERVICE --sessions", "pool status --all --fail-above 0"],
    "pool export": ["pool export SERVICE", "pool export --all --numbers-to DIR"],
    "pool plan": ["pool plan POOL --prune", "pool plan POOL --exit-code"],
    "pool apply": ["pool apply POOL --prune", "pool apply POOL --prune --yes"],
    "pool audit": ["pool audit --all", "pool audit SERVICE --sessions"],
    "messaging check": ["messaging check SERVICE --messaging-service MG"],
    "messaging attach": [
        "messaging attach SERVICE --messaging-service MG --yes",
        "messaging attach OTHER NUMBER --messaging-service MG",
    ],
    "history list": ["history list"],
    "history show": ["history show RUN"],
    "history undo": ["history undo last --yes", "history undo last", "history undo CREATED --yes"],
    "history prune": ["history prune --older-than 1d"],
    "api": ["api DELETE /v1/Services/OTHER", "api GET /v1/Services"],
    "doctor": ["doctor"],
}
# What asks the account nothing, or only whether the credentials work.
NO_NAMES = re.compile("(auth|profile|config|sandbox|explain|completion|help)( |$)")
OF_ACCOUNT = re.compile(
    r"(?<![\w./-])proxyctl (?:-p prod )?(?:service|number|session|participant|pool|messaging|api|history)\b"
)


def test_every_command_has_an_entry() -> None:
    leaves = {" ".join(node.path) for node in all_commands() if not node.children}
    assert {name for name in leaves if not NO_NAMES.match(name)} == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_name_stays_a_name(foreign: Foreign, command: str) -> None:
    """Each line meets each name, every other time at a terminal."""
    for count, line in enumerate(COMMANDS[command]):
        for place, name in enumerate(NAMES):
            with case(line, name):
                foreign.anew()
                foreign.call(name)
                ran = foreign(line, tty=(count + place) % 2 == 1, stdin="no\n" * 3)
                nothing_was_injected(ran, name)


def nothing_was_injected(ran: Ran, name: str) -> None:
    # A response with another name than the one that was asked for is refused.
    assert ran.code != 1 or "is about another Session" in ran.err, ran.err
    assert not re.search("(?m)^(?:\x1b\\[[0-9;]*m)*FORGED", ran.err), ran.err
    said = re.sub("\x1b\\[[0-9;]*m", "", ran.err)
    for shown in (name, name.replace("proxyctl ", "proxyctl -p prod ")):
        said = said.replace(shown, "HOSTILE")
    for found in OF_ACCOUNT.finditer(said):
        rest = said[found.start() :].split("\n")[0]
        assert found[0].startswith("proxyctl -p prod ") or " -h" in rest, said
        typed = re.split(r"(?<=[^ ])'(?: |$|\.|,)", rest)[0]
        assert "HOSTILE" not in typed and "PWNED" not in typed, typed


def test_the_fix_of_a_finding_is_one_command(foreign: Foreign) -> None:
    lines = ("pool audit --all -o json", "messaging check SERVICE --messaging-service MG -o json")
    for name, line in itertools.product(NAMES, lines):
        with case(line, name):
            foreign.call(name)
            rows = foreign(line).json
            assert rows
            for row in rows:
                words = shlex.split(row["fix"])
                assert words[:3] == ["proxyctl", "-p", "prod"]
                assert not re.search("PWNED|FORGED|[;#$`\n]", row["fix"])


# SIDs

SIDS = (
    "../outside/x",
    "KS1\nFORGED",
    'KS"]\n[services.masking-prod]\nsid = "x',
    "KS" + "0" * 31,
    "",
    "%2e%2e/x",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_sid_goes_nowhere(foreign: Foreign, command: str) -> None:
    """Each line meets each SID in place of a Service's, and every other one in place of the others."""
    before = set(foreign.stage.directory.rglob("*"))
    for place, (line, what) in enumerate(itertools.product(COMMANDS[command], ("KS", "PN", "MG"))):
        for sid in SIDS if what == "KS" else SIDS[place % 2 :: 2]:
            with case(line, what, sid):
                foreign.anew()
                replaced = foreign.number(what, sid)
                ran = foreign(line)
                no_sid_leaves_its_place(foreign, line, ran, before)
            if not replaced:  # it reads none of these, so that all that follow are the same
                break


def no_sid_leaves_its_place(foreign: Foreign, line: str, ran: Ran, before: set[Path]) -> None:
    assert "internal error" not in ran.err, ran.err
    assert not re.search(r"(?m)^FORGED|^\[services.masking-prod\]", ran.err), ran.err
    if line.startswith("pool export"):
        assert "FORGED" not in ran.out and "\n[services.masking-prod]" not in ran.out
    for path in set(foreign.stage.directory.rglob("*")) - before:
        assert "outside" not in str(path) and "\n" not in str(path)
        if path.suffix == ".csv":
            assert "FORGED" not in path.read_text()
    for entry in foreign.stage.ledger.entries:
        assert re.fullmatch(r"[A-Za-z0-9/._-]+", entry.path), entry.path


OUTSIDE = (
    "/v1/..%2f..%2fadmin",
    "/v1/x%2Fy",
    "/v1/x%5cy",
    "/v1/%2e%2e/x",
    "/v1/./x",
    "/v1/..%252fadmin",
    "/v1/%252e%252e/x",
    "/v1/..;/admin",
)


def test_no_path_leaves_its_place(foreign: Foreign) -> None:
    asked = len(foreign.stage.ledger.entries)
    for method, path in itertools.product(("GET", "POST", "DELETE"), OUTSIDE):
        ran = foreign(f"api {method} {path} --yes")
        assert (ran.code, len(foreign.stage.ledger.entries)) == (2, asked), (method, path, ran.err)


def test_a_record_with_a_hostile_sid_is_not_undone(foreign: Foreign) -> None:
    for key in ("sid", "service_sid", "messaging_service_sid", "from", "to", "messaging_service"):
        with case(key):
            foreign.anew()
            not_undone(foreign, key)


def not_undone(foreign: Foreign, key: str) -> None:
    path = foreign.stage.directory / "run" / "state" / "history" / f"{foreign.words['RUN']}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["type"] == "intent":
            move = {"from": foreign.stage.service, "to": foreign.words["OTHER"]}
            row |= (
                {"move": move | {key: "../../x"}}
                if key not in row and "_sid" not in key
                else {key: "../../x"}
            )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sent = len(foreign.stage.writes)
    ran = foreign(f"history undo {foreign.words['RUN']} --yes")
    if key not in ("from", "to"):  # a run names Services there that it has made
        assert (ran.code, len(foreign.stage.writes)) == (5, sent), ran.err
        assert "is damaged" in ran.err
    assert not [entry for entry in foreign.stage.reads if "x" in Path(entry.path).name]
