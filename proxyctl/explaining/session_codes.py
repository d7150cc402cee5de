"""Proxy's codes about Sessions, Participants and Interactions: the application's business, and often a hint
that the pool lacks something.
"""

from __future__ import annotations

from proxyctl.errors import ExitCode
from proxyctl.explaining.explanation import Explanation, twilio

_SESSIONS = "'proxyctl api GET /v1/Services/SERVICE/Sessions --paginate' lists the Service's sessions."
_ADD = "'proxyctl number add SERVICE NUMBER --unreserved' adds a number that the pool may choose."
_POOL = "'proxyctl number list SERVICE --unreserved' shows the numbers that the pool may choose."


def _inbound(code: int, title: str, meaning: str, cause: str, step: str) -> Explanation:
    """Return the entry of a code that no request gets: Twilio logs it about a call or message that came in."""
    return twilio(code, title, meaning, (cause,), (step,), None)


ENTRIES: tuple[Explanation, ...] = (
    twilio(
        80102,
        "The participant is in the interaction already",
        "This interaction knows the participant; adding it a second time does nothing.",
        ("A request was sent twice, or its first answer was lost on the way.",),
        (_SESSIONS,),
    ),
    twilio(
        80103,
        "The participant is in the session already",
        "The session has a participant with this identifier.",
        ("A request was sent twice, or its first answer was lost on the way.",),
        (
            "'proxyctl api GET /v1/Services/SERVICE/Sessions/KC.../Participants' lists the session's participants.",
        ),
    ),
    twilio(
        80201,
        "No number that can call",
        "No number of the pool that fits the participant can make and take calls.",
        (
            "The session's mode asks for voice, and the numbers that fit are for messages only.",
            "In some countries no number has both, and a session without a mode asks for both.",
        ),
        (
            "'proxyctl number list SERVICE --unreserved --capability voice_outbound' shows the numbers that can; "
            "else create the session with the mode message-only.",
            _ADD,
        ),
    ),
    twilio(
        80202,
        "No number that can send messages",
        "No number of the pool that fits the participant can send and receive messages.",
        (
            "The session's mode asks for messages, and the numbers that fit are for calls only.",
            "In some countries no number has both, and a session without a mode asks for both.",
        ),
        (
            "'proxyctl number list SERVICE --unreserved --capability sms_outbound' shows the numbers that can; "
            "else create the session with the mode voice-only.",
            _ADD,
        ),
    ),
    twilio(
        80203,
        "No number of the participant's country",
        "The pool has no number of the country that the participant's own number is of.",
        ("Proxy matches by country at the least (geo_match_level); a new country was met.",),
        ("'proxyctl number list SERVICE --country CC' shows what the pool has of a country.", _ADD),
    ),
    twilio(
        80205,
        "The pool is empty",
        "The Service has no numbers, so none can be given to a participant.",
        (
            "No number was ever added, or all were removed.",
            "The application uses another Service than the one that was filled.",
        ),
        ("'proxyctl number add SERVICE NUMBER' adds one; 'proxyctl number list SERVICE' shows the pool.",),
    ),
    twilio(
        80206,
        "No number is left for the participant",
        "No number of the pool both fits the participant and is free of this participant's other sessions.",
        (
            "geo_match_level asks for an area of which the pool has no number.",
            "The participant is in as many open sessions as there are numbers that fit: each needs one of its "
            "own.",
            "Sessions without a time limit stay open and keep their numbers.",
        ),
        (
            _POOL,
            _ADD,
            "'proxyctl service update SERVICE --geo-match-level country' lets numbers of the whole country do; "
            "'proxyctl service update SERVICE --default-ttl 3600' ends idle sessions.",
        ),
    ),
    twilio(
        80207,
        "Only reserved numbers would fit",
        "All numbers of the pool that fit the participant are reserved, and the pool never chooses those.",
        ("The numbers were reserved to drain them, or to give them out by hand.",),
        ("'proxyctl number release SERVICE NUMBER' lets the pool choose a number again.", _ADD),
    ),
    twilio(
        80208,
        "All numbers that fit are in use by the participant",
        "Every number that fits is taken by another open session of the same participant.",
        (
            "The participant is in as many open sessions as there are numbers that fit: each needs one of its "
            "own.",
            "Sessions without a time limit stay open and keep their numbers.",
        ),
        (
            _ADD,
            "'proxyctl service update SERVICE --default-ttl 3600' ends idle sessions, whose numbers are then "
            "free.",
        ),
    ),
    twilio(
        80304,
        "The proxy identifier is not known",
        "The proxy identifier is no number, and Twilio does not manage it for this Service.",
        ("A participant was given an address of another channel (WhatsApp, Messenger) that is not set up.",),
        ("'proxyctl number list SERVICE' shows the numbers that can be given instead.",),
    ),
    twilio(
        80305,
        "The proxy identifier's SID is not known",
        "No identifier of another channel has the SID that was given.",
        ("The channel's own webhook does not lead to this Service.",),
        ("'proxyctl number list SERVICE' shows the SIDs that can be given instead.",),
    ),
    twilio(
        80308,
        "No session has this name",
        "The Service has no session with the unique name that was given.",
        ("The session was deleted, was never made, or belongs to another Service.",),
        (_SESSIONS,),
    ),
    twilio(
        80402,
        "Identifier and proxy identifier don't go together",
        "The participant's identifier and the number that it was given can't be used as a pair.",
        ("They are of different channels or countries, or the pair is taken.",),
        (_POOL,),
    ),
    twilio(
        80403,
        "There is no such interaction",
        "The interaction's SID is malformed, or the session has none with it.",
        ("It was deleted, or an SID of another session was given: KI and 32 hexadecimal digits.",),
        ("'proxyctl api GET /v1/Services/SERVICE/Sessions/KC.../Interactions --paginate' lists them.",),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80404,
        "The participant can't be reached",
        "The participant's identifier does not look like a phone number that can be reached.",
        ("It is not in E.164, has a wrong digit, or is of a country that is not supported.",),
        ("Give the participant's number with plus sign and country code, like +14155550100.",),
    ),
    twilio(
        80405,
        "There is no such participant",
        "The participant's SID is malformed, or the session has none with it.",
        ("It was deleted, or an SID of another session was given: KP and 32 hexadecimal digits.",),
        (
            "'proxyctl api GET /v1/Services/SERVICE/Sessions/KC.../Participants' lists the session's participants.",
        ),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80409,
        "There is no such session",
        "The session's SID is malformed, or the Service has none with it.",
        ("It was deleted, or an SID of another Service was given: KC and 32 hexadecimal digits.",),
        (_SESSIONS,),
        ExitCode.NOT_FOUND,
    ),
    twilio(
        80603,
        "The session's name is taken",
        "Another session of the Service has this unique name.",
        ("A first try worked, and its answer was lost; or names are used again.",),
        (_SESSIONS,),
    ),
    twilio(
        80604,
        "The pair is in use",
        "Another session pairs the same participant with the same number.",
        ("A number was given by hand that this participant has in another open session.",),
        (_POOL,),
    ),
    twilio(
        80605,
        "The number is not in this pool",
        "The number that was given to the participant by hand is not in this Service's pool.",
        ("It was removed, or is in another Service.",),
        ("'proxyctl number find NUMBER' says where it is; 'proxyctl number add SERVICE NUMBER' adds it.",),
    ),
    twilio(
        80606,
        "The account does not own the number",
        "The number that was given to the participant by hand is not of this account.",
        ("It was released, or belongs to another account.",),
        ("'proxyctl number list SERVICE' shows the numbers that can be given.",),
    ),
    twilio(
        80607,
        "The session has ended",
        "What is closed can't be changed any more.",
        ("Its time ran out, or it was closed.",),
        ("Make a new session. " + _SESSIONS,),
    ),
    twilio(
        80608,
        "The session can't take this status",
        "A session can't go from its present status to the one that was asked for.",
        ("A closed session can only be reopened to in-progress.",),
        ("'proxyctl api GET /v1/Services/SERVICE/Sessions/KC...' shows the status that it has.",),
    ),
    twilio(
        80609,
        "The session is full",
        "A session has two participants at most, and this one has them.",
        ("A third was added, or one was added twice under different identifiers.",),
        (
            "'proxyctl api GET /v1/Services/SERVICE/Sessions/KC.../Participants' lists the session's participants.",
        ),
    ),
    twilio(
        80612,
        "The participant was there before",
        "An identifier that was deleted from a session can't be added to it again.",
        ("A participant is deleted softly, so its place stays taken.",),
        ("Make a new session. " + _SESSIONS,),
    ),
    _inbound(
        80614,
        "Nobody is on the other side",
        "A call or message came in for a session in which the sender is alone.",
        "The second participant was never added, or was deleted.",
        "'proxyctl api GET /v1/Services/SERVICE/Sessions/KC.../Participants' lists the session's participants.",
    ),
    twilio(
        80616,
        "The identifier does not fit the session's mode",
        "The participant's kind of identifier can't do what the session's mode asks for.",
        ("For example a chat identity in a session with voice.",),
        ("Create the session with a mode that both participants can: message-only or voice-only.",),
    ),
    _inbound(
        80619,
        "A chat channel's attributes can't be used",
        "The attributes of the Chat channel lack what Proxy needs, or are not JSON.",
        "The channel was made or changed outside of Proxy.",
        "'proxyctl service show SERVICE' shows which Chat instance is linked; mend the channel's attributes.",
    ),
    _inbound(
        80620,
        "A chat message named a number that is not there",
        "Somebody wrote from Chat to a number that the Service does not have.",
        "The number was removed from the pool while the chat went on.",
        "'proxyctl number find NUMBER' says where it is; 'proxyctl number add SERVICE NUMBER' puts it back.",
    ),
    twilio(
        80623,
        "The participant is being added elsewhere",
        "The same participant was added to several sessions at the same moment.",
        ("Two parts of the application work on the same participant at once.",),
        ("Try again after a moment, one session after the other. " + _SESSIONS,),
    ),
    twilio(
        80801,
        "The session can't be reopened",
        "A participant of the closed session uses the same number in another session now.",
        ("The number was given out again after the session was closed.",),
        ("Make a new session. " + _SESSIONS,),
    ),
    twilio(
        80802,
        "The participant is being added elsewhere",
        "The same identifier was added to one or several sessions at the same moment.",
        ("Two parts of the application work on the same participant at once.",),
        ("Try again after a moment, one session after the other. " + _SESSIONS,),
    ),
    _inbound(
        80901,
        "Consent was given or withdrawn by message",
        "A message such as STOP or START was not passed on: it is about the sender's consent.",
        "The sender opted out of, or back into, messages from this number.",
        "Nothing is to be done; respect the wish.",
    ),
    _inbound(
        80902,
        "No open session for a caller",
        "A call or message came to a pool number from somebody who is in no open session with it.",
        "The session has ended, or a stranger called.",
        "'proxyctl service update SERVICE --out-of-session-callback-url URL' lets the application answer them.",
    ),
    _inbound(
        80903,
        "Nobody knows the caller",
        "A call or message came from somebody whom Proxy can't match to a participant.",
        "The caller's number is withheld, or differs from the participant's identifier.",
        "'proxyctl service update SERVICE --out-of-session-callback-url URL' lets the application answer them.",
    ),
    _inbound(
        80904,
        "The session has expired",
        "A call or message came in for a session whose time had run out.",
        "The session's TTL or expiry date was reached.",
        "'proxyctl service show SERVICE' shows default_ttl; a session may have a TTL of its own.",
    ),
    _inbound(
        80905,
        "Proxy does not know what to do with it",
        "A call or message came in that fits none of the cases that Proxy handles.",
        "The number is used in a way outside of Proxy, or its webhooks were changed.",
        "'proxyctl api GET /2010-04-01/Accounts/AC.../IncomingPhoneNumbers.json -d PhoneNumber=NUMBER' shows the "
        "number's webhooks.",
    ),
    _inbound(
        80906,
        "The interaction had ended before",
        "The end of an interaction was reported for one that had ended already.",
        "Events came twice or in another order.",
        "Nothing is to be done, unless it comes often.",
    ),
    _inbound(
        80907,
        "A call that no interaction belongs to",
        "Proxy got a call, and has no interaction under way that it is part of.",
        "Events came twice or in another order, or the session was deleted during the call.",
        _SESSIONS,
    ),
    _inbound(
        80908,
        "A callback failed",
        "The application's callback URL could not be reached, or answered with an error.",
        "The server is down, too slow, has a bad certificate, or the URL is wrong.",
        "'proxyctl service show SERVICE' shows the URLs; 'proxyctl service update SERVICE --callback-url URL' "
        "sets another.",
    ),
    _inbound(
        80909,
        "The application blocked an interaction",
        "The intercept callback answered 403, so the call or message was not passed on.",
        "The application decided so, or a firewall before it answers 403.",
        "'proxyctl service show SERVICE' shows intercept_callback_url.",
    ),
    _inbound(
        80910,
        "A message came to a session for calls",
        "A message was not passed on, since the session is voice-only.",
        "The session was created with the mode voice-only.",
        "Create sessions with the mode voice-and-message, if messages are wanted.",
    ),
    _inbound(
        80911,
        "A call came to a session for messages",
        "A call was not passed on, since the session is message-only.",
        "The session was created with the mode message-only.",
        "Create sessions with the mode voice-and-message, if calls are wanted.",
    ),
    _inbound(
        80913,
        "No usable answer for a call or message outside of sessions",
        "The out-of-session callback could not be reached, or its answer is no valid TwiML.",
        "The server is down, too slow, or answers with something else than TwiML.",
        "'proxyctl service show SERVICE' shows out_of_session_callback_url; 'proxyctl service update SERVICE "
        "--out-of-session-callback-url URL' sets another.",
    ),
)
