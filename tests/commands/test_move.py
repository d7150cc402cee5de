"""`number move`: from pool to pool, with what a Messaging Service forbids, and what a killed run leaves to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import Scripted
from tests.battery.scene import Scene, scene
from tests.support import Cli, Ran

FLAGS = (True, False, True)


@pytest.fixture
def pools(either: Cli) -> Cli:
    """Services "a", with three numbers (one of them unreserved), and "b", which is empty."""
    for name in "ab":
        either.ok("service", "create", name, "-q", "-o", "ids")
    for row, reserved in zip(either.seed(3), FLAGS, strict=True):
        either.ok("number", "add", "a", row["sid"], "--reserved" if reserved else "--unreserved", "-q")
    return either


def pool(cli: Cli, service: str) -> dict[str, bool]:
    rows = cli.ok("number", "list", service, "-o", "json").json
    return {row["sid"]: row["is_reserved"] for row in rows}


def messaging_service(cli: Cli, *sids: str, defers: bool = True) -> str:
    """Make a Messaging Service with these numbers."""
    form = ("FriendlyName=mg", f"UseInboundWebhookOnNumber={str(defers).lower()}")
    path = "/messaging/v1/Services"
    mg: str = cli.ok("api", "POST", path, "-d", form[0], "-d", form[1]).json["sid"]
    for sid in sids:
        cli.ok("api", "POST", f"{path}/{mg}/PhoneNumbers", "-d", f"PhoneNumberSid={sid}")
    return mg


def senders(cli: Cli, mg: str) -> set[str]:
    body = cli.ok("api", "GET", f"/messaging/v1/Services/{mg}/PhoneNumbers", "--paginate").json
    return {row["sid"] for row in body}


def move(cli: Cli, *arguments: str, back: bool = False) -> Ran:
    way = ("--from", "b", "--to", "a") if back else ("--from", "a", "--to", "b")
    return cli("number", "move", *arguments, *way, "--yes", "-o", "json")


def test_a_number_is_named_in_either_way(pools: Cli) -> None:
    number = pools.ok("number", "list", "a", "-o", "json").json[0]
    ran = move(pools, number["phone_number"], number["sid"])
    assert ran.actions == ["moved", "unchanged"]
    assert pool(pools, "b") == {number["sid"]: True}


def test_undo_of_a_move_refuses_what_could_not_come_back(pools: Cli) -> None:
    before = pool(pools, "a")
    first, *rest = before
    move(pools, *before)
    run = pools.ok("history", "list", "-o", "ids").lines[0]
    mg = messaging_service(pools, first)
    ran = pools("history", "undo", run, "--yes", "-o", "json")
    assert ran.code == 6 and mg in ran.err
    assert (set(pool(pools, "a")), set(pool(pools, "b"))) == (set(rest), {first})


# Faults: numbers come back, and the same command again goes on


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """Six numbers in "masking", every other one reserved, and an empty Service "other"."""
    with scene(tmp_path, 6) as stage:
        stage.new_service("other")
        stage.fill(stage.numbers[::2], reserved=True)
        stage.fill(stage.numbers[1::2], reserved=False)
        yield stage


def command(stage: Scene, *options: str) -> tuple[str, ...]:
    file = stage.file(stage.numbers)
    return (
        "number",
        "move",
        "-f",
        file,
        "--from",
        "masking",
        "--to",
        "other",
        "--yes",
        "--rate",
        "0",
        *options,
    )


def other(stage: Scene) -> dict[str, bool]:
    services: list[dict[str, Any]] = stage.other("GET", "/v1/Services")["services"]
    return stage.pool(next(row["sid"] for row in services if row["unique_name"] == "other"))


def wanted(stage: Scene) -> dict[str, bool]:
    return {row["sid"]: index % 2 == 0 for index, row in enumerate(stage.numbers)}


def test_a_number_removed_on_purpose_is_not_taken_for_a_move(stage: Scene) -> None:
    sid = stage.numbers[0]["sid"]
    line = ("number", "move", sid, "--from", "masking", "--to", "other", "--yes")
    assert stage.run(*line).code == 0
    assert stage.run("number", "remove", "other", sid, "--yes").code == 0
    assert stage.run(*line).code == 4
    assert sid not in {**stage.pool(), **other(stage)}


def test_both_locks_are_taken(stage: Scene) -> None:
    met: list[Ran] = []

    def meet() -> None:
        met.extend(
            stage.cli("number", "reserve", name, stage.numbers[0]["sid"]) for name in ("masking", "other")
        )

    stage.script(Scripted(None, "DELETE", times=1, action=meet))
    assert stage.run(*command(stage)).code == 0
    assert [ran.code for ran in met] == [7, 7]
    assert all("number move" in ran.err for ran in met)
