"""What a record says of an item: the same that was written, and what happened, worked out once for all who ask."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.state.history import History
from proxyctl.state.lines import line_of, parse_line, summary_of
from proxyctl.state.record import NOTHING_DONE, Intent, ItemRecord, Outcome, RunInfo, RunSummary, Trail
from proxyctl.text import REDACTED
from tests.state.records import item_record

TEXTS = st.none() | st.text(max_size=10)
SIDS = st.none() | st.from_regex("[A-Z]{2}[0-9a-f]{32}", fullmatch=True)
VALUES = st.none() | st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5))
INTENTS = st.builds(
    Intent,
    **dict.fromkeys(("action", "input", "phone_number", "service"), TEXTS),
    **dict.fromkeys(("sid", "service_sid", "messaging_service_sid"), SIDS),
    before=VALUES,
    after=VALUES,
    webhooks=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1),
    move=st.none() | st.builds(Trail, SIDS, SIDS, st.none() | st.booleans(), SIDS),
    at=st.none(),
)
OUTCOMES = st.builds(
    Outcome,
    **dict.fromkeys(("state", "action", "phone_number", "request_id"), TEXTS),
    **dict.fromkeys(("sid", "service_sid"), SIDS),
    after=VALUES,
    status=st.none() | st.integers(),
    code=st.none() | st.integers(),
    message=TEXTS,
    at=st.none(),
)
SID, OTHER, NUMBER = "PN" + "1" * 32, "PN" + "2" * 32, "+14155550101"
ADD = {"action": "add", "input": NUMBER, "phone_number": NUMBER}


@settings(max_examples=50)
@given(INTENTS, OUTCOMES)
def test_what_was_written_is_read(intent: Intent, outcome: Outcome) -> None:
    with tempfile.TemporaryDirectory() as directory:
        history = History(Path(directory))
        recorder = history.begin(RunInfo(command="x"))
        recorder.intent(7, intent)
        recorder.outcome(7, outcome)
        recorder.close()
        detail = history.show(recorder.id)
    (item,) = detail.items
    assert detail.warnings == ()
    assert item.outcome is not None
    for written, read in ((intent, item.intent), (outcome, item.outcome)):
        for name in written.__slots__:
            if name != "at":
                assert getattr(read, name) == getattr(written, name)
        assert read.at is not None


def ended(item: ItemRecord) -> tuple[str, str | None, str]:
    return item.happened, item.done, item.end


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([None], ("maybe", "add", "unknown")),
        ([{"state": "done", "action": "added"}], ("yes", "add", "done")),
        ([{"state": "done", "action": "reserved"}], ("yes", "reserve", "done")),
        ([{"state": "done", "action": "released"}], ("yes", "release", "done")),
        ([{"state": "done", "action": "unchanged"}], ("no", None, "unchanged")),
        ([{"state": "done"}], ("yes", "add", "done")),
        ([{"state": "lost"}], ("maybe", "add", "unknown")),
        ([{"state": "unknown"}], ("maybe", "add", "unknown")),
        ([{"state": "refused"}], ("no", None, "failed")),
        ([{"state": "throttled"}], ("no", None, "skipped")),
        # What became of the first try is not known, whatever came of the second.
        ([{"state": "lost"}, {"state": "refused"}], ("maybe", "add", "unknown")),
        ([None, {"state": "refused"}], ("maybe", "add", "unknown")),
        ([{"state": "lost"}, None], ("maybe", "add", "unknown")),
        ([{"state": "lost"}, {"state": "done", "action": "added"}], ("yes", "add", "done")),
        ([{"state": "throttled"}, {"state": "refused"}], ("no", None, "failed")),
        # Damaged, or of a version to come.
        ([{"state": 3}], ("maybe", "add", "unknown")),
        ([{"state": "postponed"}], ("maybe", "add", "unknown")),
        ([{"state": "done", "action": []}], ("yes", "add", "done")),
    ],
)
def test_what_happened(outcomes: list[Any], expected: tuple[str, str | None, str]) -> None:
    item = item_record(ADD, *outcomes)
    assert ended(item) == expected
    assert (item.attempts, item.outcome is None) == (len(outcomes), outcomes[-1] is None)


@pytest.mark.parametrize("state", NOTHING_DONE)
def test_what_changed_nothing(state: str) -> None:
    item = item_record(ADD, {"state": state})
    assert ended(item) == ("no", None, "skipped" if state in ("throttled", "skipped") else "failed")


def test_an_outcome_whose_intent_is_damaged_says_no_more_than_that() -> None:
    item = ItemRecord(0, outcome=Outcome("done", "added", SID))
    assert ended(item) == ("yes", None, "done")
    assert item.names == {SID}


def test_the_names_of_an_item() -> None:
    assert item_record(ADD).names == {NUMBER}
    item = item_record(ADD, {"state": "done", "sid": SID, "phone_number": NUMBER})
    assert (item.sid, item.phone_number, item.names) == (SID, NUMBER, {SID, NUMBER})
    named = item_record({**ADD, "sid": OTHER}, {"state": "done", "sid": SID, "phone_number": "+1"})
    assert (named.sid, named.phone_number) == (OTHER, NUMBER)


def test_the_values_after_are_those_of_the_answer() -> None:
    wanted = {**ADD, "after": {"is_reserved": True}}
    assert item_record(wanted, {"state": "done"}).after == {"is_reserved": True}
    assert item_record(wanted, {"state": "done", "after": {"ttl": 1}}).after == {"ttl": 1}


@pytest.mark.parametrize("damaged", [3, True, [1], {"x": 1}, SID, 1.5])
def test_what_is_damaged_is_none(damaged: Any) -> None:
    keys = ("action", "sid", "before", "after", "webhooks", "move", "code", "request_id")
    item = item_record(dict.fromkeys(keys, damaged), dict.fromkeys((*keys, "state"), damaged))
    assert item.outcome is not None
    texts = [item.intent.action, item.intent.sid, item.outcome.state, item.outcome.request_id]
    assert texts == [damaged if isinstance(damaged, str) else None] * 4
    maps = [item.intent.before, item.intent.after, item.outcome.after]
    assert maps == [damaged if isinstance(damaged, dict) else None] * 3
    assert item.outcome.code == (damaged if damaged == 3 else None)
    assert item.intent.webhooks is None
    assert item.intent.move in (None, Trail(None, None))


@pytest.mark.parametrize(
    ("said", "expected"), [(2, 2.0), (0, 0.0), (-1, None), (1e9, None), ("2", None), (None, None)]
)
def test_how_long_a_run_took(said: object, expected: float | None) -> None:
    head = {"type": "run", "at": "2025-06-15T15:06:40.000Z"}
    end = {"type": "end", "at": "2025-06-15T15:06:41.250Z", "seconds": said}
    assert summary_of("x", head, end, alive=False).seconds == expected


def test_a_secret_takes_the_whole_value_with_it_and_no_key() -> None:
    facts = {
        "action": "a secret",
        "before": {"secret": "a secret", "ttl": 1},
        "services": ["secret", "b"],
        "state": "secret",
        "at": None,
    }
    line = line_of("intent", "now", facts, lambda text: text.replace("secret", REDACTED), index=0)
    assert line.endswith(b"}\n") and json.loads(line) == {
        "type": "intent",
        "index": 0,
        "action": f"a {REDACTED}",
        "before": {"secret": REDACTED, "ttl": 1},
        "services": [REDACTED, "b"],
        "state": "secret",
        "at": "now",
    }


@pytest.mark.parametrize(
    ("facts", "sound"),
    [
        ({"sid": "PN" + "1" * 32}, True),
        ({"sid": "../x"}, False),
        ({"service_sid": "KS1"}, False),
        ({"action": "add", "messaging_service_sid": "../x"}, False),
        ({"action": "api GET", "sid": "../x"}, True),
        ({"action": "api GET", "sid": "../x", "move": {}}, False),
        ({"move": {"from": "new", "messaging_service": "MG" + "1" * 32}}, True),
        ({"move": {"messaging_service": "../x"}}, False),
    ],
)
def test_what_is_no_sid_is_damage(facts: dict[str, Any], sound: bool) -> None:
    line = {"type": "intent", **facts}
    assert parse_line(json.dumps(line).encode()) == (line if sound else None)


@pytest.mark.parametrize(
    ("summary", "changed", "idle"),
    [
        ({"unchanged": 2, "skipped": 1}, 0, True),
        ({"added": 2, "moved": 1}, 3, False),
        ({"failed": 1}, 0, False),
        ({"unknown": 1}, 0, False),
        ({"added": "2"}, 0, True),
    ],
)
def test_a_run_that_certainly_changed_nothing(summary: dict[str, Any], changed: int, idle: bool) -> None:
    run = RunSummary(id="x", status="ended", summary=summary, service_sid="KS1")
    assert (run.counts.get("changed", 0), run.idle, run.names) == (changed, idle, ["KS1"])
    assert not replace(run, status="broken off").idle
    named = replace(run, service_name="masking")
    assert (named.names, replace(named, services=["a", "b"]).names) == (["masking"], ["a", "b"])
    assert RunSummary(id="x").names == []
