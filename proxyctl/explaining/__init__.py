"""What codes mean, why they come up and what to type next (Twilio's, HTTP's statuses, our own exit codes), and how an
error says so: one short paragraph for people, or one JSON object for programs.

The words stand in ``codes.toml``, so that errors, `proxyctl explain` and the man pages say the same. It is read when
the first code is explained; nothing here needs a network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from proxyctl.errors import CheckError, Problem, ProxyctlError, SummaryError, TemporaryError
from proxyctl.roles import Line, Piece, Role, line, lines_of, with_counts
from proxyctl.text import Lines, lines_in, with_account

DICTIONARY = "https://www.twilio.com/docs/errors/{}"
NEAR = 3

# Numbers never collide: exit codes lie below 100 (and 129, 130, 143), HTTP statuses below 600, Twilio's codes above.
LEAST_OF_TWILIO = 1000

_SERVICE = re.compile(r"\bKS[0-9a-fA-F]{32}\b")
_NUMBER = re.compile(r"\bPN[0-9a-fA-F]{32}\b")


class Explanation(NamedTuple):
    """A code in words. ``next`` holds what to do, the likeliest first; commands stand in single quotes there.

    SERVICE and NUMBER in ``next`` stand for the reader's own. ``exit_code`` is what a command ends with that
    meets the code, None for those that end none.
    """

    code: int
    title: str
    meaning: str
    causes: tuple[str, ...]
    next: tuple[str, ...]
    more_info: str | None
    exit_code: int | None

    def advice(self, service: str | None = None, number: str | None = None) -> str:
        """Return the first thing to do, with SERVICE and NUMBER filled in where they are known."""
        text = self.next[0]
        for word, value in (("SERVICE", service), ("NUMBER", number)):
            if value:
                text = re.sub(rf"\b{word}\b", lambda _: quote(value), text)  # noqa: B023
        return text


def explanation_of(code: int) -> Explanation | None:
    """Return the entry of ``code``, None where there is none. Raises OSError where the file can't be read."""
    entry = _entries().get(str(code))
    if entry is None:
        return None
    return Explanation(
        code,
        entry["title"],
        entry["meaning"],
        tuple(entry.get("causes", ())),
        tuple(entry["next"]),
        DICTIONARY.format(code) if code >= LEAST_OF_TWILIO else None,
        entry.get("exit_code"),
    )


def twilio_code(code: int | None) -> Explanation | None:
    """Return the entry of a code that an answer bore; a server's small number is none of our exit codes.

    None also where the file can't be read: with too many files open, an error has to be reported all the same.
    """
    try:
        return None if code is None or code < LEAST_OF_TWILIO else explanation_of(code)
    except OSError:
        return None


def hint_for(error: ProxyctlError, *, number: str | None = None) -> str | None:
    """Return what to say next about ``error``: its own hint, else what its code means and what to type.

    The Service and the number are taken from the path that the error names, unless ``number`` says more.
    """
    found = None if error.hint is not None or error.problem is None else twilio_code(error.problem.code)
    if found is None:
        return error.hint
    service = _SERVICE.search(error.message)
    named = _NUMBER.search(error.message)
    number = number or (named.group() if named else None)
    return Lines(found.meaning, found.advice(service.group() if service else None, number))


def error_json(error: ProxyctlError, account: str = "", clean: Callable[[str], str] = str) -> str:
    """Return the error as one line of JSON: ``{"error": {kind, message, hint, status, code, …}}``."""
    return json.dumps({"error": error_object(error, account, clean)})


def error_object(error: ProxyctlError, account: str, clean: Callable[[str], str]) -> dict[str, Any]:
    """Return the error as programs read it; ``clean`` takes secrets out of its texts."""
    problem = error.problem
    return {
        "kind": error.kind,
        "message": clean(error.message),
        "hint": clean(with_account(hint_for(error) or "", account)) or None,
        "status": problem.status if problem else None,
        "code": problem.code if problem else None,
        "more_info": clean(more_info(problem) or "") or None,
        "request_id": clean(problem.request_id or "") or None if problem else None,
        "exit_code": int(error.exit_code),
    }


def error_lines(error: ProxyctlError, lead: Piece | None) -> list[Line]:
    """Return the paragraph: what failed and why, what to type next, where to read more, the request id."""
    hints = [f"  {sentence(text)}" for text in lines_in(hint_for(error) or "") if text]
    first, *more = lines_of(Lines(ended(error.message), *hints))
    facts = []
    if link := more_info(error.problem):
        facts.append(f"  More: {link}")
    if error.problem and error.problem.request_id:
        facts.append(f"  Request id: {error.problem.request_id}")
    return [
        Line([lead, Piece(" "), *first.pieces], hang=2) if lead else with_counts(ended(error.message)),
        *(line("  ", Piece(row, Role.BAD if mark else None)) for mark, row in enumerate(error.shown)),
        *more,
        *(line(Role.FAINT(fact)) for fact in facts),
    ]


def lead_of(error: ProxyctlError, *, terminal: bool) -> Piece | None:
    """Return the first word about an error: the program's name in a pipe, how bad it is on a terminal. The summary of
    a run stands there without one, below its failures.
    """
    if not terminal:
        return Piece("proxyctl:")
    if isinstance(error, TemporaryError):
        return Role.WARNING("temporary:")
    if isinstance(error, CheckError):
        return Role.WARNING("check:")
    return None if isinstance(error, SummaryError) else Role.BAD("error:")


def sentence(text: str) -> str:
    """Return a hint as a sentence: a capital at the start (of a word, not of a command), a full stop at the end."""
    first = text.partition(" ")[0]
    return ended(text[:1].upper() + text[1:] if first.isalpha() and first != "proxyctl" else text)


def ended(text: str) -> str:
    """Return ``text`` with a full stop where it ends in none; a command at its end is left as it can be typed."""
    typed = text.endswith("`") or text.rpartition(": ")[2].startswith(("proxyctl", "chmod", "sudo", "export"))
    return text if typed or not text or text[-1] in ".!?:…" or "\n" in text else text + "."


def more_info(problem: Problem | None) -> str | None:
    """Return the page about a problem: the one that the answer names, else that of Twilio's dictionary."""
    if problem is None:
        return None
    found = twilio_code(problem.code)
    return problem.more_info or (found.more_info if found else None)


def near_codes(code: int) -> list[Explanation]:
    """Return entries that may have been meant: with as many digits, most of them the same, and near in number."""
    from difflib import SequenceMatcher  # only for errors

    typed = str(code)

    def distance(other: str) -> tuple[int, float, int]:
        same = SequenceMatcher(None, typed, other).ratio()
        return abs(len(other) - len(typed)), -same, abs(int(other) - code)

    nearest = sorted(_entries(), key=distance)[:NEAR]
    return [found for other in nearest if (found := explanation_of(int(other)))]


@cache
def _entries() -> dict[str, dict[str, Any]]:
    """Return the file's tables by code."""
    import tomllib

    return tomllib.loads(Path(__file__).with_name("codes.toml").read_text(encoding="utf-8"))
