"""Which credentials win, what half a set says, and that no secret shows on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.errors import AuthenticationError, ConfigError, UsageError
from proxyctl.profiles.profile import Profile, resolve_profile
from proxyctl.profiles.store import ProfileStore

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "3" * 32
KEY = "SK" + "2" * 32
ENVIRON = {"TWILIO_ACCOUNT_SID": OTHER, "TWILIO_AUTH_TOKEN": "canary-env"}


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    store = ProfileStore(tmp_path / "config.toml")
    store.save_profile(
        "prod", account_sid=ACCOUNT, secret="canary-prod", api_key=KEY, region="ie1", edge="dublin"
    )
    store.save_profile("test", account_sid=ACCOUNT, secret="canary-test", base_url="https://proxy.example/x")
    return store


def resolve(store: ProfileStore, option: str | None = None, sandbox: bool = False, **environ: str) -> Profile:
    return resolve_profile(option=option, sandbox=sandbox, environ=environ, store=store)


def broken(tmp_path: Path) -> ProfileStore:
    path = tmp_path / "broken.toml"
    path.write_text("][")
    return ProfileStore(path)


def test_precedence(store: ProfileStore) -> None:
    everything = {**ENVIRON, "PROXYCTL_PROFILE": "test"}
    assert resolve(store, "prod", **everything).source == "--profile"
    assert resolve(store, "prod", **everything).name == "prod"
    assert resolve(store, **everything).source == "PROXYCTL_PROFILE"
    assert resolve(store, **everything).name == "test"
    assert resolve(store, **ENVIRON).source == "environment"
    assert resolve(store).source == "default_profile"
    assert resolve(store).name == "prod"
    assert resolve(store, sandbox=True, **everything).is_sandbox


def test_what_a_profile_says(store: ProfileStore) -> None:
    prod, test = resolve(store, "prod"), resolve(store, "test")
    assert (prod.account_sid, prod.username, prod.secret()) == (ACCOUNT, KEY, "canary-prod")
    assert (prod.region, prod.edge, prod.base_url, prod.uses_api_key) == ("ie1", "dublin", None, True)
    assert (test.account_sid, test.username, test.secret()) == (ACCOUNT, ACCOUNT, "canary-test")
    assert (test.region, test.base_url) == (None, "https://proxy.example/x")
    assert "canary" not in repr(prod) + str(test)


def test_the_environment(store: ProfileStore) -> None:
    found = resolve(store, **ENVIRON, TWILIO_REGION="au1", TWILIO_EDGE="sydney")
    assert (found.account_sid, found.username, found.secret()) == (OTHER, OTHER, "canary-env")
    assert (found.region, found.edge) == ("au1", "sydney")
    pair = {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "canary-pair\n"}
    found = resolve(store, **ENVIRON, **pair)
    assert (found.username, found.secret()) == (KEY, "canary-pair")
    # A profile is not moved by the environment's region: it belongs to the environment's credentials.
    assert resolve(store, "test", TWILIO_REGION="au1").region is None


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"TWILIO_ACCOUNT_SID": ACCOUNT}, "TWILIO_API_KEY with TWILIO_API_SECRET, or TWILIO_AUTH_TOKEN"),
        ({"TWILIO_AUTH_TOKEN": "canary"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "canary"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_KEY": KEY}, "TWILIO_API_SECRET"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_SECRET": "canary"}, "TWILIO_API_KEY"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": " "}, "TWILIO_AUTH_TOKEN"),
    ],
)
def test_half_a_set_says_what_is_missing(store: ProfileStore, environ: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(store, **environ)
    assert f"{missing}" in str(caught.value).partition(": ")[2]
    assert "canary" not in str(caught.value)
    # A profile that was named is not troubled by it.
    assert resolve(store, "prod", **environ).name == "prod"


@pytest.mark.parametrize(
    "environ",
    [
        {"TWILIO_ACCOUNT_SID": "canary", "TWILIO_AUTH_TOKEN": "x"},
        {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_KEY": "canary", "TWILIO_API_SECRET": "x"},
        {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "canary\ncanary"},
        {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "canäry"},
        {**ENVIRON, "TWILIO_REGION": "canary.evil.com/"},
        {**ENVIRON, "TWILIO_EDGE": "canary@"},
    ],
)
def test_malformed_variables_are_named_and_not_repeated(store: ProfileStore, environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="TWILIO_") as caught:
        resolve(store, **environ)
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_empty_variables_are_not_set(store: ProfileStore) -> None:
    empty = dict.fromkeys(
        [
            "TWILIO_ACCOUNT_SID",
            "TWILIO_AUTH_TOKEN",
            "TWILIO_API_KEY",
            "PROXYCTL_PROFILE",
            "PROXYCTL_BASE_URL",
        ],
        "",
    )
    assert resolve(store, **empty).source == "default_profile"


def test_the_sandbox_needs_nothing_and_reads_nothing(tmp_path: Path) -> None:
    store = broken(tmp_path)
    for found in (
        resolve(store, sandbox=True, PROXYCTL_BASE_URL="https://elsewhere.example"),
        resolve(store, "sandbox", TWILIO_ACCOUNT_SID="half"),
        resolve(store, "sandbox", sandbox=True),
        resolve(store, PROXYCTL_PROFILE="sandbox"),
    ):
        assert found.is_sandbox and found.name == "sandbox" and found.base_url is None
        assert found.secret()
    with pytest.raises(UsageError, match="--profile prod exclude each other"):
        resolve(store, "prod", sandbox=True)


def test_a_broken_config_hurts_only_who_needs_it(tmp_path: Path) -> None:
    store = broken(tmp_path)
    assert resolve(store, **ENVIRON).account_sid == OTHER
    with pytest.raises(ConfigError):
        resolve(store)
    with pytest.raises(ConfigError):
        resolve(store, "prod", **ENVIRON)


def test_a_server_of_the_environment_is_noted(store: ProfileStore) -> None:
    url = "https://u:canary@elsewhere.example"
    for name in ("test", "prod"):
        found = resolve(store, name, PROXYCTL_BASE_URL=url)
        assert found.base_url == url and len(found.notes) == 1
        assert "elsewhere.example (PROXYCTL_BASE_URL)" in found.notes[0] and "canary" not in found.notes[0]
    assert resolve(store, "test", PROXYCTL_BASE_URL="https://proxy.example/x/").notes == ()
    alone = resolve(store, PROXYCTL_BASE_URL=url, **ENVIRON)
    assert (alone.base_url, alone.notes) == (url, ())


@pytest.mark.parametrize("url", ["http://127.0.0.1:8181", "HTTP://localhost/", " http://u:canary@[::1]:1"])
def test_saved_credentials_are_not_sent_over_http_to_a_server_of_the_environment(
    store: ProfileStore, url: str
) -> None:
    for chosen in ({"PROXYCTL_PROFILE": "prod"}, {}):
        with pytest.raises(UsageError, match="not sent there") as caught:
            resolve(store, PROXYCTL_BASE_URL=url, **chosen)
        assert "canary" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(UsageError, match="not sent there"):
        resolve(store, "test", PROXYCTL_BASE_URL=url)
    assert resolve(store, PROXYCTL_BASE_URL=url, **ENVIRON).notes == ()
    store.set_value("profiles.prod.base_url", "http://127.0.0.1:8181/")
    assert resolve(store, "prod", PROXYCTL_BASE_URL="http://127.0.0.1:8181").notes == ()


def test_an_unknown_profile_is_answered_with_what_is_near(store: ProfileStore) -> None:
    with pytest.raises(UsageError, match="did you mean prod") as caught:
        resolve(store, "prdo")
    assert "prod, test, sandbox" in str(caught.value.hint)
    with pytest.raises(UsageError) as caught:
        resolve(store, PROXYCTL_PROFILE="\x1b[31m")
    assert "\x1b" not in str(caught.value)


def test_no_credentials_name_the_three_ways_on(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError) as caught:
        resolve(ProfileStore(tmp_path / "none.toml"))
    hint = str(caught.value.hint)
    assert "auth login" in hint and "TWILIO_ACCOUNT_SID" in hint and "--sandbox" in hint
    # Each line is told by itself, so each is a sentence.
    assert all(line[0].isupper() and line.endswith(".") for line in hint.splitlines()), hint


def test_profiles_that_can_not_be_used(store: ProfileStore) -> None:
    store.set_value("default_profile", "sandbox")
    assert resolve(store).is_sandbox
    store.set_value("profiles.empty.account_sid", ACCOUNT)
    store.set_value("profiles.empty.account_sid", "")
    with pytest.raises(ConfigError, match="has no account_sid"):
        resolve(store, "empty")
    store.set_value("profiles.empty.account_sid", ACCOUNT)
    with pytest.raises(AuthenticationError, match="has no auth_token"):
        resolve(store, "empty")
    store.set_value("profiles.empty.api_key", KEY)
    with pytest.raises(AuthenticationError, match="has no api_secret"):
        resolve(store, "empty")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("auth_token = 'canary'\nauth_token_command = 'x'", "both auth_token and auth_token_command"),
        ("auth_token = 'canary canary'", "not a single word"),
        ("auth_token = 'x'\nregion = 'canary.evil/'", "region must be"),
        ("auth_token = 'x'\napi_key = 'canary'", "api_key must be"),
    ],
)
def test_wrong_values_name_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"\n[profiles.prod]\naccount_sid = '{ACCOUNT}'\n{line}\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=words) as caught:
        resolve(ProfileStore(path), "prod")
    assert f"{path}:2" in str(caught.value) and "canary" not in str(caught.value)


def test_what_a_profile_is_called(store: ProfileStore) -> None:
    named, environment = resolve(store, "test"), resolve(store, **ENVIRON)
    assert (named.label, named.comment, named.uses_api_key) == ("profile test", "", False)
    assert (environment.label, environment.comment) == ("environment", f"# account {OTHER}")


def test_hints_name_variables_that_are_not_read_and_profiles_that_are_there(store: ProfileStore) -> None:
    names = {"TWILIO_API_KEY_SECRET": "canary", "TWILIO_API_KEY_SID": "canary"}
    read = {"TWILIO_API_KEY": KEY, "TWILIO_ACCOUNT_SID": ACCOUNT}
    with pytest.raises(UsageError) as half:
        resolve(store, **names, **read)
    assert "proxyctl reads TWILIO_API_SECRET. TWILIO_API_KEY_SECRET is set" in str(half.value.hint)
    assert "TWILIO_API_KEY_SID" not in str(half.value.hint)
    store.set_value("default_profile", "")
    with pytest.raises(AuthenticationError) as nothing:
        resolve(store, **names)
    assert "TWILIO_API_KEY_SID is set" in str(nothing.value.hint)
    assert "Choose a profile with --profile NAME" in str(nothing.value.hint)
