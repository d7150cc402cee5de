"""What a handler works with: one request inside a transaction of the store, and the rules in force."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxyctl.sandbox.wire import ApiError, not_found

if TYPE_CHECKING:
    import sqlite3

# The sandbox's own credentials: fixed, published, no secret.
ACCOUNT_SID = "AC" + "5a4db0c5" * 4
AUTH_TOKEN = "sandbox-auth-token-no-secret"
API_KEY_SID = "SK" + "5a4db0c5" * 4
API_KEY_SECRET = "sandbox-api-secret-no-secret"

RESERVED_AT_MOST = 5000
UNRESERVED_AT_MOST = 500
SENDERS_AT_MOST = 400

Reply = tuple[int, dict[str, Any] | None]


def webhooks_of(service_sid: str) -> tuple[str, str]:
    """The voice and SMS webhooks that a number gets when it joins the Service."""
    root = f"https://webhooks.twilio.com/v1/Accounts/{ACCOUNT_SID}/Proxy/{service_sid}/Webhooks"
    return f"{root}/Call", f"{root}/Message"


def random_sid(prefix: str) -> str:
    """Return a new SID, e.g. ``KS`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may differ between sandboxes, and what had to be guessed about Twilio, so that each is easy to correct
    once known. Everything else in this package follows Twilio's documents, its published schema, or answers that
    others saw live. Numbers are Twilio's error codes unless the comment says otherwise.
    """

    # For an unknown Service or number: 404, or 400 with a code of its own. Twilio was seen to answer either way.
    not_found_status: int = 404
    max_page_size: int = 100
    new_sid: Callable[[str], str] = random_sid

    # From here on: guesses.
    # Adding a number that another Proxy Service holds: sources name 80101, 80104 and 80601.
    number_in_another_service: int = 80101
    # Adding a number that is in a Messaging Service: no proof was found, the title of 80601 fits.
    number_in_messaging_service: int = 80601
    # GET /v1/Services/{unique_name}: the schema takes a plain string, but it is proved for Sessions only.
    service_fetch_takes_unique_name: bool = False
    # Whether two unique names that differ in case alone are the same name.
    unique_names_fold_case: bool = False
    # The enum and the prose disagree about the members; only country and area-code are proved live.
    geo_match_levels: frozenset[str] = frozenset(
        {"area-code", "overlay", "radius", "country", "extended-area-code"}
    )
    # An empty value clears a callback URL or the chat instance.
    empty_value_clears: bool = True
    # Seen live: a number whose Service was deleted gets these webhooks, one that leaves its pool keeps those of Proxy.
    removal_resets_webhooks: bool = False
    demo_voice_url: str = "https://demo.twilio.com/welcome/voice/"
    demo_sms_url: str = "https://demo.twilio.com/welcome/sms/reply"
    # PageSize above 1000; a token that is missing, of another list, or damaged.
    page_size_too_large: int = 20007
    bad_page_token: int = 70002
    # Other values of the page parameters, and refusals of the Messaging and 2010 APIs for values they can't read.
    bad_parameter: int = 20001
    bad_webhook_url: int = 21402
    bad_webhook_method: int = 21403
    # Adding a number to a Messaging Service answers 201, or 200 (HTTP): which, and when, is not documented.
    messaging_add_status: int = 201
    # What exists at Twilio but not here (Sessions, ShortCodes, buying numbers). A 4xx on purpose: a client
    # that takes 5xx for "may have happened" must not check for what can't be there.
    not_emulated: int = 20001


RULES = Rules()


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

    def missing(self, old_code: int | None) -> ApiError:
        """The refusal for something that isn't there: 404/20404, or 400 with the code of old."""
        if old_code is not None and self.rules.not_found_status == 400:
            return ApiError(old_code)
        return not_found(self.path)

    def invalid(self, parameter: str, reason: str, guess: str = "bad_parameter") -> ApiError:
        """The refusal of a parameter's value; ``guess`` names the code that APIs other than Proxy have for it."""
        if self.path.startswith("/v1/"):
            return ApiError(80701, f"'{parameter}' is invalid. It {reason}")
        return ApiError(getattr(self.rules, guess), f"{parameter} {reason}")

    def row(self, select: str, *parameters: object) -> sqlite3.Row | None:
        """The first row that ``select`` finds."""
        found: sqlite3.Row | None = self.db.execute(select, parameters).fetchone()
        return found

    def insert(self, table: str, values: Mapping[str, Any]) -> None:
        """Add a row that was made now."""
        insert_row(self.db, table, {**values, "date_created": self.now, "date_updated": self.now})

    def update(self, table: str, row_id: int, values: Mapping[str, Any]) -> None:
        """Change a row now; without values nothing changes, not even the date."""
        if values:
            changed = {**values, "date_updated": self.now}
            columns = ", ".join(f"{column} = ?" for column in changed)
            self.db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*changed.values(), row_id))


Handler = Callable[[Context], Reply]


def insert_row(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Add ``row``, whose names are the table's columns."""
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
