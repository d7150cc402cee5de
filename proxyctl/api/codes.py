"""The API's error codes that this program acts on, each named once after the title that the API gives it."""

RESOURCE_NOT_FOUND = 20404

NUMBER_IN_ANOTHER_SERVICE = 80101
PARTICIPANT_EXISTS = 80103  # the identifier is in the Session, or was before
NUMBER_IN_SERVICE = 80104
NO_VOICE_NUMBER = 80201
NONE_LEFT = 80208  # the participant has each number that would fit in another Session
NUMBER_NOT_FOUND = 80301  # the account does not own it
NUMBER_NOT_AVAILABLE = 80601  # another Service or a Messaging Service has it
SERVICE_NAME_TAKEN = 80602
SESSION_NAME_TAKEN = 80603
PAIR_ACTIVE = 80604  # a participant of the Session has its number in another active one
SESSION_CLOSED = 80607
NUMBER_IN_USE = 80611
RATE_LIMITED = 80621  # one endpoint of one Service; any other 429 is about the account's concurrency
POOL_FULL = 80622
TWO_AT_ONCE = 80623  # another create for the same identifier has not answered yet

SENDER_IN_SERVICE = 21710
SENDER_IN_ANOTHER_SERVICE = 21712
MESSAGING_SERVICE_FULL = 21714
SENDER_WITHOUT_SMS = 21715

# The codes that say "not there" with a status of 400, depending on the year, and the SID that each is about.
MISSING = {
    80307: "",  # record not found
    80308: "",  # Session name not found
    80403: "KI",
    80405: "KP",
    80407: "PN",
    80408: "KS",
    80409: "KC",
    80503: "",  # no records updated
}
