"""What resources share: how each parameter of a form is read, how dates, SIDs and capabilities are shown, and
collections, which find one resource by its SID and list all in pages.

A reader takes the context, the parameter's name and its text, and returns what is stored, or refuses it. A page's token
names the last insertion id that was shown, so pages neither skip nor repeat a row while others come and go.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from proxyctl.sandbox.context import ApiError, Context, Reply

_URL_AT_MOST = 4000
# Text that neither UTF-8 nor Twilio's JSON can carry; SQLite would take the NUL and raise on the surrogates.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")
Reader = Callable[[Context, str, str], Any]
Parameters = Mapping[str, tuple[str, Reader]]  # the parameter, the column that it goes to, and how it is read
_DEFAULT_SIZE = 50
PAGE_AT_MOST = 1000  # that may be asked for, and that the Messaging and 2010 APIs give
_TOKEN = re.compile("(P[AB])([0-9a-f]{1,15})([0-9a-f]{16})")


def read_form(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The columns that the form sets; unknown parameters are ignored, as Twilio does."""
    return {
        column: read(context, parameter, storable(context, parameter, context.form[parameter]))
        for parameter, (column, read) in parameters.items()
        if parameter in context.form
    }


def storable(context: Context, parameter: str, text: str) -> str:
    """Read text that a database can hold."""
    if not is_storable(text):
        raise context.invalid(parameter, "is not valid UTF-8 text")
    return text


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


def dates(row: sqlite3.Row, *names: str) -> dict[str, str | None]:
    """These dates of a row as Proxy writes them; None for what has not happened."""
    return {name: None if row[name] is None else iso_date(row[name]) for name in names}


@functools.lru_cache(maxsize=256)
def capabilities(stored: str) -> dict[str, bool]:
    """The map of capabilities; shared between callers, so not to be changed."""
    decoded: dict[str, bool] = json.loads(stored)
    return decoded


@dataclass(frozen=True, slots=True)
class Collection:
    """The resources of one kind below ``path``: how they are selected, shown and refused.

    ``select`` ends in a WHERE clause, whose parameter is the id of the ``parent``; ``sid`` and ``id`` are its columns.
    ``present`` is given a row and the row's URL. ``missing`` is the code of old for a resource that isn't there, and
    ``name`` is how the paths of what lies below one of these call its SID.
    """

    path: str
    key: str
    prefix: str
    select: str
    present: Callable[[Context, sqlite3.Row, str], dict[str, Any]]
    parent: Collection | None = None
    sid: str = "sid"
    id: str = "id"
    missing: int | None = None
    name: str = "ServiceSid"
    largest: int | None = None  # page; None: as the rules have it for Proxy

    def find(self, context: Context, sid: str | None = None) -> sqlite3.Row:
        """The resource that ``sid`` (by default the path) names, or the refusal for one that isn't there."""
        sid = context.names["Sid"] if sid is None else sid
        parameters = self._parameters(context)
        if is_sid(self.prefix, sid):
            row = context.row(f"{self.select} AND {self.sid} = ?", *parameters, sid)
            if row is not None:
                return row
        raise context.missing(self.missing)

    def show(self, context: Context, row: sqlite3.Row) -> dict[str, Any]:
        """A resource as the API shows it."""
        return self.present(context, row, f"{self._url(context)}/{row['sid']}")

    def fetch(self, context: Context) -> Reply:
        """GET of one resource."""
        return 200, self.show(context, self.find(context))

    def list(self, context: Context) -> Reply:
        """GET of one page, in the envelope of Proxy and Messaging (``meta``)."""
        url = self._url(context)
        parameters, largest = self._parameters(context), self.largest or context.rules.max_page_size
        page = read_page(context, url, self.select, parameters, key=self.id, largest=largest)
        meta = {
            "page": page.number,
            "page_size": page.size,
            "first_page_url": page.first,
            "previous_page_url": page.previous,
            "url": page.own,
            "next_page_url": page.next,
            "key": self.key,
        }
        return 200, {
            "meta": meta,
            self.key: [self.present(context, row, f"{url}/{row['sid']}") for row in page.rows],
        }

    def _url(self, context: Context) -> str:
        return context.base_url + self.path.format_map(context.names)

    def _parameters(self, context: Context) -> tuple[int, ...]:
        """The parameters of ``select``; the refusal where the parent isn't there."""
        if self.parent is None:
            return ()
        return (self.parent.find(context, context.names[self.parent.name])["id"],)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its rows, oldest first, and the URLs of itself and of its neighbours."""

    number: int
    size: int
    rows: list[sqlite3.Row]
    first: str
    previous: str | None
    own: str
    next: str | None


def read_page(
    context: Context,
    url: str,
    select: str,
    parameters: Sequence[object],
    *,
    key: str = "id",
    largest: int,
    filters: Sequence[tuple[str, str]] = (),
) -> Page:
    """Read the page of the list at ``url`` that the query asks for. ``select`` ends in a WHERE clause.

    One row more than the page is asked for, to learn whether there is a next page.
    """
    scope = f"{url.removeprefix(context.base_url)}?{filters}"
    size, number, token = _asked(context, largest)
    direction, bound = _read_token(context, scope, token) if token else ("PA", 0)
    backwards = direction == "PB"
    comparison, order = ("<", "DESC") if backwards else (">", "ASC")
    found = context.db.execute(
        f"{select} AND {key} {comparison} ? ORDER BY {key} {order} LIMIT ?", (*parameters, bound, size + 1)
    ).fetchall()
    rows = found[:size]
    if backwards:
        rows.reverse()
    first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (bound + 1, bound - 1)

    def at(page: int, token: str | None) -> str:
        pairs = [*filters, ("PageSize", str(size)), ("Page", str(page))]
        return f"{url}?{urlencode([*pairs, ('PageToken', token)] if token else pairs)}"

    return Page(
        number,
        size,
        rows,
        first=at(0, None),
        previous=at(number - 1, _write_token(scope, "PB", first)) if number > 0 else None,
        own=at(number, token),
        next=at(number + 1, _write_token(scope, "PA", last)) if backwards or len(found) > size else None,
    )


def _asked(context: Context, largest: int) -> tuple[int, int, str | None]:
    """PageSize (at most ``largest``), Page and PageToken of the query."""
    size = _whole(context, "PageSize", _DEFAULT_SIZE)
    if size > PAGE_AT_MOST:
        raise ApiError(context.rules.page_size_too_large)
    if size < 1:
        raise ApiError(context.rules.bad_parameter, "PageSize must be from 1 to 1000")
    number, token = _whole(context, "Page", 0), context.query.get("PageToken") or None
    if token is None and number > 0:
        raise ApiError(context.rules.bad_page_token, "A Page above 0 needs its PageToken")
    return min(size, largest), number, token


def _whole(context: Context, parameter: str, default: int) -> int:
    text = context.query.get(parameter, "")
    if text == "":
        return default
    if re.fullmatch("[0-9]+", text) is None:
        raise ApiError(context.rules.bad_parameter, f"{parameter} is not a valid number")
    return int(text) if len(text) <= 9 else 10**9


def _read_token(context: Context, scope: str, token: str) -> tuple[str, int]:
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(_seal(scope, match[1], match[2]), match[3]):
        raise ApiError(context.rules.bad_page_token)
    return match[1], int(match[2], 16)


def _write_token(scope: str, direction: str, key: int) -> str:
    return f"{direction}{key:x}{_seal(scope, direction, f'{key:x}')}"


def _seal(scope: str, direction: str, key: str) -> str:
    return hashlib.blake2b(
        f"{direction}{key} {scope}".encode("utf-8", "replace"), digest_size=8, key=b"proxyctl sandbox"
    ).hexdigest()
