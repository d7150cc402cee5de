"""Profiles and settings: saved, changed, removed, and refused where they make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxyctl.errors import ConfigError, UsageError
from proxyctl.profiles.store import ProfileStore

ACCOUNT = "AC" + "1" * 32
KEY = "SK" + "2" * 32


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("profiles.prod.api_key", "SK" + "2" * 32 + "\n", "32 hexadecimal digits"),
        ("profiles.prod.base_url", "https://x\x1b[31m", "plain text"),
        ("profiles.prod.base_url", "https://" + "a" * 3000, "at most 2000"),
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
    assert store.has_comments and store.path.read_text().startswith("# mine")
    store.set_value("output", "csv")
    assert not store.has_comments


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
