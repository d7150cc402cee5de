"""Profiles and settings: saved, changed, removed, and refused where they make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxyctl.errors import ConfigError, UsageError
from proxyctl.profiles.store import ProfileStore

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "a" * 32
KEY = "SK" + "2" * 32


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("profiles.prod.api_key", "SK" + "2" * 32 + "\n", "32 hexadecimal digits"),
        ("profiles.prod.base_url", "https://x\x1b[31m", "plain text"),
        *(
            (f"profiles.prod.{field}", name, f"{field} must be")
            for field in ("region", "edge")
            for name in ("evil.com/", "a.b", "-a", "a-", "ü", "a" * 64, "us1\n", "a@b")
        ),
    ],
)
def test_settings_that_make_no_sense(store: ProfileStore, key: str, value: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        store.set_value(key, value)
    assert "\x1b" not in str(caught.value)
    assert not store.path.exists()


def test_a_write_that_changes_nothing_keeps_the_file(store: ProfileStore) -> None:
    store.path.write_text('# mine\noutput = "json"\n')
    store.path.chmod(0o600)
    store.set_value("output", "json")
    assert store.path.read_text().startswith("# mine")


def test_a_default_that_does_not_exist_names_file_and_line(store: ProfileStore) -> None:
    store.path.write_text('output = "json"\ndefault_profile = "prdo"\n[profiles.prod]\n')
    store.path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"config\.toml:2: .*'prdo'.*did you mean prod"):
        store.default_profile()
    assert store.default_output() == "json"


def test_without_a_home_there_is_nothing_to_read_and_nowhere_to_write() -> None:
    def nowhere() -> Path:
        raise ConfigError("there is no home directory")

    store = ProfileStore(nowhere)
    assert store.profiles() == {} and store.default_output() is None
    with pytest.raises(ConfigError, match="no home"):
        store.set_value("output", "json")


plain = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=50)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=plain, url=plain, protected=st.booleans(), name=st.from_regex(r"\A[A-Za-z0-9_][\w.@+-]{0,20}\Z")
)
def test_settings_come_back_as_they_were(
    tmp_path: Path, command: str, url: str, protected: bool, name: str
) -> None:
    store = ProfileStore(tmp_path / "config.toml")
    if not name.isascii() or name == "sandbox":
        return
    store.set_value(f"profiles.{name}.account_sid", ACCOUNT)
    store.set_value(f"profiles.{name}.api_key", KEY)
    given_values = {"api_secret_command": command, "base_url": url, "protected": str(protected).lower()}
    for field, value in given_values.items():
        store.set_value(f"profiles.{name}.{field}", value)
    found = ProfileStore(store.path).get(name)
    pair = {"account_sid": ACCOUNT, "api_key": KEY}
    assert found == {**pair, "api_secret_command": command, "base_url": url, "protected": protected}


def test_new_credentials_take_the_place_of_the_old_and_settings_stay(store: ProfileStore) -> None:
    assert store.save_profile("a", account_sid=ACCOUNT, secret="x", region="ie1", edge="dublin")
    assert not store.save_profile("a", account_sid=ACCOUNT, secret="y", api_key=KEY, edge="ashburn")
    pair = {"account_sid": ACCOUNT, "api_key": KEY, "api_secret": "y"}
    assert store.get("a") == {**pair, "region": "ie1", "edge": "ashburn"}
    assert store.default_profile() == "a"
    store.remove_secrets("a")
    assert store.get("a") == {"account_sid": ACCOUNT, "api_key": KEY, "region": "ie1", "edge": "ashburn"}
    assert not store.save_profile("b", account_sid=ACCOUNT, secret="z")
    store.remove("b")
    assert (store.default_profile(), store.names()) == ("a", ["a", "sandbox"])
    store.remove("a")
    assert (store.default_profile(), store.names()) == (None, ["sandbox"])
    with pytest.raises(UsageError, match="built in"):
        store.remove("sandbox")
    with pytest.raises(UsageError, match="no profile 'a'"):
        store.remove_secrets("a")


def test_a_default_that_was_chosen_stays_when_the_first_profile_comes(store: ProfileStore) -> None:
    store.set_value("default_profile", "sandbox")
    assert not store.save_profile("a", account_sid=ACCOUNT, secret="x")
    assert store.default_profile() == "sandbox"


def test_what_a_setting_does_besides(store: ProfileStore) -> None:
    assert store.set_value("profiles.a.account_sid", ACCOUNT) == ("a", ())
    assert store.set_value("profiles.a.region", "ie1") == (None, ())
    assert store.set_value("profiles.a.region", "") == (None, ())
    assert "region" not in store.get("a")
    store.save_profile("a", account_sid=ACCOUNT, secret="x")
    assert store.set_value("profiles.a.auth_token_command", "print it") == (None, ("auth_token",))
    assert store.get("a") == {"account_sid": ACCOUNT, "auth_token_command": "print it"}
    for key, value in (
        ("profiles.b.region", "ie1"),
        ("profiles.b.account_sid", ""),
        ("default_profile", "b"),
    ):
        with pytest.raises(UsageError, match=r"no (such )?profile"):
            store.set_value(key, value)


def test_what_is_shown_of_settings(store: ProfileStore) -> None:
    url = "https://u:canary@proxy.example"
    store.save_profile("a", account_sid=ACCOUNT, secret="canary", base_url=url)
    store.set_value("output", "json")
    shown = dict(store.settings())
    assert "canary" not in str(shown) and shown["profiles.a.auth_token"] == "(hidden)"
    assert shown["default_profile"] == "a" and "profiles" not in shown
    assert store.get_value("output") == shown["output"] == "json"
    assert store.get_value("profiles.a.base_url") == shown["profiles.a.base_url"]
    assert store.get_value("profiles.a.edge") is None


def test_which_profiles_protect_an_account(store: ProfileStore) -> None:
    for name, account, protected in (("a", ACCOUNT, "true"), ("b", ACCOUNT, "false"), ("c", OTHER, "true")):
        store.set_value(f"profiles.{name}.account_sid", account)
        store.set_value(f"profiles.{name}.protected", protected)
    assert (store.protecting(ACCOUNT), store.protecting(OTHER.upper())) == (["a"], ["c"])


@pytest.mark.parametrize("count", [19, 20])
def test_many_profiles_are_named_in_part(store: ProfileStore, count: int) -> None:
    store.path.write_text("".join(f"[profiles.p{index}]\n" for index in range(count)))
    store.path.chmod(0o600)
    hint = str(store.unknown("x").hint)
    assert ("…" in hint, "p18" in hint, "sandbox" in hint) == (count == 20, True, count == 19)
