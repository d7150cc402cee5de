"""Whose data there are. Proxy and Messaging take the account from the credentials, whatever Account SID the client
expects: a main account's key with a subaccount's SID works on the main account. Only their answers show it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proxyctl.api.resources import Call
from proxyctl.errors import AuthenticationError
from proxyctl.identifiers import is_sid
from proxyctl.text import Lines, command_line

OnStranger = Callable[[AuthenticationError], None]


def end_at(error: AuthenticationError) -> None:
    """Let the credentials of another account be the end."""
    raise error


class Owner:
    """The account that answers have shown, beside the ``expected`` one. ``sid`` is None until one has shown it.

    ``on_stranger`` gets the error of credentials that are another account's: it raises it, or warns. Writes are refused
    in any case, unless ``any_account`` is set.
    """

    def __init__(self, expected: str, on_stranger: OnStranger = end_at) -> None:
        self.expected = expected
        self.sid: str | None = None
        self.any_account = False
        self._on_stranger = on_stranger

    @property
    def stranger(self) -> AuthenticationError | None:
        """The error where it is another account; None where no answer has shown that."""
        if self.sid is None or self.sid.lower() == self.expected.lower():
            return None
        return AuthenticationError(
            f"this key belongs to {self.sid}, the profile says {self.expected}.",
            hint=f"Use a key of {self.expected}. Or use this key with {self.sid}: set TWILIO_ACCOUNT_SID to it, or run "
            "'proxyctl auth login'.",
        )

    def check(self, call: Call) -> None:
        """Before a call: no write goes to another account."""
        error = self.stranger if call.writes and not self.any_account else None
        if error is not None:
            raise error

    def learn(self, call: Call, body: Any) -> None:
        """After a call: take from its answer whose data there are, and say where they are another account's."""
        owner, known = owner_of(call, body), self.stranger
        if owner is None or (known is not None and not call.creates):
            return
        self.sid = owner if known is None else self.sid
        error = self.stranger
        if error is None:
            return
        if call.creates:  # nothing was there that could have shown it before
            error.message = f"{body['sid']} was created, but {error.message}"
            delete = command_line("api", "DELETE", f"{call.path}/{body['sid']}")
            error.hint = Lines(f"'{delete}' deletes it.", error.hint)
            error.may_have_happened = True
        self._on_stranger(error)


def owner_of(call: Call, body: Any) -> str | None:
    """Return the account whose data an answer of Proxy or Messaging holds, None where it does not say.

    The account's numbers are those of the account in their path, which may be another than that of the credentials.
    """
    if call.path.startswith("/2010-04-01/") or not isinstance(body, dict):
        return None
    rows = [body, *(row for value in body.values() if isinstance(value, list) for row in value[:1])]
    found = (row.get("account_sid") for row in rows if isinstance(row, dict))
    return next((sid for sid in found if isinstance(sid, str) and is_sid("AC", sid)), None)
