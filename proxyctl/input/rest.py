"""What --failed-to and --untried-to write: the inputs that are left of a run, as they came in, in a form that -f reads.

Each stands there with all that its row held. Of what failed, a reader ignores the reason: columns or keys that the
program does not know, or a comment.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from proxyctl.input.items import Item
from proxyctl.input.rows import Contents

REASON = ("error", "exit_code")


class Left(NamedTuple):
    """An input that is left: why, and the exit code of that. Both None: it was not tried."""

    item: Item
    error: str | None = None
    exit_code: int | None = None

    @property
    def reason(self) -> dict[str, Any]:
        """The error on one line and its exit code, if there is one."""
        if self.error is None:
            return {}
        return {"error": " ".join(self.error.split()), "exit_code": self.exit_code}


def text_of_rest(left: Sequence[Left], contents: Contents | None) -> str:
    """Return what is left as a text that ``-f`` reads back; ``contents`` is the form of the file that they came from.

    None: they are of no file of numbers, and written as JSON Lines where one says ``is_reserved``.
    """
    if contents is None:
        flagged = any(each.item.is_reserved is not None for each in left)
        return "".join(map(_object if flagged else _line, left))
    if contents.form == "csv":
        return _table(left, contents)
    return "".join(map(_json if contents.form == "json" else _line, left))


def _line(left: Left) -> str:
    raw = left.item.raw if isinstance(left.item.raw, str) else left.item.input
    text = raw.partition("#")[0].rstrip()
    return f"{text}  # {left.reason['error']} (exit code {left.exit_code})\n" if left.reason else f"{text}\n"


def _json(left: Left) -> str:
    raw = left.item.raw
    if isinstance(raw, str):  # a line that is not JSON
        return f"{raw}\n"
    row = raw if isinstance(raw, Mapping) else {"phone_number": left.item.input if raw is None else raw}
    return json.dumps({**row, **left.reason}) + "\n"


def _object(left: Left) -> str:
    item = left.item
    known = {"sid": item.sid, "phone_number": item.phone_number, "is_reserved": item.is_reserved}
    there = {name: value for name, value in known.items() if value is not None}
    return json.dumps({**there, **left.reason}) + "\n"


def _table(left: Sequence[Left], contents: Contents) -> str:
    """Return the rows as CSV. Reasons of an earlier run give way to those of this one."""
    if not left:
        return ""
    kept = [place for place, name in enumerate(contents.header) if name not in REASON]
    reasons = REASON if any(each.reason for each in left) else ()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if contents.header:
        writer.writerow([*(contents.header[place] for place in kept), *reasons])
    for each in left:
        cells = _cells(each.item, contents)
        shown = [cells[place] if place < len(cells) else "" for place in kept] if contents.header else cells
        writer.writerow([*shown, *(each.reason.get(name, "") for name in reasons)])
    return text.getvalue()


def _cells(item: Item, contents: Contents) -> Sequence[object]:
    """Return the cells of a row, or those of an argument beside the rows: its number, in the column for it."""
    if isinstance(item.raw, tuple):
        return item.raw
    places = range(max(len(contents.header), contents.column + 1))
    return [item.input if place == contents.column else "" for place in places]
