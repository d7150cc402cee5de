"""Whatever a text calls a command runs when it is pasted: with words in capitals filled in, on a sandbox."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.golden.pasted import NUMBERS_FILE, commands_in, filled, runs
from tests.sandbox.serving import served
from tests.support import Cli
from tests.test_prose import FILES, name_of, user_texts


def printed(path: Path) -> Iterator[str]:
    """Yield the commands that stand in a file's texts."""
    texts = [path.read_text()] if path.suffix in (".txt", ".md") else user_texts(path)
    for text in texts:
        yield from commands_in(text)


DIRECTORIES = sorted({path.parent for path in FILES})
SERVICES = (
    "masking",
    "masking-prod",
    "masking-old",
    "masking-eu",
    "rides",
    "archive-us",
    "delivery-de",
    "rides-us",
)


class Place:
    """A sandbox with what the texts name, and with what their words in capitals stand for."""

    def __init__(self, directory: Path, url: str) -> None:
        self.cli = Cli(directory, {"PROXYCTL_PROFILE": "sandbox"})
        numbers = iter([row["phone_number"] for row in self.cli.seed(30)])
        for service in SERVICES:
            self.cli.ok("service", "create", service, "-q")
            self.cli.ok("number", "add", service, next(numbers), next(numbers), "-q")
        key = ("--api-key", "SK" + "0" * 32, "--secret-stdin")
        for profile in ("prod", "named"):
            login = ("auth", "login", "--profile", profile, "--account-sid", ACCOUNT_SID, *key)
            self.cli.ok(*login, "--no-verify", "--base-url", url, stdin="0" * 32)
        rows = self.cli.ok("number", "list", "masking", "-o", "json").json
        mg = self.cli.ok("api", "POST", "/messaging/v1/Services", "-d", "FriendlyName=A2P").json["sid"]
        run = self.cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]
        found = {"SERVICE": "masking", "NUMBER": rows[0]["phone_number"], "OTHER_SERVICE": "rides", "ID": run}
        self.words = {**found, "MESSAGING_SERVICE": mg, "MG": mg, "KS": rows[0]["service_sid"]}
        (directory / "numbers.csv").write_text(NUMBERS_FILE.format(rows[0]["phone_number"]))
        for name in ("pool.toml", "pools.toml"):
            (directory / name).write_text(self.cli.ok("pool", "export", "masking").out)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served() as server:
        yield Place(tmp_path_factory.mktemp("pasted"), server.url)


@pytest.mark.parametrize("directory", DIRECTORIES, ids=name_of)
def test_printed_commands_run(
    place: Place, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.cli.directory)
    config = tmp_path / "config.toml"
    environ = {"PROXYCTL_CONFIG": str(config)}
    found = {command for path in FILES if path.parent == directory for command in printed(path)}
    for command in sorted(found):
        shutil.copy(place.cli.environ["PROXYCTL_CONFIG"], config)
        ran = place.cli(*filled(command, place.words), tty=True, stdin="no\n" * 4, environ=environ)
        assert runs(ran), (command, ran.err)
