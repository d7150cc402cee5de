"""The table of the contract: a row for each command that makes a run, with a stage and the state it leads to.

A state is data: a pool is a word whose letters are numbers of the account, capitals the reserved ones (``aBc``), under
the name of its Service. ``NAME.field`` is a setting of the Service, ``MG`` the senders of a Messaging Service, and
``OWN`` the numbers whose webhooks are `OWN_URL`.
``SESSIONS`` are those of masking: capitals are active, digits the ttl, and each ' is a participant (``A60''b``).
To add a verb, add a row. What it can't do is said in the row too, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

State = Mapping[str, object]


@dataclass(frozen=True)
class Verb:
    """One row: ``line`` is what is typed, and ``items`` are the numbers that it works on.

    In ``line``, POOL is a pool file that says ``after``, RUN the run of another row (``earlier``), which is carried
    out on its stage first, and MG the Messaging Service. ``again`` is how the same command ends after it was done.
    """

    line: str
    before: State = field(default_factory=dict)
    after: State = field(default_factory=dict)
    items: str = ""
    sessions: str = ""  # the Sessions that it works on
    earlier: str = ""
    destructive: bool = False  # rule 6: it asks, or needs --yes
    typed: str = "yes"  # what a person answers
    again: int = 0
    locks: bool = True
    rows: bool = True  # it prints rows, in every format
    converges: bool = True  # the same again sends nothing
    verified: bool = True  # where an answer was lost, what became of the request is read
    undone: int = 0  # how `history undo` ends
    back_by: tuple[str, ...] = ()  # the options that it needs
    back: State | None = None  # what undo leads to, if not to `before` (or to `after`, where it is refused)
    forth: State | None = None  # what the undo of the undo leads to, if not to `after`


OWN_URL = "https://example.com/own"
ATTACH = "messaging attach masking --messaging-service MG"
MOVE = "number move --from masking --to other"
APPLIED: State = {"masking": "ABd", "masking.default_ttl": 60, "other": "CE", "fresh": "f"}

VERBS: Mapping[str, Verb] = {
    "service create": Verb(
        "service create fresh --default-ttl 60 --if-not-exists",
        after={"fresh": "", "fresh.default_ttl": 60},
        locks=False,
        undone=5,
    ),
    "service update": Verb(
        "service update masking --default-ttl 60",
        before={"masking": "A"},
        after={"masking": "A", "masking.default_ttl": 60},
    ),
    "service delete": Verb(
        "service delete masking",
        before={"masking": "aB", "other": "c"},
        after={"other": "c"},
        destructive=True,
        typed="masking",
        again=4,
        rows=False,
        undone=5,
    ),
    "number add": Verb(
        "number add masking --allow take-over",
        {"masking": "Ab", "OWN": "c"},
        {"masking": "Abcd"},
        items="abcd",
    ),
    "number add --reserved": Verb(
        "number add masking --reserved", {"masking": "aDf"}, {"masking": "ABCDf"}, items="abcd"
    ),
    "number add --unreserved": Verb(
        "number add masking --unreserved", {"masking": "aD"}, {"masking": "abcd"}, items="abcd"
    ),
    "number reserve": Verb("number reserve masking", {"masking": "abCd"}, {"masking": "ABCd"}, items="abc"),
    "number reserve --add": Verb(
        "number reserve masking --add --allow take-over",
        {"masking": "abf", "OWN": "c"},
        {"masking": "ABCf"},
        items="abc",
    ),
    "number release": Verb("number release masking", {"masking": "ABcD"}, {"masking": "abcD"}, items="abc"),
    "number remove": Verb(
        "number remove masking", {"masking": "aBcDf"}, {"masking": "Df"}, items="abc", destructive=True
    ),
    "number remove --restore-webhooks": Verb(
        "number remove masking --restore-webhooks",
        earlier="number add",
        before={"masking": "Abcd"},
        after={"masking": "b", "OWN": "c"},
        items="acd",
        destructive=True,
    ),
    "number drain": Verb("number drain masking", {"masking": "aBcf"}, {"masking": "ABCf"}, items="abc"),
    "number drain --remove": Verb(
        "number drain masking --remove",
        {"masking": "aBcDf"},
        {"masking": "Df"},
        items="abc",
        destructive=True,
    ),
    "number move": Verb(
        MOVE,
        {"masking": "aBcDf", "other": "E"},
        {"masking": "Df", "other": "aBcE"},
        items="abc",
        destructive=True,
    ),
    "number move --through-messaging": Verb(
        f"{MOVE} --through-messaging",
        {"masking": "aBcf", "other": "", "MG": "a"},
        {"masking": "f", "other": "aBc", "MG": "a"},
        items="abc",
        destructive=True,
        back_by=("--through-messaging",),
    ),
    "number remove --through-messaging": Verb(
        "number remove masking --through-messaging",
        {"masking": "aBcf", "MG": "ab"},
        {"masking": "f", "MG": ""},
        items="abc",
        destructive=True,
    ),
    "number drain --remove --through-messaging": Verb(
        "number drain masking --remove --through-messaging",
        {"masking": "aBcf", "MG": "ab"},
        {"masking": "f", "MG": ""},
        items="abc",
        destructive=True,
    ),
    "number webhooks": Verb(
        f"number webhooks masking --voice-url {OWN_URL} --sms-url {OWN_URL}",
        {"masking": "aBcDf"},
        {"masking": "aBcDf", "OWN": "abc"},
        items="abc",
        destructive=True,  # they point away from Proxy then
    ),
    "pool apply --through-messaging": Verb(
        "pool apply POOL --prune --through-messaging --allow lose-half",
        {"masking": "aBcdf", "other": "e", "MG": "ac"},
        {"masking": "Bf", "other": "ace", "MG": "ac"},
        destructive=True,
        back_by=("--through-messaging",),
    ),
    "pool apply": Verb(
        "pool apply POOL --prune",
        before={"masking": "abC", "other": "E", "fresh": ""},
        after=APPLIED,
        destructive=True,
    ),
    "pool apply of a new Service": Verb(
        "pool apply POOL --prune --allow take-over --allow new-service",
        before={"masking": "ab", "OWN": "c"},
        after={"masking": "a", "new": "bC", "new.default_ttl": 60},
        destructive=True,
        back={"masking": "ab", "new": "", "new.default_ttl": 60, "OWN": "c"},
    ),
    "history undo": Verb(
        "history undo RUN",
        earlier="pool apply",
        before=APPLIED,
        after={"masking": "abC", "other": "E", "fresh": ""},
        destructive=True,
    ),
    "messaging attach": Verb(
        ATTACH,
        {"masking": "aBc", "MG": "c"},
        {"masking": "aBc", "MG": "abc"},
        items="abc",
        destructive=True,
    ),
    "session create": Verb(
        "session create masking --unique-name a --if-not-exists --ttl 1m"
        " --participant +14155550199 --participant +14155550188",
        {"masking": "ab"},
        {"masking": "ab", "SESSIONS": "A60''"},
        undone=5,
    ),
    "session update": Verb(
        "session update masking a --ttl 90s",
        {"masking": "", "SESSIONS": "A60b"},
        {"masking": "", "SESSIONS": "A90b"},
    ),
    "session close": Verb(
        "session close masking",
        {"masking": "a", "SESSIONS": "A'BCd"},
        {"masking": "a", "SESSIONS": "a'bCd"},
        sessions="abd",
        destructive=True,
    ),
    "session delete": Verb(
        "session delete masking",
        {"masking": "a", "SESSIONS": "A'BcD"},
        {"masking": "a", "SESSIONS": "BD"},
        sessions="ac",
        destructive=True,
        undone=5,
    ),
    "participant add": Verb(
        "participant add masking a +14155550199",
        {"masking": "a", "SESSIONS": "A"},
        {"masking": "a", "SESSIONS": "A'"},
        undone=5,
    ),
    "participant remove": Verb(
        "participant remove masking a +14155551001",
        {"masking": "a", "SESSIONS": "A'"},
        {"masking": "a", "SESSIONS": "A"},
        destructive=True,
        rows=False,
        undone=5,
    ),
    "api": Verb(
        "api POST /v1/Services -d UniqueName=fresh",
        after={"fresh": ""},
        again=5,
        locks=False,
        rows=False,
        verified=False,
        undone=5,
    ),
}
NO_RUNS = {"sandbox reset", "profile remove", "auth logout"}  # they change what is on this machine alone
