"""A move or attach that was killed: each later run on its Services names it, and the command that finishes it works."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from proxyctl.state.lock import hold
from tests.battery.transit import UNPACED, Crossing, crossing, forbidden, kill_at, write_pool_file
from tests.support import Ran


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Crossing]:
    """12 moves, by the clock that the killed process has: runs are in order by it."""
    with crossing(tmp_path, 12) as ready:
        ready.stage.cli.clock = None
        yield ready


def messaging_service(some: Crossing) -> str:
    facts = {"FriendlyName": "mg", "UseInboundWebhookOnNumber": "true"}
    sid: str = some.stage.other("POST", "/messaging/v1/Services", **facts)["sid"]
    return sid


def senders(some: Crossing, mg: str) -> set[str]:
    rows = some.stage.other("GET", f"/messaging/v1/Services/{mg}/PhoneNumbers")["phone_numbers"]
    return {row["sid"] for row in rows}


def killed(some: Crossing, command: tuple[str, ...], writes: int) -> None:
    """Kill a run as this write arrives."""
    turn = iter(range(1, 1000))
    kill_at(some, command, lambda request: next(turn) >= writes)


def kept(some: Crossing) -> list[Path]:
    return list((some.stage.directory / "run" / "state" / "transit").glob("*"))


def finishing(ran: Ran) -> list[str]:
    """The command that a run named."""
    (line,) = (line for line in ran.err.splitlines() if "has not finished" in line)
    return shlex.split(line.partition("Run 'proxyctl ")[2].rpartition("' to finish")[0])


@pytest.mark.parametrize(
    ("verb", "options"), [("move", ()), ("move", ("--no-history",)), ("apply", ()), ("undo", ())]
)
def test_a_killed_move_is_named_until_it_is_finished(
    some: Crossing, verb: str, options: tuple[str, ...]
) -> None:
    some.stage.new_service("third")
    command = some.command(verb, *options)
    killed(some, command, 12)
    out = len(some.outside)
    assert out and kept(some)

    for service in ("masking", "other"):
        for line in (("pool", "status"), ("pool", "export"), ("number", "release")):
            ran = some.stage.cli(*line, service, *(["+14155550100"] if "release" in line else []), "-q")
            assert "in transit" in ran.err, (line, ran)
        deleted = some.stage.cli("service", "delete", service, "--yes")
        assert deleted.code == 5 and "can't be finished" in deleted.err
    assert "in transit" not in some.stage.cli("pool", "status", "third").err
    again = some.stage.cli(*finishing(some.stage.cli("pool", "status", "masking")), "--yes")
    assert again.code == 0, again.err
    assert some.outside == set() and not kept(some)
    assert some.stage.pool() | some.stage.pool(some.other) == some.flags
    assert "in transit" not in some.stage.cli("pool", "status", "masking").err


@pytest.mark.parametrize(
    ("options", "writes"),  # each step of two chains, and later
    [*(((), writes) for writes in (1, 3, 5, 7, 17)), (("--no-history",), 5)],
)
def test_through_messaging_nothing_stays_behind(
    some: Crossing, writes: int, options: tuple[str, ...]
) -> None:
    """However far it had come, the command that finishes it, and then the same one, bring all where they belong."""
    mg = messaging_service(some)
    command = some.command("move", "--through-messaging", "--concurrency", "2")
    for sid in some.flags:
        some.stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=sid)
    killed(some, (*command, *options), writes)
    moving = set(some.flags) - senders(some, mg) | some.outside
    assert kept(some)
    ran = some.stage.cli("pool", "status", "masking")
    assert "in transit" in ran.err or not moving, ran.err
    if "in transit" in ran.err:
        some.stage.ok(*finishing(ran), "--yes")
        assert some.outside == set() and senders(some, mg) == set(some.flags)
    some.stage.cli("pool", "status", "masking")
    assert not kept(some)
    some.arrives(command)
    assert senders(some, mg) == set(some.flags)


@pytest.mark.parametrize("service", ["masking", "other"])
def test_no_service_goes_before_all_are_back_in_their_messaging_service(some: Crossing, service: str) -> None:
    mg = messaging_service(some)
    command = some.command("move", "--through-messaging", "--concurrency", "1")
    for sid in some.flags:
        some.stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=sid)
    # The last write puts the last number back: all are in the other pool by then.
    killed(some, command, 4 * len(some.flags))
    assert some.outside == set() and some.stage.pool() == {} and senders(some, mg) != set(some.flags)
    run = some.stage.cli.ok("history", "list", "-o", "json").json[0]["id"]
    delete = ("service", "delete", service, "--yes", "--allow", "leave-messaging")
    for options in ((), ("--dry-run",)):
        refused = some.stage.cli(*delete, *options)
        assert refused.code == 5, refused
        error = refused.err.partition("proxyctl: ")[2]
        assert "in transit" in error and run in error
    some.stage.ok(*finishing(some.stage.cli("pool", "status", service)), "--yes")
    assert senders(some, mg) == set(some.flags) and not kept(some)
    some.stage.ok(*delete)


@pytest.mark.parametrize("service", ["masking", "other"])
def test_a_service_whose_numbers_have_all_arrived_goes_once_that_is_seen(
    some: Crossing, service: str
) -> None:
    command = some.command("move", "--concurrency", "1")
    turn = iter(range(1, 1000))
    kill_at(some, command, lambda request: next(turn) >= 2 * len(some.flags), lost=False)
    assert set(some.stage.pool(some.other)) == set(some.flags) and kept(some)
    delete = ("service", "delete", service, "--yes")
    assert some.stage.cli(*delete).code == 5 and kept(some)
    some.stage.ok(*finishing(some.stage.cli("pool", "status", service)), "--yes")
    some.stage.ok(*delete)
    assert not kept(some)
    left = "other" if service == "masking" else "masking"
    assert "in transit" not in some.stage.cli("pool", "status", left).err


def test_a_killed_attach_is_named_until_it_is_finished(some: Crossing) -> None:
    mg = messaging_service(some)
    some.fill(some.stage.service)
    file = some.stage.file(some.stage.numbers)
    command = ("messaging", "attach", "masking", "--messaging-service", mg, "-f", file, "--yes")
    killed(some, command, 6)
    ran = some.stage.cli("pool", "status", "masking")
    assert finishing(ran)[: len(command)] == list(command)
    with hold(some.stage.directory / "run" / "state" / "locks", ACCOUNT_SID, [some.stage.service], "other"):
        assert some.stage.run("history", "undo", "last", "--yes").code == 7, "an undo that was kept away"
    ran = some.stage.cli("pool", "status", "masking")
    some.stage.ok(*finishing(ran)[: len(command)])
    assert senders(some, mg) == set(some.flags)
    some.stage.cli("pool", "status", "masking")
    assert not kept(some)


def test_nothing_is_kept_of_a_run_that_ends_well_or_rolls_back(some: Crossing) -> None:
    command = some.command("move")
    some.refuse = lambda request: forbidden() if some.is_add(request, some.other) else None
    assert some.stage.run(*command).code == 3
    assert some.outside == set() and not kept(some)
    some.arrives(command)
    assert not kept(some)
    some.stage.ok(*some.move(source="other", target="masking"), "--no-history")
    assert not kept(some)
    listed = some.stage.cli.ok("history", "list", "-o", "jsonl").rows
    assert all("--no-history" not in row["command"] for row in listed)


@pytest.mark.parametrize("verb", ["move", "apply"])
@pytest.mark.parametrize("writes", [3, 4, 17])
def test_another_command_than_the_one_that_was_killed_loses_nothing(
    some: Crossing, verb: str, writes: int
) -> None:
    """Neither the same move without its option nor an apply leaves a number out of its Messaging Service."""
    mg = messaging_service(some)
    command = some.command("move", "--through-messaging", "--concurrency", "2")
    for sid in some.flags:
        some.stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=sid)
    killed(some, command, writes)
    out = some.outside | (set(some.flags) - senders(some, mg))
    other = [word for word in command if word != "--through-messaging"]
    if verb == "apply":
        other = ["pool", "apply", some.pool_file(), "--yes", *UNPACED]
    some.stage.run(*other)
    assert some.outside == set()
    assert senders(some, mg) == set(some.flags) and out <= set(some.stage.pool(some.other))


@pytest.mark.parametrize(
    ("verb", "writes"), [*(("remove", writes) for writes in (1, 2, 3, 9)), ("drain", 3), ("apply", 9)]
)
def test_what_leaves_for_good_through_its_messaging_service_goes_on(
    some: Crossing, verb: str, writes: int
) -> None:
    mg = messaging_service(some)
    some.mixed = False
    some.fill(some.stage.service)
    for sid in some.flags:
        some.stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=sid)
    file = some.stage.file(some.stage.numbers)
    command = ("number", verb, "masking", "-f", file, *(["--remove"] if verb == "drain" else []))
    if verb == "apply":
        command = ("pool", "apply", write_pool_file(some.stage, {"masking": {"numbers": {}}}), "--prune")
    refused = some.stage.run(*command, "--yes", *UNPACED)
    assert refused.code == 6 or refused.code == 5
    assert "leave-messaging" in refused.err and set(some.stage.pool()) == set(some.flags)
    command = (*command, "--yes", *UNPACED, "--through-messaging")
    killed(some, command, writes)
    ran = some.stage.cli("pool", "status", "masking")
    assert "in transit" in ran.err
    some.stage.ok(*finishing(ran), "--yes")
    some.stage.ok(*command)
    assert some.stage.pool() == {} and senders(some, mg) == set() and not kept(some)
