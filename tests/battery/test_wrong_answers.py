"""Answers with a good status that are not what was asked for: lists that do not say where they end, rows of wrong
types, answers about something else, and writes whose answer proves nothing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from proxyctl.sandbox.context import Request, Response
from tests.battery.scene import Scene
from tests.support import case

FORMATS = ("table", "tsv", "csv", "json", "jsonl", "ids")
WRONG = (
    True,
    False,
    7,
    -1.5,
    10**30,
    "",
    "\u202e\x1b[1m",
    [],
    [1],
    ["voice", 3],
    {},
    {"voice_inbound": "yes"},
    None,
)
ABSENT = "absent"  # a word that is no address: the key is left out

Spoil = Callable[[Request, Any], Any]


def spoil(stage: Scene, change: Spoil, method: str = "GET") -> None:
    """Let the sandbox carry out every ``method``, and change the bodies of its good answers."""

    def answer(request: Request) -> Response | None:
        if request.method != method:
            return None
        response = stage.front.carry_out(request)
        if response.status != 200 or response.body is None:
            return response
        return replace(response, body=json.dumps(change(request, json.loads(response.body))).encode())

    stage.front.answer = answer


def two_pages(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Of each list, change what its first page says of the second."""

    def changed(request: Request, body: Any) -> Any:
        if "PageToken" not in dict(request.query):
            change(body)
        return body

    return changed


def set_next(value: object) -> Callable[[dict[str, Any]], object]:
    def change(body: dict[str, Any]) -> None:
        envelope, key = (body["meta"], "next_page_url") if "meta" in body else (body, "next_page_uri")
        if value is ABSENT:
            envelope.pop(key, None)
        else:
            envelope[key] = value

    return change


# Lists


def test_a_list_that_does_not_say_where_it_ends(stage: Scene) -> None:
    for number in range(105):
        stage.new_service(f"more-{number}")
    for wrong, output in itertools.product([ABSENT, 5, 0, True, False, ["x"], [], {}], FORMATS):
        with case(wrong, output):
            spoil(stage, two_pages(set_next(wrong)))
            ran = stage.cli("service", "list", "-o", output, "--no-header")
            assert ran.code == 1
            assert "may be missing" in ran.err
            assert ran.out.count("KS") >= 100


@pytest.mark.parametrize("change", [lambda body: body.pop("meta"), lambda body: body.update(meta=[])])
def test_a_page_without_its_envelope(stage: Scene, change: Callable[[dict[str, Any]], object]) -> None:
    stage.fill(stage.numbers, reserved=True)
    spoil(stage, lambda request, body: (change(body) if "meta" in body else None, body)[1])
    ran = stage.run("number", "list", stage.service)
    assert (ran.code, len(ran.rows)) == (1, 40)
    assert "may be missing" in ran.error["message"]


def test_the_accounts_numbers_that_do_not_say_where_they_end(stage: Scene) -> None:
    def change(request: Request, body: Any) -> Any:
        body.pop("next_page_uri", None)
        return body

    spoil(stage, change)
    ran = stage.run("number", "list", "--unassigned")
    assert (ran.code, len(ran.rows)) == (1, 40)


def test_a_cut_list_decides_nothing(stage: Scene) -> None:
    """A pool that was not read to its end is not a pool without the rest."""
    spoil(stage, lambda request, body: (body.pop("meta", None), body)[1])
    ran = stage.run(*stage.add())
    assert ran.code == 1
    assert stage.writes == []


def test_a_row_that_the_page_before_had_counts_once(stage: Scene) -> None:
    """Somebody adds a Service between two pages: the others move on by one, and the last row comes again."""
    for number in range(250):
        stage.new_service(f"more-{number}")
    last: dict[str, Any] = {}

    def shifted(request: Request, body: Any) -> Any:
        again = [last["row"]] if last else []
        last["row"] = body["services"][-1]
        body["services"] = [*again, *body["services"]]
        return body

    spoil(stage, shifted)
    ran = stage.run("service", "list")
    assert ran.code == 0
    assert len(ran.rows) == len({row["sid"] for row in ran.rows}) == 251


# Rows


def turned(by: int) -> Spoil:
    """Give every field of every row a value of a wrong type, each row another."""

    def change(request: Request, body: Any) -> Any:
        lists = [value for value in body.values() if isinstance(value, list)]
        for index, row in enumerate(lists[0] if lists else [body]):
            for place, name in enumerate(sorted({*row, "unknown"} - {"sid"})):
                row[name] = WRONG[(index + place + by) % len(WRONG)]
        return body

    return change


def test_rows_of_wrong_types_are_printed_as_they_are(stage: Scene) -> None:
    """Each command in each format; the rows of a list have all that is wrong, and single answers each in turn."""
    stage.fill(stage.numbers[:20], reserved=True)
    messaging = stage.other("POST", "/messaging/v1/Services", FriendlyName="a2p")["sid"]
    for number in range(13):
        stage.new_service(f"more-{number}")
    lines = (
        ("service", "list"),
        ("service", "show", stage.service),
        ("number", "list", stage.service),
        ("number", "list", "--all"),
        ("number", "list", "--unassigned"),
        ("number", "show", stage.service, stage.numbers[0]["sid"]),
        ("pool", "status", "--all"),
        ("pool", "audit", "--all"),
        ("messaging", "check", stage.service, "--messaging-service", messaging),
    )
    for by, (line, output) in enumerate(itertools.product(lines, FORMATS)):
        with case(line, output, by):
            spoil(stage, turned(by))
            ran = stage.cli(*line, "-o", output)
            assert "internal error" not in ran.err
            assert ran.code in (0, 8), ran.err


def test_a_row_of_wrong_types_comes_through_whole(stage: Scene) -> None:
    stage.fill(stage.numbers, reserved=True)
    spoil(stage, turned(3))
    rows = stage.run("number", "list", stage.service).rows
    seen = [row["capabilities"] for row in rows]
    assert len(seen) == 40
    assert all(value in seen for value in WRONG)


FILTERS = (
    ("--capability", "sms"),
    ("--capability", "sms_inbound"),
    ("--fields", "capabilities.sms_inbound,phone_number"),
    ("--sort", "in_use"),
    ("--sort", "-capabilities"),
    ("--sort", "capabilities.sms_inbound"),
    ("--country", "US"),
    ("--prefix", "+1"),
    ("--idle",),
    ("--unreserved",),
    ("--count",),
)


def test_filters_over_rows_of_wrong_types(stage: Scene) -> None:
    stage.fill(stage.numbers[::2], reserved=True)
    for options, by in itertools.product(FILTERS, range(0, len(WRONG), 4)):
        with case(options, by):
            spoil(stage, turned(by))
            ran = stage.cli("number", "list", stage.service, *options)
            assert ran.code == 0, ran.err
            ran = stage.cli("number", "list", "--unassigned", *options)
            assert ran.code in (0, 2), ran.err  # the account's records have no such field or option


def test_rows_without_a_sid(stage: Scene) -> None:
    """They are printed; what would have to ask for more by their SID says that there is none."""
    stage.fill(stage.numbers, reserved=True)
    for sid in (None, True, 5, "", [], {}):
        with case(sid):
            printed_without_a_sid(stage, sid)


def printed_without_a_sid(stage: Scene, sid: object) -> None:
    spoil(stage, lambda request, body: {**body, **{
        key: [{**row, "sid": sid} for row in value] for key, value in body.items() if isinstance(value, list)
    }})  # fmt: skip
    assert stage.run("service", "list").rows[0]["sid"] == sid
    assert len(stage.run("number", "list", stage.service).rows) == 40
    for line in (
        ("number", "list", "--all"),
        ("number", "list", "--unassigned"),
        ("pool", "status", "--all"),
    ):
        ran = stage.run(*line)
        assert (ran.code, ran.error["kind"]) == (1, "answer"), line


# Answers about something else


def test_the_sid_of_an_answer_does_not_decide_what_is_deleted(stage: Scene) -> None:
    other = stage.new_service("precious")

    def change(request: Request, body: Any) -> Any:
        return {**body, "sid": other} if request.path.endswith(stage.service) else body

    spoil(stage, change)
    for line in (
        ("service", "delete", stage.service, "--yes"),
        ("service", "update", stage.service, "--default-ttl", "60"),
        ("service", "show", stage.service),
        ("number", "list", stage.service),
    ):
        ran = stage.run(*line)
        assert (ran.code, ran.rows) == (1, []), line
        assert "another resource" in ran.error["message"]
    assert stage.writes == []


def test_a_number_that_is_another_than_was_asked_for(stage: Scene) -> None:
    stage.fill(stage.numbers, reserved=True)
    asked, other = (row["sid"] for row in stage.numbers[:2])
    spoil(stage, lambda request, body: {**body, "sid": other} if request.path.endswith(asked) else body)
    for verb in (("show",), ("remove", "--yes"), ("release",)):
        ran = stage.run("number", verb[0], stage.service, asked, *verb[1:])
        assert ran.code == 1, ran.err
    assert stage.writes == []


def test_a_sid_in_capitals_is_the_same_sid(stage: Scene) -> None:
    spoil(stage, lambda request, body: {**body, "sid": "KS" + body["sid"][2:].upper()})
    stage.ok("service", "show", stage.service)


# Writes whose answer proves nothing


def answer_writes(stage: Scene, method: str, status: int, body: bytes, *, carried_out: bool) -> None:
    """Give every write of this kind the same answer, whether it is carried out or not."""

    def answer(request: Request) -> Response | None:
        if request.method != method:
            return None
        if carried_out:
            own = stage.front.carry_out(request)
            if own.status >= 300:
                return own
        return Response(status, [("Content-Type", "application/json")], body)

    stage.front.answer = answer


EMPTY = [(200, b"{}"), (200, b""), (200, b"null"), (202, b""), (201, b"{}")]


@pytest.mark.parametrize(("status", "body"), EMPTY)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_service_is_deleted_when_the_answer_says_so(
    stage: Scene, status: int, body: bytes, carried_out: bool
) -> None:
    answer_writes(stage, "DELETE", status, body, carried_out=carried_out)
    ran = stage.run("service", "delete", stage.service, "--yes")
    assert ran.code == (0 if carried_out else 1), ran.err
    stage.heal()
    assert stage.run("service", "show", stage.service).code == (4 if carried_out else 0)
