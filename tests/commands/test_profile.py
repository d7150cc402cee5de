"""profile list, use and remove."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.profile_support import ACCOUNT, CANARY, OTHER, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_list_has_the_sandbox_always(home: Home) -> None:
    run = home.run("profile", "list", "-o", "jsonl")
    assert run.code == 0
    assert [(row["name"], row["default"]) for row in run.rows] == [("sandbox", False)]


def test_list_shows_everything_but_the_secret(home: Home) -> None:
    home.add("prod", region="ie1")
    home.run("config", "set", "profiles.test.account_sid", OTHER)
    home.run("config", "set", "profiles.test.auth_token_command", f"echo {CANARY}")
    run = home.run("profile", "list", "-o", "json")
    prod, test, sandbox = json.loads(run.out)
    assert prod == {
        "name": "prod",
        "default": True,
        "account_sid": ACCOUNT,
        "auth": "auth_token",
        "base_url": None,
        "region": "ie1",
        "edge": None,
        "protected": False,
    }
    assert (test["auth"], test["account_sid"]) == ("auth_token (command)", OTHER)
    assert sandbox["name"] == "sandbox"
    assert home.run("profile", "list", "-o", "ids").out == "prod\ntest\nsandbox\n"


def test_use(home: Home) -> None:
    home.add("prod")
    home.add("test")
    assert home.run("profile", "use", "test").code == 0
    assert home.run("config", "get", "default_profile").out == "test\n"
    assert home.run("profile", "use", "sandbox").code == 0
    run = home.run("profile", "use", "tset")
    assert run.code == 2 and "did you mean test" in run.err
    assert home.run("config", "get", "default_profile").out == "sandbox\n"


def test_remove(home: Home) -> None:
    home.add("prod")
    run = home.run("profile", "remove", "prod")
    assert run.code == 2 and "--yes" in run.err
    assert home.run("profile", "remove", "prod", "--dry-run").code == 0
    assert "prod" in home.config.read_text()
    assert home.run("profile", "remove", "prod", stdin="y\n", terminal=True).code == 0
    assert home.config.read_text() == "[profiles]\n"
    assert home.run("profile", "remove", "prod", "--yes").code == 2
    assert home.run("profile", "remove", "sandbox", "--yes").code == 2


def test_names_in_a_file_are_shown_harmless(home: Home) -> None:
    home.write('[profiles."\\u001b[31m"]\nregion = "ie1"\n')
    run = home.run("profile", "use", "\x1b[32m")
    assert run.code == 2 and "\x1b" not in run.err
    assert home.run("profile", "list").code == 0
