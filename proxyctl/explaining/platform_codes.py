"""Codes of Twilio's platform, and those of Messaging Services that pool numbers run into."""

from __future__ import annotations

from proxyctl.errors import ExitCode
from proxyctl.explaining.explanation import Explanation, twilio

_SUPPORT = "If it stays, ask Twilio's support and quote the request id."

ENTRIES: tuple[Explanation, ...] = (
    twilio(
        10001,
        "The account is not active",
        "The account is suspended or closed, so the API does nothing for it.",
        ("It ran out of money, was suspended, or was closed; a subaccount follows its parent.",),
        (
            "'proxyctl auth status' shows which account this is; its state and balance are in Twilio's Console.",
        ),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20001,
        "Unknown parameters",
        "Parameters that the API does not know were ignored.",
        ("A name in 'proxyctl api' is mistyped: parameters are spelled in CamelCase, like IsReserved.",),
        ("Compare the names after -d with Twilio's documentation of the resource.",),
        None,
    ),
    twilio(
        20003,
        "The credentials are not accepted",
        "Twilio does not take this Account SID, key and secret together for a valid login.",
        (
            "The secret is mistyped, was rotated or revoked, or belongs to another key.",
            "The key belongs to another region, or to another account or subaccount.",
            "A subaccount's resource was named with its parent's SID, or the reverse.",
            "The account is suspended or closed, or a proxy on the way drops the credentials.",
        ),
        (
            "'proxyctl auth status' shows whose credentials are used; 'proxyctl auth login' replaces them.",
            "'proxyctl doctor' checks the way to Twilio.",
        ),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20004,
        "The method does not fit the resource",
        "The resource exists, but can't be read, changed or deleted in this way.",
        ("A request of 'proxyctl api' uses POST or DELETE where the API has none.",),
        ("Compare METHOD and PATH with Twilio's documentation of the resource.",),
    ),
    twilio(
        20005,
        "The account is not active",
        "The account is suspended, closed or not yet activated.",
        ("It ran out of money, or its trial was never begun.",),
        (
            "'proxyctl auth status' shows which account this is; its state and balance are in Twilio's Console.",
        ),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20006,
        "Access denied",
        "The credentials are valid, but not for this resource.",
        (
            "The API key is a restricted one that lacks this permission.",
            "The resource is of another account.",
        ),
        ("'proxyctl auth status' shows what is used; 'proxyctl auth login' saves a key that may do more.",),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20007,
        "The page is too large",
        "A list was asked for more rows a page than 1000.",
        ("PageSize in a request of 'proxyctl api' is above 1000.",),
        ("Leave PageSize out: 'proxyctl api GET PATH --paginate' follows all pages.",),
    ),
    twilio(
        20008,
        "Test credentials do not work here",
        "The account's test credentials reach a few resources only, and Proxy is none of them.",
        ("The Console shows live and test credentials beside each other, and the test ones were copied.",),
        (
            "'proxyctl auth login' saves the live ones; to try without risk, add --sandbox to any command, as in "
            "'proxyctl service list --sandbox'.",
        ),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20403,
        "Not allowed",
        "The credentials are valid, but do not allow this.",
        (
            "The API key is a restricted one, or a main key is needed.",
            "The account does not have the product.",
        ),
        ("'proxyctl auth status' shows what is used; 'proxyctl auth login' saves a key that may do more.",),
        ExitCode.AUTHENTICATION,
    ),
    twilio(
        20404,
        "Not found",
        "Nothing is at the path that was asked for.",
        (
            "The Service or number was deleted, or is another account's.",
            "A SID or a path of 'proxyctl api' is mistyped.",
        ),
        (
            "'proxyctl service list' shows the Services, 'proxyctl number find NUMBER' where a number is, and "
            "'proxyctl auth status' whose account it is.",
        ),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        20409,
        "A conflict",
        "The request contradicts what is there now.",
        ("Somebody else changes the same at the same time.",),
        ("Look what is there, 'proxyctl service show SERVICE', and run the same command again.",),
    ),
    twilio(
        20422,
        "A parameter is not acceptable",
        "One of the values that were sent is missing or not allowed; the message names it.",
        ("A request of 'proxyctl api' lacks a field, or its value has the wrong form.",),
        ("Compare the fields after -d with Twilio's documentation of the resource.",),
    ),
    twilio(
        20429,
        "Too many requests at a time",
        "The account has more requests under way than Twilio allows; the limit is not published.",
        (
            "Other programs use the same account, or several bulk runs work at once.",
            "The header Twilio-Concurrent-Requests tells how many are under way: add -vv to see requests.",
        ),
        (
            "Nothing was carried out: run the same command again later, with a lower '--concurrency' if others "
            "share the account.",
        ),
        ExitCode.TEMPORARY,
    ),
    twilio(
        20500,
        "Twilio failed",
        "Twilio's server failed; what was asked may have been carried out all the same.",
        ("A disturbance at Twilio, which passes as a rule.",),
        ("Run the same command again: it looks first, and does only what is missing.", _SUPPORT),
        ExitCode.TEMPORARY,
    ),
    twilio(
        20503,
        "Twilio is not available",
        "The part of Twilio that was asked is out of service for the moment.",
        ("A disturbance or overload at Twilio, which passes as a rule; its status page may tell more.",),
        ("Run the same command again later: it looks first, and does only what is missing.", _SUPPORT),
        ExitCode.TEMPORARY,
    ),
    twilio(
        21701,
        "There is no such Messaging Service",
        "This account has no Messaging Service with the SID that was given.",
        ("It was deleted, belongs to another account, or the SID is mistyped.",),
        ("'proxyctl api GET /messaging/v1/Services --paginate' lists them.",),
    ),
    twilio(
        21710,
        "The number is in this Messaging Service already",
        "The number has been added to the Messaging Service before.",
        ("An add was sent twice, or its first answer was lost on the way.",),
        (
            "Nothing is left to do; 'proxyctl api GET /messaging/v1/Services/MG.../PhoneNumbers --paginate' lists "
            "its numbers.",
        ),
    ),
    twilio(
        21712,
        "The number is in another Messaging Service",
        "A number belongs to one Messaging Service at most, and another one has this number.",
        ("It was a sender of that Messaging Service before.",),
        (
            "Take it out there: 'proxyctl api DELETE /messaging/v1/Services/MG.../PhoneNumbers/NUMBER', then add it "
            "to this one. It stays in its Proxy Service meanwhile.",
        ),
    ),
    twilio(
        21714,
        "The Messaging Service is full",
        "The Messaging Service has as many senders as it may: 400 unless Twilio raised that.",
        ("A pool holds more numbers than one Messaging Service does.",),
        (
            "Use a further Messaging Service for the rest, or ask Twilio's support for more senders; 'proxyctl api "
            "GET /messaging/v1/Services --paginate' lists those that there are.",
        ),
    ),
    twilio(
        21715,
        "The number can't send messages",
        "A sender of a Messaging Service needs SMS or MMS, and this number has neither.",
        ("It is a number for calls only.",),
        (
            "'proxyctl number list SERVICE --capability sms_outbound' shows the numbers of a pool that can.",
            "Leave this one out of the Messaging Service: its calls work without.",
        ),
    ),
    twilio(
        70002,
        "The page can't be reached directly",
        "A page above the first was asked for without the token that the page before it gave.",
        ("A request of 'proxyctl api' has Page, but no PageToken.",),
        ("'proxyctl api GET PATH --paginate' follows all pages by itself.",),
    ),
)
