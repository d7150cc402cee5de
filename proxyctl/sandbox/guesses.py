"""What had to be guessed about Twilio, and the few things that may differ between sandboxes: one table, so that each
is easy to correct once known. `proxyctl help sandbox` lists the guesses from here.

Everything else in this package follows Twilio's documents, its published schema, or answers that others saw live.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any


def random_sid(prefix: str) -> str:
    """Return a new SID, e.g. ``KS`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def _guess(value: Any, says: str) -> Any:
    return field(default=value, metadata={"says": says})


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers are Twilio's error codes unless the name says otherwise."""

    # For what isn't there: 404, or 400 with a code of its own. Twilio was seen to answer either way.
    not_found_status: int = 404
    max_page_size: int = 100
    new_sid: Callable[[str], str] = random_sid

    # Services and their pools. Sources name 80101, 80104 and 80601 for the first.
    number_in_another_service: int = _guess(80101, "An add of a number that another Service holds")
    number_in_messaging_service: int = _guess(80601, "An add of a number that is in a Messaging Service")
    service_fetch_takes_unique_name: bool = _guess(False, "A Service is fetched by its unique name, too")
    unique_names_fold_case: bool = _guess(False, "Unique names that differ in case alone are the same")
    # The enum and the prose disagree about the members; only country and area-code are proved live.
    geo_match_levels: frozenset[str] = _guess(
        frozenset({"area-code", "overlay", "radius", "country", "extended-area-code"}),
        "Values of geo_match_level. Only area-code differs from country",
    )
    chat_instance_taken: int = _guess(80701, "A Chat instance that another Service has")
    empty_value_clears: bool = _guess(True, "An empty value clears a callback URL or the Chat instance")
    # Seen live: a number whose Service was deleted gets these, one that leaves its pool keeps those of Proxy.
    removal_resets_webhooks: bool = _guess(False, "A number that leaves its pool gets the demo webhooks")
    demo_voice_url: str = "https://demo.twilio.com/welcome/voice/"
    demo_sms_url: str = "https://demo.twilio.com/welcome/sms/reply"

    # Sessions and their participants.
    status_changes: frozenset[tuple[str, str]] = _guess(
        frozenset({("open", "closed"), ("in-progress", "closed"), ("closed", "in-progress")}),
        "Changes of a Session's status that an update may make. The others are refused with 80608",
    )
    expired_reason: str = _guess("expired", "The closed_reason of a Session whose time is over")
    removed_identifier: int = _guess(80103, "An identifier that was removed from the Session joins again")
    removed_counts: bool = _guess(False, "A removed participant counts towards the two of a Session")
    # Seen once: refused with 80207. The documents say that a reserved number may be named.
    reserved_can_be_named: bool = _guess(True, "A reserved number can be given to a participant by hand")
    all_numbers_held: int = _guess(
        80208, "Every number that fits is held by other Sessions of the participant"
    )
    participant_delete_status: int = _guess(
        200, "HTTP status of a participant's delete. It was 204 until 2024"
    )
    message_status: int = _guess(200, "HTTP status of a new message interaction. It was 201 until 2024")

    # Messages and callbacks.
    message_statuses: str = _guess(
        "queued, sent, delivered", "Statuses of an outbound message. Each is a callback of the interaction"
    )
    callback_seconds: float = _guess(15.0, "Seconds in which a callback has to be answered")
    blocked_is_logged: bool = _guess(
        True, "A message that the intercept callback blocks stays in the log, with its inbound leg alone"
    )
    voice_only_takes_messages: bool = _guess(False, "A message passes through a voice-only Session")

    # Lists, and refusals of the Messaging and 2010 APIs for values that they can't read.
    page_size_too_large: int = _guess(20007, "A PageSize above 1000")
    bad_page_token: int = _guess(70002, "A page token that is missing, damaged or of another list")
    bad_parameter: int = _guess(20001, "Other values that Messaging or the account's numbers can't read")
    bad_webhook_url: int = _guess(21402, "A webhook that is no URL")
    bad_webhook_method: int = _guess(21403, "A webhook method other than GET and POST")
    release_in_use: bool = _guess(True, "A number in active Sessions can be released, and leaves its pool")
    messaging_add_status: int = _guess(
        201, "HTTP status of a number's add to a Messaging Service. It may be 200"
    )
    # A 4xx on purpose: a client that takes 5xx for "may have happened" must not check for what can't be there.
    not_emulated: int = _guess(20001, "A request that Twilio takes and the sandbox can't carry out")


RULES = Rules()


def guesses() -> list[tuple[str, str]]:
    """What is guessed, and the choice that was made."""
    return [
        (each.metadata["says"], _shown(each.default)) for each in fields(Rules) if "says" in each.metadata
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, frozenset):
        return ", ".join(sorted(" to ".join(each) if isinstance(each, tuple) else each for each in value))
    return str(value)
