"""Proxy's codes about Services and the numbers of their pools: those that an administrator meets."""

from __future__ import annotations

from proxyctl.errors import ExitCode
from proxyctl.explaining.explanation import Explanation, twilio

_SUPPORT = "If it stays, ask Twilio's support and quote the request id."

ENTRIES: tuple[Explanation, ...] = (
    twilio(
        80101,
        "The number is in another Service's pool",
        "A number belongs to one Proxy Service at most, and another one has this number.",
        (
            "It was added to that Service earlier, perhaps by a colleague or from the Console.",
            "The other Service was thought to be deleted, or is one for tests.",
        ),
        (
            "'proxyctl number find NUMBER' says which Service holds it.",
            "'proxyctl number drain OTHER-SERVICE NUMBER --wait --remove' takes it out there without cutting "
            "off a session; then add it here.",
        ),
    ),
    twilio(
        80104,
        "The number is in a pool already",
        "The number has been added before: as a rule to this very Service.",
        (
            "An add was sent twice, or its first answer was lost on the way.",
            "Some accounts get this code for a number of another Service too.",
        ),
        (
            "'proxyctl number find NUMBER' says which Service holds it.",
            "'proxyctl number add SERVICE NUMBER' treats a number that is there already as done, so it can be "
            "repeated.",
        ),
    ),
    twilio(
        80105,
        "The short code is in a pool already",
        "This Service has the short code; adding it a second time does nothing.",
        ("An add was sent twice.",),
        (
            "'proxyctl api GET /v1/Services/SERVICE/ShortCodes' lists those that are there; nothing is left to "
            "do.",
        ),
    ),
    twilio(
        80301,
        "The account does not own the number",
        "No number of this account has the SID or the phone number that was given.",
        (
            "It belongs to another account or subaccount: numbers and Services must be of the same.",
            "It was released, or ported away, after the list was written.",
            "A digit is wrong.",
        ),
        (
            "'proxyctl auth status' shows which account this is.",
            "'proxyctl api GET /2010-04-01/Accounts/AC.../IncomingPhoneNumbers.json -d PhoneNumber=NUMBER' looks "
            "whether it owns the number.",
        ),
    ),
    twilio(
        80303,
        "The account does not own the short code",
        "No short code of this account has the SID that was given.",
        ("It belongs to another account, or a character of the SID is wrong.",),
        ("'proxyctl auth status' shows which account this is.",),
    ),
    twilio(
        80306,
        "The Service has no Chat instance",
        "Something asked for the Chat instance of this Service, and none is linked to it.",
        ("chat_instance_sid was never set, or the Chat Service was deleted.",),
        (
            "'proxyctl service show SERVICE' shows chat_instance_sid; 'proxyctl service update SERVICE "
            "--chat-instance-sid IS...' sets it.",
        ),
    ),
    twilio(
        80307,
        "What was to be changed is not there",
        "The change found nothing that it could apply to.",
        ("Somebody else removed it between the look and the change.",),
        ("'proxyctl number list SERVICE' shows what is in the pool now.",),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80401,
        "The Account SID is malformed",
        "The Account SID of the request is not one.",
        ("An account's SID is AC and 32 hexadecimal digits; a profile or variable holds something else.",),
        ("'proxyctl auth status' shows what is used, and where it comes from.",),
    ),
    twilio(
        80406,
        "The phone number is malformed",
        "The phone number is not in E.164: a plus sign, the country code and the number, digits only.",
        (
            "The number is in its country's national format, lacks the plus sign, or has too many digits.",
            "A spreadsheet turned it into 1.41556E+10.",
        ),
        ("'proxyctl number add SERVICE NUMBER --default-country US' reads national formats.",),
    ),
    twilio(
        80407,
        "The number is not in this pool",
        "The phone number's SID is malformed, or no number of this Service has it.",
        (
            "The number was never added to this Service, or has been removed.",
            "A phone number's SID is PN and 32 hexadecimal digits.",
        ),
        ("'proxyctl number find NUMBER' says where it is; 'proxyctl number list SERVICE' shows the pool.",),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80408,
        "There is no such Service",
        "The Service's SID is malformed, or this account has no Service with it.",
        (
            "The Service was deleted, or belongs to another account.",
            "A Service's SID is KS and 32 hexadecimal digits.",
        ),
        ("'proxyctl service list' shows the Services; 'proxyctl auth status' whose they are.",),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80501,
        "Twilio could not store or read",
        "Storage failed on Twilio's side; what was asked may have been carried out all the same.",
        ("A disturbance at Twilio, which passes as a rule.",),
        ("Run the same command again: it looks first, and does only what is missing.", _SUPPORT),
        ExitCode.TEMPORARY,
    ),
    twilio(
        80502,
        "A server behind Proxy failed",
        "A part of Twilio that Proxy needs failed or refused; the request may have been carried out.",
        ("A disturbance at Twilio, which passes as a rule.",),
        ("Run the same command again: it looks first, and does only what is missing.", _SUPPORT),
        ExitCode.TEMPORARY,
    ),
    twilio(
        80503,
        "Nothing was there to change",
        "The update found no record; it may have been deleted a moment before.",
        ("Somebody else removed it between the look and the change.",),
        ("'proxyctl number list SERVICE' shows what is in the pool now.",),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80504,
        "Proxy failed",
        "Proxy failed within; what was asked may have been carried out all the same.",
        ("A disturbance at Twilio, which passes as a rule.",),
        ("Run the same command again: it looks first, and does only what is missing.", _SUPPORT),
        ExitCode.TEMPORARY,
    ),
    twilio(
        80505,
        "Flex is not set up as Proxy needs it",
        "A Service that works for Flex found a part of Flex wrongly configured.",
        ("The Flex flow, its channel or its Proxy Service were changed or deleted apart from each other.",),
        ("'proxyctl service show SERVICE' shows the Proxy side; compare it with the Flex flow.",),
    ),
    twilio(
        80506,
        "This account can't have Proxy",
        "Proxy is closed to new customers, and this account has never had a Service.",
        (
            "The account, or subaccount, is new to Proxy. Accounts that have used it, and Flex, go on.",
            "The credentials are of another account than the one that uses Proxy.",
        ),
        (
            "'proxyctl auth status' shows which account this is; 'proxyctl service list --sandbox' works "
            "without any.",
            "Twilio points new customers to Conversations and Programmable Voice.",
        ),
    ),
    twilio(
        80601,
        "The number is bound elsewhere",
        "The number can't be added because another pool has it: a Service's, or a Messaging Service's.",
        (
            "It is a sender of a Messaging Service. The order matters: first the Proxy Service, then the "
            "Messaging Service; the other way round is refused.",
            "It is in the pool of another Proxy Service.",
        ),
        (
            "'proxyctl number find NUMBER' says whether a Proxy Service holds it.",
            "Where none does, take it out of its Messaging Service: 'proxyctl api DELETE "
            "/messaging/v1/Services/MG.../PhoneNumbers/NUMBER', add it here, and put it back there.",
        ),
    ),
    twilio(
        80602,
        "The Service's name is taken",
        "Another Service of this account has this unique name.",
        (
            "The Service exists already: perhaps a first try worked, and its answer was lost.",
            "A script that creates the Service was run twice.",
        ),
        (
            "'proxyctl service list' shows it; 'proxyctl service create NAME --if-not-exists' takes the one that "
            "is there.",
        ),
    ),
    twilio(
        80610,
        "The operation is not allowed",
        "Proxy does not let these credentials do this, or the SIDs of the request don't belong together.",
        (
            "A number, Session or Participant was named under a Service that it is not of.",
            "The credentials are of another account.",
        ),
        (
            "'proxyctl auth status' shows which account this is; 'proxyctl number find NUMBER' whose a number is.",
        ),
    ),
    twilio(
        80611,
        "The number is in use",
        "Open sessions use the number, so it can't leave the pool yet.",
        (
            "Participants are talking or writing through it; a session without time limit stays open until it "
            "is closed.",
        ),
        (
            "'proxyctl number drain SERVICE NUMBER --wait --remove' lets its sessions end, then removes it.",
            "'proxyctl number show SERVICE NUMBER' shows in_use; 'proxyctl api GET /v1/Services/SERVICE/Sessions "
            "--paginate' lists the sessions.",
        ),
    ),
    twilio(
        80613,
        "A server behind Proxy refused",
        "A part of Twilio that Proxy calls on the account's behalf refused the request.",
        (
            "The number is suspended, not fully set up, or lacks what was asked of it.",
            "The account is not allowed what was asked, for example a country.",
        ),
        ("'proxyctl number show SERVICE NUMBER' shows what the number can do.", _SUPPORT),
    ),
    twilio(
        80615,
        "A legal hold forbids deleting",
        "Nothing that is under legal hold can be deleted.",
        ("Records of this account must be kept for a legal matter.",),
        ("Ask Twilio's support, or whoever looks after legal matters for the account.",),
    ),
    twilio(
        80617,
        "Flex is not set up as Proxy needs it",
        "A part of Flex that works with this Service is wrongly configured.",
        ("The Flex flow, its channel or its Proxy Service were changed or deleted apart from each other.",),
        ("'proxyctl service show SERVICE' shows the Proxy side; compare it with the Flex flow.",),
    ),
    twilio(
        80618,
        "Chat is not set up as Proxy needs it",
        "The Chat instance that is linked to the Service does not fit it.",
        ("The Chat Service was deleted, is linked to another Proxy Service, or lacks its webhook.",),
        (
            "'proxyctl service show SERVICE' shows chat_instance_sid; 'proxyctl service update SERVICE "
            "--chat-instance-sid IS...' links another.",
        ),
    ),
    twilio(
        80621,
        "Too many requests a second",
        "This endpoint of this Service got more requests than its window of five seconds allows.",
        (
            "Twilio takes 30 a second for each endpoint of a Service, and up to 150 within five seconds.",
            "Other programs, or a second proxyctl, write to the same Service.",
        ),
        (
            "Nothing was carried out: run the same command again later, with a lower '--rate' if others share the "
            "Service.",
        ),
        ExitCode.TEMPORARY,
    ),
    twilio(
        80622,
        "The pool is full",
        "The Service holds as many numbers of this kind as it may: 5000 reserved, 500 unreserved.",
        ("The pool has grown to its limit; reserved and unreserved numbers are counted apart.",),
        (
            "'proxyctl number list SERVICE --idle' shows numbers that no session uses; 'proxyctl number remove "
            "SERVICE NUMBER' makes room.",
            "'proxyctl number reserve SERVICE NUMBER' turns unreserved numbers into reserved ones, where there is "
            "room.",
            "More numbers need a further Service: 'proxyctl service create NAME'.",
        ),
    ),
    twilio(
        80624,
        "The pool is nearly full",
        "The Service has reached 85 % of the 5000 reserved or the 500 unreserved numbers that it may hold.",
        ("The pool has grown; Twilio writes this to its log, and refuses nothing yet.",),
        (
            "'proxyctl number list SERVICE --idle' shows numbers that no session uses; 'proxyctl service create "
            "NAME' makes room for more.",
        ),
        None,
    ),
    twilio(
        80625,
        "A request to Proxy's webhook is not signed",
        "Proxy's webhook was called without a valid X-Twilio-Signature.",
        (
            "Something else than Twilio called the webhook, or a server between changed URL or headers.",
            "A program of one's own passes calls or messages on to it.",
        ),
        ("Sign what is passed on, or let Twilio call the webhook itself.",),
        None,
    ),
    twilio(
        80701,
        "A parameter is not acceptable",
        "One of the values that were sent is not allowed; the message names the parameter.",
        (
            "A name of more than 191 characters, a TTL below 0 or not below 2147483647, or a URL that is longer "
            "than 4000 characters or leads back to Proxy.",
            "A level or behaviour that Proxy does not know, or both of a number's SID and its E.164 form.",
        ),
        ("'proxyctl service update -h' lists the settings and their values.",),
    ),
)
