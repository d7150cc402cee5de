"""Rows as the API sends them, and what reads printed text back: used by the tests of all formats."""

from __future__ import annotations

import io
import re
from typing import Any

from proxyctl.render.output import Output
from proxyctl.roles import Screen

AC = "AC" + "a" * 32
KS = "KS" + "1" * 32
MARKS = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def service(number: int = 0, **fields: Any) -> dict[str, Any]:
    sid = f"KS{number:032x}"
    url = f"https://proxy.twilio.com/v1/Services/{sid}"
    row: dict[str, Any] = {
        "sid": sid,
        "unique_name": f"masking-{number}",
        "account_sid": AC,
        "chat_instance_sid": None,
        "callback_url": "https://example.com/proxy/events",
        "default_ttl": 3600,
        "number_selection_behavior": "prefer-sticky",
        "geo_match_level": "country",
        "intercept_callback_url": None,
        "out_of_session_callback_url": None,
        "date_created": "2026-11-22T05:30:00Z",
        "date_updated": "2026-11-22T05:30:59Z",
        "url": url,
        "links": {"sessions": f"{url}/Sessions", "phone_numbers": f"{url}/PhoneNumbers"},
    }
    return row | fields


def number(index: int = 0, **fields: Any) -> dict[str, Any]:
    ways = {f"{kind}_{way}": True for kind in ("voice", "sms") for way in ("inbound", "outbound")}
    row: dict[str, Any] = {
        "sid": f"PN{index:032x}",
        "account_sid": AC,
        "service_sid": KS,
        "date_created": "2026-11-22T05:30:00Z",
        "date_updated": "2026-11-22T05:30:00Z",
        "phone_number": f"+1415555{index:04}",
        "friendly_name": f"(415) 555-{index:04}",
        "iso_country": "US",
        "capabilities": ways | {"mms_inbound": True, "mms_outbound": False, "restriction_sms_domestic": True},
        "url": f"https://proxy.twilio.com/v1/Services/{KS}/PhoneNumbers/PN{index:032x}",
        "is_reserved": index % 2 == 1,
        "in_use": index,
    }
    return row | fields


def output(output_format: str, **options: Any) -> tuple[Output, io.StringIO]:
    stream = io.StringIO()
    screen = Screen(**{name: options.pop(name) for name in Screen._fields if name in options})
    return Output(output_format, stdout=stream, screen=lambda: screen, **options), stream


def unescape(cell: str) -> str:
    """Undo tsv's escapes in one pass, as a reader of tsv does."""
    return re.sub(r"\\[tnr\\]", lambda match: MARKS[match.group()], cell)


def unguarded(text: str) -> str:
    """What a cell of csv was before a guard against formulas came to it: the guard can be undone."""
    return text[1:] if re.match("'+[=+\\-@\t\r\n\ufeff\uff1d\uff0b\uff0d\uff20]", text) else text
