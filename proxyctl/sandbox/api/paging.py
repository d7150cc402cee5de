"""Lists in pages: reading PageSize, Page and PageToken, choosing rows by keyset, and writing the page's URLs.

A token names the last insertion id that was shown, so pages neither skip nor repeat a row while others come
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

from proxyctl.sandbox.api.problems import ApiError
from proxyctl.sandbox.context import Context, Reply

_DEFAULT_SIZE = 50
_ASKED_AT_MOST = 1000
_TOKEN = re.compile("(P[AB])([0-9a-f]{1,15})([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows a page shows: those after an id, or, walking back, those before one."""

    page: int
    size: int
    after: int | None = None
    before: int | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a window, oldest first, and the tokens of its neighbours."""

    window: Window
    rows: list[sqlite3.Row]
    next_token: str | None
    previous_token: str | None


def read_window(context: Context, scope: str, largest: int) -> Window:
    """Read the page parameters of the query; ``scope`` is the list that a token must belong to."""
    guesses = context.rules.guesses
    size = _whole(context, "PageSize", _DEFAULT_SIZE)
    if size > _ASKED_AT_MOST:
        raise ApiError(guesses.page_size_too_large)
    if size < 1:
        raise ApiError(guesses.bad_page_parameter, "PageSize must be from 1 to 1000")
    page = _whole(context, "Page", 0)
    token = context.query.get("PageToken") or None
    if token is None:
        if page > 0:
            raise ApiError(guesses.page_without_token, "A Page above 0 needs its PageToken")
        return Window(0, min(size, largest))
    direction, key = _read_token(context, scope, token)
    if direction == "PA":
        return Window(page, min(size, largest), after=key, token=token)
    return Window(page, min(size, largest), before=key, token=token)


def _whole(context: Context, parameter: str, default: int) -> int:
    text = context.query.get(parameter, "")
    if text == "":
        return default
    if re.fullmatch("[0-9]{1,9}", text) is None:
        if parameter == "PageSize" and re.fullmatch("[0-9]+", text):
            raise ApiError(context.rules.guesses.page_size_too_large)
        raise ApiError(context.rules.guesses.bad_page_parameter, f"{parameter} is not a valid number")
    return int(text)


def _read_token(context: Context, scope: str, token: str) -> tuple[str, int]:
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(_seal(scope, match[1], match[2]), match[3]):
        raise ApiError(context.rules.guesses.bad_page_token)
    return match[1], int(match[2], 16)


def _write_token(scope: str, direction: str, key: int) -> str:
    return f"{direction}{key:x}{_seal(scope, direction, f'{key:x}')}"


def _seal(scope: str, direction: str, key: str) -> str:
    return hashlib.blake2b(
        f"{direction}{key} {scope}".encode("utf-8", "replace"), digest_size=8, key=b"proxyctl sandbox"
    ).hexdigest()


def select_page(
    context: Context, scope: str, window: Window, select: str, key: str, parameters: Sequence[Any]
) -> Page:
    """Run ``select`` for the window. It ends in a WHERE clause; ``key`` is the insertion id, shown as ``id``.

    One row more than the page is asked for, to learn whether there is a next page.
    """
    backwards = window.before is not None
    bound = window.before if backwards else window.after or 0
    comparison, order = ("<", "DESC") if backwards else (">", "ASC")
    rows = context.db.execute(
        f"{select} AND {key} {comparison} ? ORDER BY {key} {order} LIMIT ?",
        (*parameters, bound, window.size + 1),
    ).fetchall()
    more = len(rows) > window.size
    rows = rows[: window.size]
    next_token = previous_token = None
    if backwards:
        rows.reverse()
        last = rows[-1]["id"] if rows else (window.before or 1) - 1
        next_token = _write_token(scope, "PA", last)
    elif more:
        next_token = _write_token(scope, "PA", rows[-1]["id"])
    if window.page > 0:
        first = rows[0]["id"] if rows else (bound or 0) + 1
        previous_token = _write_token(scope, "PB", first)
    return Page(window, rows, next_token, previous_token)


def list_reply(
    context: Context,
    key: str,
    path: str,
    select: str,
    order: str,
    parameters: Sequence[Any],
    present: Callable[[sqlite3.Row], dict[str, Any]],
) -> Reply:
    """Answer one page of the list at ``path`` in the envelope of Proxy and Messaging (``meta``)."""
    window = read_window(context, path, context.rules.max_page_size)
    page = select_page(context, path, window, select, order, parameters)
    url = context.base_url + path

    def at(number: int, token: str | None) -> str:
        return f"{url}?{page_query(window.size, number, token)}"

    meta = {
        "page": window.page,
        "page_size": window.size,
        "first_page_url": at(0, None),
        "previous_page_url": at(window.page - 1, page.previous_token) if page.previous_token else None,
        "url": at(window.page, window.token),
        "next_page_url": at(window.page + 1, page.next_token) if page.next_token else None,
        "key": key,
    }
    return 200, {"meta": meta, key: [present(row) for row in page.rows]}


def empty_list(context: Context, key: str, path: str) -> Reply:
    """Answer a list that is always empty, with the page parameters still checked."""
    return list_reply(context, key, path, "SELECT id FROM services WHERE 0", "id", (), dict)


def page_query(size: int, page: int, token: str | None, filters: Sequence[tuple[str, str]] = ()) -> str:
    """The query of a page's URL."""
    pairs = [*filters, ("PageSize", str(size)), ("Page", str(page))]
    if token:
        pairs.append(("PageToken", token))
    return urlencode(pairs)
