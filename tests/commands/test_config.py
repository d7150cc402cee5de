"""config path, get and set; and what a config that is broken or unsafe does to other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.profile_support import CANARY, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_path_is_told_even_of_a_broken_file(home: Home) -> None:
    home.write("][")
    run = home.run("config", "path")
    assert (run.code, run.out) == (0, f"{home.config}\n")


def test_set_and_get(home: Home) -> None:
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


def test_secrets_are_refused(home: Home) -> None:
    home.add("prod")
    for run in (
        home.run("config", "get", "profiles.prod.auth_token"),
        home.run("config", "set", "profiles.prod.api_secret", CANARY),
    ):
        assert run.code == 2 and "auth login --profile prod" in run.err and run.out == ""


def test_unknown_keys_are_answered_with_what_is_near(home: Home) -> None:
    run = home.run("config", "get", "profiles.prod.regio")
    assert run.code == 2 and "did you mean profiles.prod.region" in run.err
    run = home.run("config", "get", "profiles.prod.region")
    assert run.code == 2 and "no profile 'prod'" in run.err


@pytest.mark.parametrize(
    "url", ["http://evil.example", f"http://u:{CANARY}@localhost", "ftp://x", "nonsense"]
)
def test_a_base_url_must_be_safe(home: Home, url: str) -> None:
    assert home.run("config", "set", "profiles.prod.base_url", url).code == 2
    assert not home.config.exists()


def test_lost_comments_are_told(home: Home) -> None:
    home.write("# mine\n")
    run = home.run("config", "set", "output", "json")
    assert run.code == 0 and "comments" in run.err


@pytest.mark.parametrize("text", ["][", "outptu = 'json'", "output = 'xml'", "[profiles.a]\nsecret = 'x'"])
def test_a_broken_config_is_named_with_its_line(home: Home, text: str) -> None:
    home.write(text)
    run = home.run("profile", "list")
    assert run.code == 2 and f"{home.config}:" in run.err
    assert home.run("config", "set", "output", "json").code == 2
    assert home.config.read_text() == text
    assert home.run("service", "list", "--sandbox").code == 0


def test_an_unsafe_config_names_the_command_that_mends_it(home: Home) -> None:
    home.add("prod")
    home.config.chmod(0o644)
    run = home.run("auth", "status")
    assert run.code == 2 and f"chmod 600 {home.config}" in run.err
