"""The values of resources: how each parameter of a form is read, and how dates, SIDs and capabilities are shown.

A reader takes the context, the parameter's name and its text, and returns what is stored, or refuses it.
"""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from proxyctl.sandbox.context import Context

_URL_AT_MOST = 4000
# Text that neither UTF-8 nor Twilio's JSON can carry; SQLite would take the NUL and raise on the surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")

Reader = Callable[[Context, str, str], Any]
Parameters = Mapping[str, tuple[str, Reader]]  # the parameter, the column that it goes to, and how it is read


def read_form(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The columns that the form sets; unknown parameters are ignored, as Twilio does."""
    return {
        column: read(context, parameter, context.form[parameter])
        for parameter, (column, read) in parameters.items()
        if parameter in context.form
    }


def optional(read: Reader, empty: str | None = None) -> Reader:
    """Let no text stand for ``empty``."""
    return lambda context, parameter, text: read(context, parameter, text) if text else empty


def required(read: Reader) -> Reader:
    """Refuse blank text."""

    def read_some(context: Context, parameter: str, text: str) -> Any:
        if not text.strip():
            raise context.invalid(parameter, "must not be empty")
        return read(context, parameter, text)

    return read_some


def text_of(most: int) -> Reader:
    """Read at most so many characters."""

    def read(context: Context, parameter: str, text: str) -> str:
        if len(text) > most:
            raise context.invalid(parameter, f"must be at most {most} characters long")
        return text

    return read


def flag(context: Context, parameter: str, text: str) -> bool:
    """Read ``true`` or ``false`` in any case."""
    if text.lower() not in ("true", "false"):
        raise context.invalid(parameter, "must be true or false")
    return text.lower() == "true"


def whole(least: int, most: int) -> Reader:
    """Read a whole number in these bounds."""

    def read(context: Context, parameter: str, text: str) -> int:
        if re.fullmatch("[0-9]{1,10}", text) is None or not least <= int(text) <= most:
            raise context.invalid(parameter, f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def member(*members: str) -> Reader:
    """Read one of these words."""

    def read(context: Context, parameter: str, text: str) -> str:
        if text not in members:
            raise context.invalid(parameter, f"must be one of {', '.join(members)}")
        return text

    return read


def sid(prefix: str) -> Reader:
    """Read a SID of this kind."""

    def read(context: Context, parameter: str, text: str) -> str:
        if not is_sid(prefix, text):
            raise context.invalid(parameter, f"must be {'an' if prefix[0] in 'AI' else 'a'} {prefix} SID")
        return text

    return read


def method(guess: str = "bad_parameter") -> Reader:
    """Read GET or POST in any case; ``guess`` names the code of the refusal."""

    def read(context: Context, parameter: str, text: str) -> str:
        if text.upper() not in ("GET", "POST"):
            raise context.invalid(parameter, "must be GET or POST", guess)
        return text.upper()

    return read


def url(guess: str = "bad_parameter") -> Reader:
    """Read an absolute URL; ``guess`` names the code of the refusal."""

    def read(context: Context, parameter: str, text: str) -> str:
        if len(text) > _URL_AT_MOST:
            raise context.invalid(parameter, f"must be at most {_URL_AT_MOST} characters long", guess)
        if web_host(text) is None:
            raise context.invalid(parameter, "must be an absolute http or https URL", guess)
        return text

    return read


def web_host(text: str) -> str | None:
    """The host of an absolute http(s) URL in lower case; None where ``text`` is no such URL."""
    if _NOT_IN_URLS.search(text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is out of range
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") and parts.hostname else None


def is_sid(prefix: str, text: str) -> bool:
    """Return whether ``text`` is a SID of the kind ``prefix``."""
    return re.fullmatch(prefix + "[0-9a-fA-F]{32}", text) is not None


def is_storable(text: str) -> bool:
    """Return whether ``text`` is free of NUL and lone surrogates."""
    return _UNSTORABLE.search(text) is None


@functools.lru_cache(maxsize=4096)
def iso_date(seconds: int) -> str:
    """``2015-07-30T20:00:00Z``, as Proxy and Messaging write dates."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@functools.lru_cache(maxsize=256)
def capabilities(stored: str) -> dict[str, bool]:
    """The map of capabilities; shared between callers, so not to be changed."""
    decoded: dict[str, bool] = json.loads(stored)
    return decoded
