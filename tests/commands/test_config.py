"""config path, get and set; and what a config that is broken or unsafe does to other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.profile_support import ACCOUNT, CANARY, KEY, Home, server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_path_is_told_even_of_a_broken_file(home: Home) -> None:
    home.write("][")
    run = home.run("config", "path")
    assert (run.code, run.out) == (0, f"{home.config}\n")


def test_set_and_get(home: Home) -> None:
    home.add("prod")
    assert home.run("config", "set", "profiles.prod.protected", "true").code == 0
    assert home.run("config", "get", "profiles.prod.protected").out == "true\n"
    run = home.run("config", "get", "output")
    assert (run.code, run.out) == (0, "") and "not set" in run.err
    assert home.config.stat().st_mode & 0o777 == 0o600


def test_the_output_of_the_config_is_used(home: Home) -> None:
    assert home.run("config", "set", "output", "json").code == 0
    assert home.run("profile", "list").out.startswith("[")
    assert home.run("profile", "list", PROXYCTL_OUTPUT="csv").out.startswith("name,")
    assert home.run("config", "set", "output", "xml").code == 2


def test_a_profile_that_was_made_is_named_with_what_it_lacks(home: Home) -> None:
    run = home.run("config", "set", "profiles.prod.account_sid", ACCOUNT)
    assert run.code == 0 and "made profile 'prod'" in run.err and "auth login --profile prod" in run.err
    assert home.run("config", "set", "profiles.prod.account_sid", ACCOUNT).err == ""
    assert home.run("config", "set", "profiles.prdo.protected", "true").code == 2


def test_a_command_replaces_the_token_and_says_so(home: Home) -> None:
    home.add("prod")
    run = home.run("config", "set", "profiles.prod.api_secret_command", "pass show x")
    assert run.code == 2 and "auth_token_command" in run.err and "profiles.prod.api_key" in run.err
    assert CANARY in home.config.read_text()
    run = home.run("config", "set", "profiles.prod.auth_token_command", "printenv MY_SECRET")
    assert run.code == 0 and "replaced auth_token" in run.err and str(home.config) in run.err
    assert CANARY not in home.config.read_text()
    assert home.run("config", "set", "profiles.prod.auth_token_command", "pass show y").err == ""


def test_after_the_token_the_command_for_a_key_is_used(home: Home) -> None:
    with server(KEY) as there:
        home.add("prod", base_url=there.url)
        assert home.run("config", "set", "profiles.prod.api_key", KEY).code == 0
        run = home.run("config", "set", "profiles.prod.api_secret_command", "printenv MY_SECRET")
        assert run.code == 0 and "replaced auth_token" in run.err
        assert home.run("auth", "status", MY_SECRET=CANARY).code == 0
    assert there.users == [KEY] and CANARY not in home.config.read_text()


@pytest.mark.parametrize(
    "url", ["http://evil.example", f"http://u:{CANARY}@localhost", "ftp://x", "nonsense"]
)
def test_a_base_url_must_be_safe(home: Home, url: str) -> None:
    home.add("prod")
    before = home.config.read_bytes()
    run = home.run("config", "set", "profiles.prod.base_url", url)
    assert run.code == 2 and "base URL" in run.err
    assert home.config.read_bytes() == before


def test_lost_comments_are_told(home: Home) -> None:
    home.write("# mine\n")
    run = home.run("config", "set", "output", "json")
    assert run.code == 0 and "comments" in run.err


@pytest.mark.parametrize("text", ["][", "outptu = 'json'"])
def test_a_broken_config_is_named_with_its_line(home: Home, text: str) -> None:
    home.write(text)
    run = home.run("profile", "list")
    assert run.code == 2 and f"{home.config}:" in run.err
    assert home.run("config", "set", "output", "json").code == 2
    assert home.config.read_text() == text
    assert home.run("service", "list", "--sandbox").code == 0
