"""TAB in real shells: what is offered, and that a hostile name reaches proxyctl as it is and runs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.completion.names import AccountNames, Names
from tests.completion.terminals import SHELLS, Terminal, installed, program

HOSTILE = (
    "colon:name",
    "two words",
    "it's $(touch pwned) `touch pwned`",
    'say "hi"!',
    "back\\slash",
    "\\$(touch pwned)",
    "*star",
    "~tilde",
    "#hash",
    "equals=sign",
    "x;touch pwned;",
    "gate;touch${IFS}pwned;#",
    "(paren) &|<>",
    "{brace,list}",
    "%percent",
    "ünï",
)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose cache holds Services, numbers and profiles."""
    environ = {
        "PATH": f"{program(tmp_path / 'bin')}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }
    names = Names(environ)
    sandbox = AccountNames(names, "sandbox", "")
    sandbox.save_services(
        [("KS" + "0" * 32, "masking-prod"), *((f"KS{i:032d}", n) for i, n in enumerate(HOSTILE, 1))]
    )
    names.save_profiles([("prod", "AC1", True), ("staging", "AC2", False)])
    (tmp_path / "numbers.csv").write_text("phone_number\n")
    return environ


@pytest.fixture(params=SHELLS)
def terminal(
    request: pytest.FixtureRequest, environ: dict[str, str], tmp_path: Path
) -> Iterator[Terminal | None]:
    """Each of the shells in turn; None for one that is not installed here."""
    if not installed(request.param):
        yield None
        return
    with Terminal(request.param, environ, tmp_path) as terminal:
        yield terminal


def test_tab_completes(terminal: Terminal | None) -> None:
    if terminal is None:
        return
    expected = {
        "proxyctl num": ["number"],
        "proxyctl number res": ["number", "reserve"],
        "proxyctl --sandbox number reserve mask": ["--sandbox", "number", "reserve", "masking-prod"],
        "proxyctl number reserve --sandbox mask": ["number", "reserve", "--sandbox", "masking-prod"],
        "proxyctl number reserve --sandbox masking-prod numb": [
            *("number", "reserve", "--sandbox", "masking-prod", "numb"),
        ],
        "proxyctl service list -o jsonl --out": ["service", "list", "-o", "jsonl", "--out"],
        "proxyctl -o jsonl": ["-o", "jsonl"],
        "proxyctl --output=cs": ["--output=csv"],
        "proxyctl service create x --geo-match-level ext": [
            *("service", "create", "x", "--geo-match-level", "extended-area-code"),
        ],
        "proxyctl -p st": ["-p", "staging"],
        "proxyctl number add x -f numb": ["number", "add", "x", "-f", "numbers.csv"],
        "proxyctl service create numb": ["service", "create", "numb"],
        "proxyctl help exit": ["help", "exit-codes"],
    }
    assert {line: terminal.arguments(line) for line in expected} == expected


def test_tab_shows_what_there_is(terminal: Terminal | None) -> None:
    if terminal is None:
        return
    terminal.offers("proxyctl -o ", "csv", "ids", "json", "tsv")
    terminal.offers("proxyctl service create x --geo-match-level ", "area-code", "country", "radius")
    terminal.offers("proxyctl --sandbox number reserve ", "masking-prod", "two")
    terminal.offers("proxyctl -p ", "prod", "sandbox", "staging")
    assert terminal.arguments("proxyctl num") == ["number"]


def test_a_hostile_name_is_only_a_name(terminal: Terminal | None, tmp_path: Path) -> None:
    if terminal is None:
        return
    typed = {"it's $(touch pwned) `touch pwned`": "it", "\\$(touch pwned)": "'\\$", "x;touch pwned;": "x"}
    for name in HOSTILE:
        start = typed.get(name, name[:3] if name[0].isalpha() else f"'{name[:2]}")
        assert terminal.arguments(f"proxyctl --sandbox service show {start}")[-1] == name
    for start in ("it", "say", "two", "back"):
        name = next(one for one in HOSTILE if one.startswith(start))
        for quote in ("'", '"'):
            assert terminal.arguments(f"proxyctl --sandbox service show {quote}{start}")[-1] == name
    assert terminal.arguments("proxyctl --sandbox service show colon:na")[-1] == "colon:name"
    assert not (tmp_path / "pwned").exists()
