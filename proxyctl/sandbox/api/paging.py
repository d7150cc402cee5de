"""Collections: finding one resource by its SID, and listing them in pages.

A page's token names the last insertion id that was shown, so pages neither skip nor repeat a row while others come
and go.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from proxyctl.sandbox.api.fields import is_sid
from proxyctl.sandbox.context import Context, Reply
from proxyctl.sandbox.wire import ApiError

_DEFAULT_SIZE = 50
_ASKED_AT_MOST = 1000
_TOKEN = re.compile("(P[AB])([0-9a-f]{1,15})([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Collection:
    """The resources of one kind below ``path``: how they are selected, shown and refused.

    ``select`` ends in a WHERE clause, whose parameter is the id of the ``parent``; ``sid`` and ``id`` are its columns.
    ``present`` is given a row and the row's URL. ``missing`` is the code of old for a resource that isn't there.
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
        parameters, largest = self._parameters(context), context.rules.max_page_size
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
        return 200, {"meta": meta, self.key: [self.show(context, row) for row in page.rows]}

    def _url(self, context: Context) -> str:
        return context.base_url + self.path.format_map(context.names)

    def _parameters(self, context: Context) -> tuple[int, ...]:
        """The parameters of ``select``; the refusal where the parent isn't there."""
        if self.parent is None:
            return ()
        return (self.parent.find(context, context.names["ServiceSid"])["id"],)


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
    size, number, token = _asked(context)
    size = min(size, largest)
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


def _asked(context: Context) -> tuple[int, int, str | None]:
    """PageSize, Page and PageToken of the query."""
    size = _whole(context, "PageSize", _DEFAULT_SIZE)
    if size > _ASKED_AT_MOST:
        raise ApiError(context.rules.page_size_too_large)
    if size < 1:
        raise ApiError(context.rules.bad_parameter, "PageSize must be from 1 to 1000")
    number, token = _whole(context, "Page", 0), context.query.get("PageToken") or None
    if token is None and number > 0:
        raise ApiError(context.rules.bad_page_token, "A Page above 0 needs its PageToken")
    return size, number, token


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
