"""Reading which Sessions a verb works on, from arguments and files as numbers are: by SID or unique name."""

from __future__ import annotations

from proxyctl.identifiers import is_sid
from proxyctl.input.items import Item, Reading
from proxyctl.input.names import SESSION
from proxyctl.input.rows import Row
from proxyctl.input.values import text_of
from proxyctl.text import show


class SessionReading(Reading):
    """Reads Sessions. A unique name stands where a number would."""

    kind = SESSION
    noun = "Session"

    def _item(self, row: Row) -> Item:
        self._check_account(row)
        sid, name = text_of("sid", row.sid), text_of("unique_name", row.phone_number)
        if is_sid("KC", name) and sid in ("", name):
            sid, name = name, ""
        if sid and not is_sid("KC", sid):
            raise ValueError(f"sid {show(sid)} is not KC and 32 hexadecimal digits")
        if not (sid or name):
            raise ValueError("names no Session")
        return Item(sid or name, sid or None, (sid and name) or None, place=row.place, raw=row.raw or name)
