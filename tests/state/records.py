"""Runs of the history from a few words: written down as a run would, and read as every command reads them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from proxyctl.state.history import History
from proxyctl.state.lines import read_detail
from proxyctl.state.record import Intent, ItemRecord, Outcome, RunInfo

Facts = Mapping[str, Any]

INFO = RunInfo(
    command="number add masking -f numbers.txt",
    profile="prod",
    account_sid="AC" + "0" * 32,
    service_sid="KS" + "1" * 32,
    service_name="masking",
    user="ops",
    host="bastion",
)


def record(history: History, items: int = 2, info: RunInfo = INFO) -> str:
    """A whole run of ``items`` items."""
    recorder = history.begin(info)
    for index in range(items):
        recorder.intent(index, Intent(input=f"+1415555{index:04}", action="add", before=None))
        recorder.outcome(index, Outcome(state="done", action="added", request_id=f"RQ{index}"))
    recorder.end({"added": items}, 0)
    return recorder.id


def item_record(intent: Facts, *outcomes: Facts | None, index: int = 0) -> ItemRecord:
    """One item, tried once for each of ``outcomes``; None: nobody knows what came of that try."""
    lines: list[Facts] = []
    for outcome in outcomes or (None,):
        lines.append({**intent, "type": "intent", "index": index})
        if outcome is not None:
            lines.append({**outcome, "type": "outcome", "index": index})
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    items = read_detail("20260101-000000-000", io.BytesIO(data), alive=False).items
    return items[0] if items else ItemRecord(index)
