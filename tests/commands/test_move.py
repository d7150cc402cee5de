"""`number move`: from pool to pool, with what a Messaging Service forbids, and what a killed run leaves to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import Scripted
from tests.battery.live import drive, end, settled
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


def actions(ran: Ran) -> list[str]:
    return [row["action"] for row in ran.json]


def test_it_moves_with_the_flag_and_converges(pools: Cli) -> None:
    before = pool(pools, "a")
    ran = move(pools, *before)
    assert (ran.code, actions(ran)) == (0, ["moved"] * 3)
    assert [row["is_reserved"] for row in ran.json] == list(FLAGS)
    assert ran.err.splitlines()[-1].startswith("moved 3, failed 0 in ")
    assert (pool(pools, "a"), pool(pools, "b")) == ({}, before)
    again = move(pools, *before)
    assert (again.code, actions(again)) == (0, ["unchanged"] * 3)


def test_a_number_is_named_in_either_way(pools: Cli) -> None:
    number = pools.ok("number", "list", "a", "-o", "json").json[0]
    ran = move(pools, number["phone_number"], number["sid"])
    assert actions(ran) == ["moved", "unchanged"]
    assert pool(pools, "b") == {number["sid"]: True}


def test_both_services_are_asked_for_and_differ(pools: Cli) -> None:
    sid = next(iter(pool(pools, "a")))
    assert pools("number", "move", sid, "--from", "a", "--yes").code == 2
    same = pools("number", "move", sid, "--from", "a", "--to", "a", "--yes")
    assert same.code == 2 and "the same Service" in same.err
    missing = pools("number", "move", sid, "--from", "a", "--to", "bb", "--yes")
    assert missing.code == 4 and "did you mean b" in missing.err.lower()


def test_it_needs_a_yes(pools: Cli) -> None:
    before = pool(pools, "a")
    ran = pools("number", "move", *before, "--from", "a", "--to", "b")
    assert ran.code == 2 and "This moves 3 numbers from Service a (KS" in ran.err
    dry = pools.ok("number", "move", *before, "--from", "a", "--to", "b", "--dry-run", "-o", "json")
    assert [row["method"] for row in dry.json] == ["DELETE", "POST"] * 3
    assert pool(pools, "a") == before


def test_a_number_in_use_stays(pools: Cli) -> None:
    before = pool(pools, "a")
    busy = next(iter(before))
    pools.ok("sandbox", "busy", busy, "2")
    ran = move(pools, *before)
    assert ran.code == 6 and actions(ran) == ["failed", "moved", "moved"]
    alone = move(pools, busy)
    assert alone.code == 5 and "in use by 2 open Sessions" in alone.err and "drain" in alone.err
    assert pool(pools, "a") == {busy: before[busy]}


def test_a_number_that_is_nowhere_is_not_found(pools: Cli) -> None:
    (row,) = pools.seed(1, seed=9)
    ran = move(pools, row["phone_number"])
    assert ran.code == 4 and "number find" in ran.err


def test_a_number_of_a_messaging_service_is_refused(pools: Cli) -> None:
    before = pool(pools, "a")
    sid = next(iter(before))
    mg = messaging_service(pools, sid)
    ran = move(pools, sid)
    assert ran.code == 5 and mg in ran.err and "--through-messaging" in ran.err
    assert (pool(pools, "a"), senders(pools, mg)) == (before, {sid})


def test_through_messaging(pools: Cli) -> None:
    before = pool(pools, "a")
    first, *_ = before
    mg = messaging_service(pools, first)
    ran = move(pools, *before, "--through-messaging")
    assert (ran.code, actions(ran)) == (0, ["moved"] * 3), ran.err
    assert "1 of them" in ran.err
    assert (pool(pools, "b"), senders(pools, mg)) == (before, {first})
    again = move(pools, *before, "--through-messaging")
    assert actions(again) == ["unchanged"] * 3


def test_undo_moves_them_back(pools: Cli) -> None:
    before = pool(pools, "a")
    move(pools, *before)
    run = pools.ok("history", "list", "-o", "ids").lines[0]
    ran = pools("history", "undo", run, "--yes", "-o", "json")
    assert (ran.code, actions(ran)) == (0, ["moved"] * 3), ran.err
    assert (pool(pools, "a"), pool(pools, "b")) == (before, {})


def test_undo_of_a_move_refuses_what_could_not_come_back(pools: Cli) -> None:
    before = pool(pools, "a")
    first, *rest = before
    move(pools, *before)
    run = pools.ok("history", "list", "-o", "ids").lines[0]
    mg = messaging_service(pools, first)
    ran = pools("history", "undo", run, "--yes", "-o", "json")
    assert ran.code == 6 and mg in ran.err
    assert (set(pool(pools, "a")), set(pool(pools, "b"))) == (set(rest), {first})


def test_what_the_other_pool_can_not_take_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with scene(tmp_path, 502) as stage:
        other = stage.new_service("full")
        stage.fill(stage.numbers[:499], reserved=False, service=other)
        stage.fill(stage.numbers[499:], reserved=False)
        file = stage.file(stage.numbers[499:])
        ran = stage.run("number", "move", "-f", file, "--from", "masking", "--to", "full", "--yes")
        assert ran.code == 5 and "502 unreserved numbers (now 499, the limit is 500)" in ran.err
        assert stage.writes == []


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


def test_what_is_not_taken_is_put_back(stage: Scene) -> None:
    path = f"/v1/Services/{service_sid(stage, 'other')}/PhoneNumbers"
    first = stage.numbers[0]["sid"]

    def refuse(request: Any) -> Any:
        from proxyctl.sandbox.wire import ApiError, problem

        named = (
            request.method == "POST" and request.path == path and first.encode() in str(request.form).encode()
        )
        return problem(ApiError(80601)) if named else None

    stage.front.answer = refuse
    ran = stage.run(*command(stage))
    assert ran.code == 6, ran.err
    assert [row["action"] for row in ran.rows] == ["failed", *["moved"] * 5]
    assert "put back" in ran.rows[0]["error"]["message"] and ran.rows[0]["error"]["exit_code"] == 5
    assert stage.pool() == {first: True}
    stage.heal()
    assert stage.run(*command(stage)).code == 0
    assert other(stage) == wanted(stage)


def service_sid(stage: Scene, name: str) -> str:
    services: list[dict[str, Any]] = stage.other("GET", "/v1/Services")["services"]
    sid: str = next(row["sid"] for row in services if row["unique_name"] == name)
    return sid


def test_lost_answers(stage: Scene) -> None:
    stage.draw({"reset-after": 0.4, "500": 0.2}, seed=3)
    stage.run(*command(stage))
    stage.heal()
    again = stage.run(*command(stage))
    assert again.code == 0, again.err
    assert (stage.pool(), other(stage)) == ({}, wanted(stage))
    stage.left_no_trace()


@pytest.mark.parametrize("through", [False, True], ids=["plain", "through messaging"])
@pytest.mark.parametrize("point", ["intended:{}", "answered:{}", "told:{}"])
@pytest.mark.parametrize("at", [2, 7])
def test_killed_between_remove_and_add(stage: Scene, point: str, at: int, through: bool) -> None:
    """The same command again adds each number where it belongs, with the flag that only the history still knows."""
    mg = stage.other("POST", "/messaging/v1/Services", FriendlyName="mg")["sid"]
    members = {row["sid"] for row in stage.numbers} if through else set()
    for sid in members:
        stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=sid)
    line = command(stage, "--concurrency", "2", *(["--through-messaging"] if through else []))
    kill_point = point.format(at)
    assert end(stage, drive(stage, f"kill={kill_point}", *line)).code == -9
    settled()
    again = stage.run(*line)
    assert again.code == 0, again.err
    assert (stage.pool(), other(stage)) == ({}, wanted(stage))
    rows = stage.other("GET", f"/messaging/v1/Services/{mg}/PhoneNumbers")["phone_numbers"]
    assert {row["sid"] for row in rows} == members
    stage.ledger.clear()
    assert stage.run(*line).code == 0
    assert stage.writes == []


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
