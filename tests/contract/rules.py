"""The table of rule × command: what each rule of the guard refuses of a command, and what permits it.

A row is needed for each command that a rule names. States are written as in `verbs.py`; ``BUSY`` has the numbers with
open Sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.contract.verbs import MOVE, OWN_URL, State


@dataclass(frozen=True)
class Refused:
    """One row: ``line`` is what is typed, with ``items``, on the stage ``before``.

    ``partly`` is the state after the refusal, where other rows go on; None: the whole run is refused. ``after`` is the
    state where it is permitted, by --allow of the rule and of those in ``also``, or by the option ``permit``. ``file``
    is what a pool file says, if not ``after``. ``earlier`` is the run that RUN names, with its items, ``then`` a later
    one, and ``meanwhile`` what others did since. ``judged``: the API refuses what is permitted.
    """

    line: str
    before: State
    after: State
    items: str = ""
    partly: State | None = None
    file: State | None = None
    earlier: tuple[str, str] | None = None
    then: tuple[str, str] | None = None
    meanwhile: State = field(default_factory=dict)
    also: tuple[str, ...] = ()
    permit: str = ""
    judged: bool = False
    typed: str = "yes"


UNDO = "history undo RUN"
PRUNE = "pool apply POOL --prune"
AWAY = f"number webhooks masking --voice-url {OWN_URL} --sms-url {OWN_URL}"

REFUSED: Mapping[tuple[str, str], Refused] = {
    ("no-unreserved", "add"): Refused(
        "number add masking --reserved", {"masking": "aB"}, {"masking": "AB"}, "a"
    ),
    ("no-unreserved", "reserve"): Refused(
        "number reserve masking", {"masking": "aB"}, {"masking": "AB"}, "a"
    ),
    ("no-unreserved", "drain"): Refused("number drain masking", {"masking": "abC"}, {"masking": "ABC"}, "ab"),
    ("no-unreserved", "remove"): Refused("number remove masking", {"masking": "aB"}, {"masking": "B"}, "a"),
    ("no-unreserved", "move"): Refused(
        MOVE, {"masking": "aB", "other": "c"}, {"masking": "B", "other": "ac"}, "a"
    ),
    ("no-unreserved", "webhooks"): Refused(
        AWAY, {"masking": "abC"}, {"masking": "abC", "OWN": "ab"}, "b", earlier=(AWAY, "a")
    ),
    ("no-unreserved", "apply"): Refused(
        "pool apply POOL", {"masking": "aB"}, {"masking": "AB"}, also=("lose-half",)
    ),
    ("no-unreserved", "undo"): Refused(
        UNDO,
        {"masking": "cd"},
        {"masking": "CD"},
        earlier=("number add masking", "ab"),
        then=("number reserve masking", "cd"),
    ),
    ("lose-half", "apply"): Refused(PRUNE, {"masking": "abcDE"}, {"masking": "aD"}),
    ("leave-messaging", "remove"): Refused(
        "number remove masking",
        {"masking": "abc", "MG": "a"},
        {"masking": "c", "MG": "a"},
        "ab",
        partly={"masking": "ac", "MG": "a"},
    ),
    ("leave-messaging", "drain"): Refused(
        "number drain masking --remove",
        {"masking": "aBc", "MG": "a"},
        {"masking": "c", "MG": "a"},
        "ab",
        partly={"masking": "ac", "MG": "a"},
    ),
    ("leave-messaging", "move"): Refused(
        MOVE,
        {"masking": "abc", "other": "d", "MG": "a"},
        {"masking": "c", "other": "abd", "MG": "a"},
        "ab",
        partly={"masking": "ac", "other": "bd", "MG": "a"},
        permit="--through-messaging",  # without it, the number would end in no pool
    ),
    ("leave-messaging", "apply"): Refused(
        PRUNE,
        {"masking": "abcd", "MG": "a"},
        {"masking": "cd", "MG": "a"},
        partly={"masking": "acd", "MG": "a"},
    ),
    ("leave-messaging", "undo"): Refused(
        UNDO,
        {"masking": "c"},
        {"masking": "c", "MG": "a"},
        partly={"masking": "ac", "MG": "a"},
        earlier=("number add masking", "ab"),
        meanwhile={"MG": "a"},
    ),
    ("leave-messaging", "service delete"): Refused(
        "service delete masking", {"masking": "ab", "MG": "a"}, {"MG": "a"}, typed="masking"
    ),
    ("take-over", "add"): Refused(
        "number add masking",
        {"masking": "c", "OWN": "a"},
        {"masking": "abc"},
        "ab",
        partly={"masking": "bc", "OWN": "a"},
    ),
    ("take-over", "reserve"): Refused(
        "number reserve masking --add",
        {"masking": "c", "OWN": "a"},
        {"masking": "ABc"},
        "ab",
        partly={"masking": "Bc", "OWN": "a"},
    ),
    ("take-over", "apply"): Refused(
        "pool apply POOL",
        {"masking": "c", "OWN": "a"},
        {"masking": "abc"},
        partly={"masking": "bc", "OWN": "a"},
    ),
    ("take-over", "undo"): Refused(
        UNDO,
        {"masking": "abc"},
        {"masking": "abc"},
        partly={"masking": "bc", "OWN": "a"},
        earlier=("number remove masking", "ab"),
        meanwhile={"OWN": "a"},
    ),
    ("in-use", "remove"): Refused(
        "number remove masking",
        {"masking": "abc", "BUSY": "a"},
        {"masking": "ac", "BUSY": "a"},
        "ab",
        partly={"masking": "ac", "BUSY": "a"},
        judged=True,
    ),
    ("in-use", "move"): Refused(
        MOVE,
        {"masking": "abc", "other": "d", "BUSY": "a"},
        {"masking": "ac", "other": "bd", "BUSY": "a"},
        "ab",
        partly={"masking": "ac", "other": "bd", "BUSY": "a"},
        judged=True,
    ),
    ("in-use", "apply"): Refused(
        PRUNE,
        {"masking": "abcd", "BUSY": "a"},
        {"masking": "acd", "BUSY": "a"},
        file={"masking": "cd"},
        partly={"masking": "acd", "BUSY": "a"},
        judged=True,
    ),
    ("in-use", "undo"): Refused(
        UNDO,
        {"masking": "c"},
        {"masking": "ac", "BUSY": "a"},
        partly={"masking": "ac", "BUSY": "a"},
        earlier=("number add masking", "ab"),
        meanwhile={"BUSY": "a"},
        judged=True,
    ),
    ("in-use", "service delete"): Refused(
        "service delete masking", {"masking": "ab", "BUSY": "a"}, {}, typed="masking"
    ),
    ("new-service", "apply"): Refused(
        "pool apply POOL",
        {"masking": "c"},
        {"masking": "bc", "Masking": "a"},
        partly={"masking": "bc"},
    ),
}
# Held elsewhere: a full pool takes 500 numbers, and every command with a FILE is tested for one without a number.
ELSEWHERE = {("leave-first", "apply"): "tests/golden/writes/apply.txt"}
# Commands that no rule concerns: they take nothing away, or set settings and Services alone.
UNCONCERNED = {
    *("service create", "service update", "messaging attach", "api", "participant add", "participant remove"),
    *("session create", "session update", "session close", "session delete"),
}
