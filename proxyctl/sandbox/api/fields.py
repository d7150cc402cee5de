"""Values that several resources read or show: SIDs, dates, URLs, capabilities."""

from __future__ import annotations

import functools
import json
import re
import time
from urllib.parse import urlsplit

from proxyctl.sandbox.api.problems import invalid

# Text that neither UTF-8 nor Twilio's JSON can carry; SQLite would take the NUL and raise on the surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_sid(prefix: str, text: str) -> bool:
    """Tell whether ``text`` is a SID of the kind ``prefix``."""
    return re.fullmatch(prefix + "[0-9a-fA-F]{32}", text) is not None


def is_storable(text: str) -> bool:
    """Tell whether ``text`` is free of NUL and lone surrogates."""
    return _UNSTORABLE.search(text) is None


def boolean(parameter: str, text: str) -> bool:
    """Read ``true`` or ``false`` in any case."""
    folded = text.lower()
    if folded not in ("true", "false"):
        raise invalid(parameter, "It must be true or false")
    return folded == "true"


@functools.lru_cache(maxsize=4096)
def iso_date(seconds: int) -> str:
    """``2015-07-30T20:00:00Z``, as Proxy and Messaging write dates."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@functools.lru_cache(maxsize=256)
def capabilities(stored: str) -> dict[str, bool]:
    """The map of capabilities; shared between callers, so not to be changed."""
    decoded: dict[str, bool] = json.loads(stored)
    return decoded


def web_host(text: str) -> str | None:
    """The host of an absolute http(s) URL in lower case; None where ``text`` is no such URL."""
    if re.search(r"[\x00-\x20\x7f<>\"\\^`{|}]", text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is out of range
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") and parts.hostname else None
