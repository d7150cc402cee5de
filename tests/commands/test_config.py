"""config and profile: what a config says, or one that is broken, to other commands. The rest is golden."""

from __future__ import annotations

import pytest

from tests.commands.profile_support import ACCOUNT, CANARY, KEY, Home, server


def test_names_in_a_file_are_shown_harmless(home: Home) -> None:
    home.write('[profiles."\\u001b[31m"]\nregion = "ie1"\n')
    run = home.run("profile", "use", "\x1b[32m")
    assert run.code == 2 and "\x1b" not in run.err
    assert home.run("profile", "list").code == 0


def test_after_the_token_the_command_for_a_key_is_used(home: Home) -> None:
    with server(KEY) as there:
        home.add("prod", base_url=there.url)
        assert home.run("config", "set", "profiles.prod.api_key", KEY).code == 0
        run = home.run("config", "set", "profiles.prod.api_secret_command", "printenv MY_SECRET")
        assert run.code == 0 and "replaced auth_token" in run.err
        assert home.run("auth", "status", MY_SECRET=CANARY).code == 0
    assert there.users == [KEY] and CANARY not in home.config.read_text()


def test_all_settings_are_listed_but_for_secrets(home: Home) -> None:
    home.add("prod", region="ie1")
    home.run("config", "set", "output", "csv")
    home.run("config", "set", "profiles.prod.protected", "true")
    assert home.run("config", "list").out.splitlines() == [
        "key,value",
        "default_profile,prod",
        "output,csv",
        f"profiles.prod.account_sid,{ACCOUNT}",
        "profiles.prod.auth_token,(hidden)",
        "profiles.prod.region,ie1",
        "profiles.prod.protected,true",
    ]
    keys = [row["key"] for row in home.run("config", "list", "-o", "json").json]
    assert home.run("config", "list", "-o", "ids").out.split() == keys


def test_a_setting_is_unset(home: Home) -> None:
    home.add("prod", region="ie1")
    assert home.run("config", "unset", "profiles.prod.region").code == 0
    assert "region" not in home.saved("prod")
    again = home.run("config", "unset", "profiles.prod.region")
    assert (again.code, "is not set" in again.err) == (0, True)
    assert home.run("config", "unset", "profiles.prod.auth_token").code == 2
    assert home.run("config", "unset", "regoin").code == 2
    assert home.run("config", "unset", "profiles.other.region").code == 2


@pytest.mark.parametrize("text", ["][", "outptu = 'json'"])
def test_a_broken_config_is_named_with_its_line(home: Home, text: str) -> None:
    home.write(text)
    run = home.run("profile", "list")
    assert run.code == 2 and f"{home.config}:" in run.err
    assert home.run("config", "set", "output", "json").code == 2
    assert home.run("config", "path").out == f"{home.config}\n"
    assert home.config.read_text() == text
    assert home.run("service", "list", "--sandbox").code == 0
