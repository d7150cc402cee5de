"""Lists, page by page: both envelopes that Twilio uses, followed to the end at flat memory.

A short page is not the last one; the end is where a page says that none follows. Of a page's URL only the query
is used: real hosts name themselves in it, and credentials must not follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, parse_qsl, urlsplit

from proxyctl.api.resources import Answer, Call
from proxyctl.errors import AnswerError

MOST_PAGES = 100_000
_UNSAID = object()


class Requests(Protocol):
    """What fetches a page when its turn has come."""

    def request(self, call: Call) -> Answer: ...


class Page(NamedTuple):
    """One page: its items as the API sent them (without those that the page before had), its number from 0, the
    call that fetched it, the list's key, and whether more pages may follow.
    """

    items: list[dict[str, Any]]
    number: int
    call: Call
    key: str
    more: bool = False


def pages(reader: Requests, call: Call) -> Iterator[Page]:
    """Fetch ``call`` and all pages after it. Its ``expect`` names the list; None takes the one that the page names
    or has.

    Yields each page as it comes; a later one that fails raises after the earlier ones were yielded.
    AnswerError where a page does not say whether another follows or repeats an earlier one's token, and where the
    list never ends.
    """
    seen = {hash(_mark(call.params))}
    # Rows that were added or deleted between two requests shift the others over the edge to the next page, no
    # further: to know the page before is enough, however long the list.
    before: set[str] = set()
    for number in range(MOST_PAGES):
        body = reader.request(call).body
        name = call.expect or _key_of(call, body)
        following = _next_of(body)
        items = [row for row in body[name] if _sid_of(row) not in before]
        is_last = following in (None, "")
        yield Page(items, number, call, name, more=not is_last)
        if is_last:
            return
        before = {_sid_of(row) for row in body[name]} - {""}
        call = replace(call, params=_params(call, following))
        mark = hash(_mark(call.params))
        if mark in seen:
            raise AnswerError(
                f"{call}: the list names a page again that was read already; the rows so far stand"
            )
        seen.add(mark)
    raise AnswerError(f"{call}: the list has more than {MOST_PAGES} pages")


def _mark(params: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What tells pages apart: the token; the whole query where there is none."""
    token = tuple(pair for pair in params if pair[0] == "PageToken" and pair[1])
    return token or tuple(sorted(params))


def _key_of(call: Call, body: Any) -> str:
    """Find the list in a page of unknown kind: one envelope names it in ``meta.key``, the other has only one."""
    if isinstance(body, dict):
        meta = body.get("meta")
        names = [name for name, value in body.items() if isinstance(value, list)]
        if isinstance(meta, dict) and isinstance(meta.get("key"), str):
            names = [meta["key"]]
        paged = isinstance(meta, dict) or "next_page_uri" in body
        if paged and len(names) == 1 and _is_list(body.get(names[0])):
            return str(names[0])
    raise AnswerError(
        f"{call}: the answer is not a page of a list", hint="For a single object, leave --paginate out."
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _sid_of(row: dict[str, Any]) -> str:
    sid = row.get("sid")
    return sid if isinstance(sid, str) else ""


def _next_of(body: dict[str, Any]) -> Any:
    """What a page says of the next one, in either envelope; _UNSAID where it says nothing."""
    meta = body.get("meta")
    if isinstance(meta, dict):
        return meta.get("next_page_url", _UNSAID)
    return body.get("next_page_uri", _UNSAID)


def _params(call: Call, url: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(url, str):
        raise AnswerError(
            f"{call}: the page does not say whether another follows; the rows so far stand, more may be missing"
        )
    try:
        query = urlsplit(url).query
        parse_qs(query, max_num_fields=100)
    except ValueError:
        raise AnswerError(f"{call}: the next page's address can't be read") from None
    return tuple(parse_qsl(query, keep_blank_values=True))
