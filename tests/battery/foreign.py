"""An account that calls its Services and numbers as somebody hostile would, and the stage that is set back to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.context import Request
from tests.battery.front import SECRET
from tests.battery.scene import Scene, scene
from tests.battery.test_wrong_answers import spoil
from tests.sandbox.serving import kept
from tests.support import Cli, Ran


class Foreign:
    """An account that calls its Services and numbers as somebody hostile would, for a profile called prod."""

    def __init__(self, stage: Scene) -> None:
        self.stage = stage
        other = stage.new_service("other")
        first, busy, free = stage.numbers[0], stage.numbers[1], stage.numbers[2]
        stage.fill(stage.numbers[:2], reserved=False)
        stage.fill(stage.numbers[3:5], reserved=True, service=other)
        stage.store.set_in_use(busy["sid"], 3)
        session = stage.other("POST", f"/v1/Services/{stage.service}/Sessions", UniqueName="masking")["sid"]
        mg = stage.other("POST", "/messaging/v1/Services", FriendlyName="A2P")["sid"]
        config = stage.directory / "run" / "config" / "config.toml"
        config.parent.mkdir(mode=0o700)
        config.touch(0o600)
        url = stage.cli.environ["PROXYCTL_BASE_URL"]
        config.write_text(
            f'[profiles.prod]\naccount_sid = "{ACCOUNT_SID}"\nauth_token = "{SECRET}"\nbase_url = "{url}"\n'
        )
        self.cli = Cli(
            stage.directory / "run", {"COLUMNS": "1000"}, clock=stage.clock, options=("-p", "prod")
        )
        pool = stage.directory / "pool.toml"
        pool.write_text(f'version = 1\n[services.masking.numbers]\nreserved = ["{free["phone_number"]}"]\n')
        (stage.directory / "export").mkdir()
        self.words = {
            "SERVICE": stage.service,
            "OTHER": other,
            "NUMBER": first["phone_number"],
            "BUSY": busy["phone_number"],
            "FREE": free["phone_number"],
            "SESSION": session,
            "MG": mg,
            "POOL": str(pool),
            "DIR": str(stage.directory / "export"),
        }
        created = self.cli("service", "create", "made", "-q")
        assert created.code == 0, created.err
        self.words["CREATED"] = self.cli("history", "list", "-o", "ids").lines[0]
        self.cli("number", "reserve", stage.service, first["phone_number"], "-q")
        self.words["RUN"] = self.cli("history", "list", "-o", "ids").lines[0]
        self.words["NAME"] = "masking"
        self._bring_back = kept(stage.store, stage.directory / "run")

    def anew(self) -> None:
        """Let everything be as it was at first; what was asked since is forgotten."""
        self._bring_back()
        shutil.rmtree(self.stage.directory / "export")
        (self.stage.directory / "export").mkdir()
        self.stage.heal()
        self.stage.ran.clear()
        self.stage.ledger.clear()

    def call(self, name: str) -> None:
        """Let all Services, and what stands in rows as their names, be called ``name``."""

        def renamed(row: dict[str, Any]) -> None:
            if row.get("unique_name") == "masking":
                row["unique_name"] = name
            if row.get("friendly_name"):
                row["friendly_name"] = name

        self.spoil_rows(renamed)
        self.words["NAME"] = name.lstrip("-")

    def number(self, what: str, sid: str) -> list[str]:
        """Let the SIDs that begin so be ``sid``; returns a list of those that somebody asked for since."""
        replaced = []

        def changed(row: dict[str, Any]) -> None:
            if row.get("sid", "").startswith(what):
                replaced.append(row["sid"])
                row["sid"] = sid

        self.spoil_rows(changed)
        self.words["NAME"] = "masking"
        return replaced

    def spoil_rows(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change each row of what is read, and what is read alone."""

        def changed(request: Request, body: Any) -> Any:
            for row in rows_of(body):
                change(row)
            return body

        spoil(self.stage, changed)

    def __call__(self, line: str, **settings: Any) -> Ran:
        return self.cli(
            *(self.words.get(word, word.replace("OTHER", self.words["OTHER"])) for word in line.split()),
            **settings,
        )


def rows_of(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        yield body
        for value in body.values():
            yield from (row for row in value if isinstance(row, dict)) if isinstance(value, list) else ()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with scene(tmp_path_factory.mktemp("foreign"), 8) as stage:
        yield Foreign(stage)


@pytest.fixture
def foreign(hostile: Foreign) -> Foreign:
    hostile.anew()
    return hostile
