"""What the sandbox had to guess about Twilio, in one table, so that each is easy to correct once known.

Everything else in this package follows Twilio's documents, its published schema, or answers that others saw
live. Change an entry here (or hand ``Sandbox`` another table) and the behaviour follows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guesses:
    """The guessed answers; numbers are Twilio's error codes unless the comment says otherwise."""

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
    # Seen live: a number whose Service was deleted gets these webhooks, one that leaves by itself keeps those of Proxy.
    removal_resets_webhooks: bool = False
    demo_voice_url: str = "https://demo.twilio.com/welcome/voice/"
    demo_sms_url: str = "https://demo.twilio.com/welcome/sms/reply"
    # PageSize 0, -1, abc; above 1000; a token of another list or a damaged one; a Page above 0 without one.
    bad_page_parameter: int = 20001
    page_size_too_large: int = 20007
    bad_page_token: int = 70002
    page_without_token: int = 70002
    # Refusals of the Messaging and 2010 APIs for values that they can't read.
    bad_parameter: int = 20001
    bad_webhook_url: int = 21402
    bad_webhook_method: int = 21403
    # Statuses (HTTP) of the Messaging API's refusals: 21710 and 21712 are conflicts, the others plain 400.
    messaging_conflict_status: int = 409
    # Adding a number to a Messaging Service answers 201, or 200: which, and when, is not documented.
    messaging_add_status: int = 201
    # What exists at Twilio but not here (Sessions, ShortCodes, buying numbers). A 4xx on purpose: a client
    # that takes 5xx for "may have happened" must not look for what can't be there.
    not_emulated_status: int = 400
    not_emulated: int = 20001


GUESSES = Guesses()
