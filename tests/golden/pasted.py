"""What a text calls a command, ready to be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.support import Ran

QUOTED = re.compile(r"'(proxyctl [^'\n]*)'|`(proxyctl [^`\n]*)`|(?m:^ *(?:\$ |→ )?(proxyctl [a-z-].*)$)")
CUT = re.compile(r"(\.\.\.|…)$|VALUE|\[\^|\{")  # in a column, of an f-string, of a pattern
# Sentences that begin like a command, errors, and what runs until it is stopped.
NOT_RUN = re.compile(
    r"proxyctl (demo: each|sends |sandbox (serve|exec)|number release masking-prod -f -)|[^ ]* [^ ]*: "
)
NUMBERS_FILE = (
    "phone_number,object,line\n{0},{0},{0}\n"  # as a command without -f FILE of its own is given one
)
NAMES = {
    "FIELD": "callback-url",
    "CODE": "80601",
    "TOPIC": "rules",
    "PROFILE": "sandbox",
    "CC": "US",
    "NAME": "named",
    "DIR": ".",
    **dict.fromkeys(("URL", "CALLBACK_URL", "VOICE_URL", "SMS_URL"), "https://example.com/x"),
    "PATH": "/v1/Services",
    "ACCOUNT": ACCOUNT_SID,
}


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands that stand in a text, without what a shell does with their output."""
    for found in QUOTED.finditer(re.sub(r"\\\n +", "", text)):
        command = next(filter(None, found.groups()))
        command = re.split(r" \|(?: |$)| \\$| [<>] | # | &", command)[0].strip()
        if not NOT_RUN.match(command) and not CUT.search(command):
            yield command


def filled(command: str, words: Mapping[str, str]) -> list[str]:
    """Return the words of a command, with ``words`` in place of those in capitals."""
    text = re.sub(r"\b(KS|MG)…", lambda sid: words[sid[1]], command)
    text = re.sub(r"\b[A-Z][A-Z_]+\b", lambda word: words.get(word[0], NAMES.get(word[0], word[0])), text)
    split = shlex.split(text, comments=True)[1:]
    if split[:2] == ["auth", "login"]:
        return [*split, "-h"]  # it asks, and connects
    if "--wait" in split:
        split += ["--deadline", "60s"]
    file = "pool.toml" if split[:1] == ["pool"] else "numbers.csv"
    return [file if word in ("FILE", "-") or re.search(r"\w\.(csv|txt)$", word) else word for word in split]


def runs(ran: Ran) -> bool:
    """Whether a command was one: no usage error but that of a question which was answered with no."""
    return ran.code != 1 and (ran.code != 2 or "not confirmed" in ran.err)
