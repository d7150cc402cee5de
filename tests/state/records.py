"""Items of the history from a few words: written down as a run would, and read as every command reads them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from proxyctl.state.lines import read_detail
from proxyctl.state.record import ItemRecord

Facts = Mapping[str, Any]


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
