"""Which handler answers which path: the only table of paths, so that what is emulated stands in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from proxyctl.sandbox.api import incoming_numbers, messaging, phone_numbers, services, sessions
from proxyctl.sandbox.api.fields import is_storable
from proxyctl.sandbox.context import Context, Reply

Handler = Callable[[Context], Reply]

_SERVICE = "/v1/Services/{ServiceSid}"
_SESSION = f"{_SERVICE}/Sessions/{{SessionSid}}"
_SENDERS = "/messaging/v1/Services/{ServiceSid}/PhoneNumbers"
_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"

_NO_SESSION: dict[str, Handler] = {
    "GET": sessions.no_session,
    "POST": sessions.no_session,
    "DELETE": sessions.no_session,
}
_NO_SHORT_CODE: dict[str, Handler] = {
    "GET": sessions.no_short_code,
    "POST": sessions.no_short_code,
    "DELETE": sessions.no_short_code,
}

ROUTES: dict[str, dict[str, Handler]] = {
    "/v1/Services": {"GET": services.list_services, "POST": services.create_service},
    "/v1/Services/{Sid}": {
        "GET": services.fetch_service,
        "POST": services.update_service,
        "DELETE": services.delete_service,
    },
    f"{_SERVICE}/PhoneNumbers": {
        "GET": phone_numbers.list_phone_numbers,
        "POST": phone_numbers.add_phone_number,
    },
    f"{_SERVICE}/PhoneNumbers/{{Sid}}": {
        "GET": phone_numbers.fetch_phone_number,
        "POST": phone_numbers.update_phone_number,
        "DELETE": phone_numbers.remove_phone_number,
    },
    f"{_SERVICE}/Sessions": {"GET": sessions.list_sessions, "POST": sessions.not_emulated},
    _SESSION: _NO_SESSION,
    f"{_SESSION}/Participants": _NO_SESSION,
    f"{_SESSION}/Participants/{{ParticipantSid}}": _NO_SESSION,
    f"{_SESSION}/Participants/{{ParticipantSid}}/MessageInteractions": _NO_SESSION,
    f"{_SESSION}/Participants/{{ParticipantSid}}/MessageInteractions/{{Sid}}": _NO_SESSION,
    f"{_SESSION}/Interactions": _NO_SESSION,
    f"{_SESSION}/Interactions/{{Sid}}": _NO_SESSION,
    f"{_SERVICE}/ShortCodes": {"GET": sessions.list_short_codes, "POST": sessions.not_emulated},
    f"{_SERVICE}/ShortCodes/{{Sid}}": _NO_SHORT_CODE,
    "/messaging/v1/Services": {
        "GET": messaging.list_messaging_services,
        "POST": messaging.create_messaging_service,
    },
    "/messaging/v1/Services/{ServiceSid}": {
        "GET": messaging.fetch_messaging_service,
        "POST": messaging.update_messaging_service,
        "DELETE": messaging.delete_messaging_service,
    },
    _SENDERS: {"GET": messaging.list_senders, "POST": messaging.add_sender},
    f"{_SENDERS}/{{Sid}}": {"GET": messaging.fetch_sender, "DELETE": messaging.remove_sender},
    f"{_ACCOUNT}.json": {"GET": incoming_numbers.fetch_account},
    f"{_ACCOUNT}/IncomingPhoneNumbers.json": {
        "GET": incoming_numbers.list_incoming_numbers,
        "POST": sessions.not_emulated,
    },
    f"{_ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json": {
        "GET": incoming_numbers.fetch_incoming_number,
        "POST": incoming_numbers.update_incoming_number,
    },
}


@dataclass(frozen=True, slots=True)
class Match:
    """A path that is known: its pattern (as in ``ROUTES``), the methods it takes, and its SIDs by name."""

    pattern: str
    handlers: Mapping[str, Handler]
    names: Mapping[str, str]

    @property
    def service_sid(self) -> str | None:
        """The Service that the path lies under, for what is counted for each Service."""
        return self.names.get("ServiceSid") or self.names.get("Sid")


def _compile(pattern: str) -> list[tuple[str, str, str]]:
    """Each segment as (literal, name, suffix): ``Services``, or ``{Sid}`` with or without ``.json``."""
    compiled = []
    for segment in pattern.split("/")[1:]:
        found = re.fullmatch(r"\{(\w+)\}(.*)", segment)
        compiled.append(("", found[1], found[2]) if found else (segment, "", ""))
    return compiled


_BY_LENGTH: dict[int, list[tuple[str, list[tuple[str, str, str]]]]] = {}
for _pattern in ROUTES:
    _compiled = _compile(_pattern)
    _BY_LENGTH.setdefault(len(_compiled), []).append((_pattern, _compiled))


def find(path: str) -> Match | None:
    """Return what a raw path (percent-encoded) leads to; None for an unknown or unreadable one."""
    segments = [unquote(segment, errors="surrogateescape") for segment in path.split("/")[1:]]
    if not path.startswith("/") or not all(map(is_storable, segments)):
        return None
    for pattern, compiled in _BY_LENGTH.get(len(segments), ()):
        names = _match(compiled, segments)
        if names is not None:
            return Match(pattern, ROUTES[pattern], names)
    return None


def _match(compiled: list[tuple[str, str, str]], segments: list[str]) -> dict[str, str] | None:
    names = {}
    for (literal, name, suffix), segment in zip(compiled, segments, strict=True):
        if not name:
            if segment != literal:
                return None
        elif len(segment) > len(suffix) and segment.endswith(suffix):
            names[name] = segment.removesuffix(suffix)
        else:
            return None
    return names
