"""What a handler is given: the request's parts, a transaction of the store, and the rules in force."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proxyctl.sandbox.api.guesses import GUESSES, Guesses
from proxyctl.sandbox.api.problems import ApiError, not_found

# The sandbox's own credentials: fixed, published, no secret.
ACCOUNT_SID = "AC" + "5a4db0c5" * 4
AUTH_TOKEN = "sandbox-auth-token-no-secret"
API_KEY_SID = "SK" + "5a4db0c5" * 4
API_KEY_SECRET = "sandbox-api-secret-no-secret"

RESERVED_AT_MOST = 5000
UNRESERVED_AT_MOST = 500
SENDERS_AT_MOST = 400


def webhooks_of(service_sid: str) -> tuple[str, str]:
    """The voice and SMS webhooks that a number gets when it joins the Service."""
    root = f"https://webhooks.twilio.com/v1/Accounts/{ACCOUNT_SID}/Proxy/{service_sid}/Webhooks"
    return f"{root}/Call", f"{root}/Message"


Reply = tuple[int, dict[str, Any] | None]


def random_sid(prefix: str) -> str:
    """Return a new SID, e.g. ``KS`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may differ between sandboxes. ``not_found_status`` is 404, or 400 as in the live tests of old."""

    not_found_status: int = 404
    max_page_size: int = 100
    guesses: Guesses = GUESSES
    new_sid: Callable[[str], str] = random_sid


@dataclass(frozen=True, slots=True)
class Context:
    """One request on its way to a handler. ``now`` is in whole seconds; ``names`` are the path's SIDs."""

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
