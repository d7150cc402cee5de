"""One entry of the table, and the short form of it that an error carries."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from proxyctl.errors import ExitCode, ProxyctlError

DICTIONARY = "https://www.twilio.com/docs/errors/{}"

_SERVICE = re.compile(r"\bKS[0-9a-fA-F]{32}\b")
_NUMBER = re.compile(r"\bPN[0-9a-fA-F]{32}\b")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code in words. ``next`` holds what to do, the likeliest first; commands stand in single quotes there.

    SERVICE and NUMBER in ``next`` stand for the reader's own. ``exit_code`` is what a command ends with that
    meets the code, None for those that Twilio only writes to its own log.
    """

    code: int
    title: str
    meaning: str
    causes: tuple[str, ...]
    next: tuple[str, ...]
    more_info: str | None
    exit_code: int | None

    def row(self) -> dict[str, Any]:
        """Return the fields as ``-o json`` prints them."""
        return asdict(self)

    def advice(self, service: str | None = None, number: str | None = None) -> str:
        """Return the first thing to do, with SERVICE and NUMBER filled in where they are known."""
        text = self.next[0]
        for word, value in (("SERVICE", service), ("NUMBER", number)):
            if value:
                text = re.sub(rf"\b{word}\b", lambda _: value, text)  # noqa: B023
        return text


def twilio(
    code: int,
    title: str,
    meaning: str,
    causes: tuple[str, ...],
    next: tuple[str, ...],  # noqa: A002
    exit_code: ExitCode | None = ExitCode.REFUSED,
) -> Explanation:
    """Return the entry of one of Twilio's codes, with the link to its dictionary."""
    return Explanation(code, title, meaning, causes, next, DICTIONARY.format(code), exit_code)


def hint_for(error: ProxyctlError, *, number: str | None = None) -> str | None:
    """Return what to say next about ``error``: its own hint, else what its code means and what to type.

    The Service and the number are taken from the path that the error names, unless ``number`` says more.
    """
    from proxyctl.explaining.table import twilio_code

    found = twilio_code(error.problem.code) if error.problem else None
    if error.hint is not None or found is None:
        return error.hint
    service = _SERVICE.search(error.message)
    named = _NUMBER.search(error.message)
    number = number or (named.group() if named else None)
    return f"{found.meaning}\n{found.advice(service.group() if service else None, number)}"
