"""What a handler is given: the request's parts, a transaction of the store, and the rules in force."""

from __future__ import annotations

import functools
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proxyctl.sandbox.guesses import GUESSES, Guesses
from proxyctl.sandbox.problems import ApiError, invalid, not_found

# The sandbox's own credentials: fixed, published, no secret.
ACCOUNT_SID = "AC" + "5a4db0c5" * 4
AUTH_TOKEN = "sandbox-auth-token-no-secret"
API_KEY_SID = "SK" + "5a4db0c5" * 4
API_KEY_SECRET = "sandbox-api-secret-no-secret"

RESERVED_AT_MOST = 5000
UNRESERVED_AT_MOST = 500
SENDERS_AT_MOST = 400

Reply = tuple[int, dict[str, Any] | None]

# Text that neither UTF-8 nor Twilio's JSON can carry; SQLite would take the NUL and raise on the surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def random_sid(prefix: str) -> str:
    """Return a new SID, e.g. ``KS`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may differ between two sandboxes. ``not_found_status`` is 404, or 400 as in the live tests of old."""

    not_found_status: int = 404
    max_page_size: int = 100
    guesses: Guesses = GUESSES
    new_sid: Callable[[str], str] = random_sid


@dataclass(frozen=True, slots=True)
class Context:
    """One request on its way through a handler. ``now`` is in whole seconds; ``names`` are the path's SIDs."""

    db: sqlite3.Connection
    rules: Rules
    now: int
    base_url: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]

    def missing(self, old_code: int) -> ApiError:
        """The refusal for something that isn't there: 404/20404, or 400 with the code of old."""
        return ApiError(old_code) if self.rules.not_found_status == 400 else not_found(self.path)


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
