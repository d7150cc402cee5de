"""Lists, page by page: both envelopes that Twilio uses, followed to the end at flat memory.

A short page is not the last one; the end is where no next page is named. Of a page's URL only the query is
used: real hosts name themselves in it, and credentials must not follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, parse_qsl, urlsplit

from proxyctl.api.calls import Answer, Call
from proxyctl.errors import AnswerError

MOST_PAGES = 100_000


class Requests(Protocol):
    """What fetches a page: the client, or something that decides when it may."""

    def request(self, call: Call) -> Answer: ...


class Page(NamedTuple):
    """One page: its items as the API sent them, its number from 0, the call that fetched it, the list's key, and
    whether more pages follow.
    """

    items: list[dict[str, Any]]
    number: int
    call: Call
    key: str
    more: bool = False


def pages(client: Requests, call: Call, key: str | None = None) -> Iterator[Page]:
    """Fetch ``call`` and all pages after it. ``key`` names the list; None takes the one that the page names
    or has.

    Yields each page as it comes; a later one that fails raises after the earlier ones were yielded.
    AnswerError where a page repeats an earlier one's token, or the list never ends.
    """
    if key is not None and call.expect is None:
        call = replace(call, expect=key)
    seen = {hash(_mark(call.params))}
    for number in range(MOST_PAGES):
        body = client.request(call).body
        name = key or call.expect or _key_of(call, body)
        yield Page(body[name], number, call, name, more=bool(_next_of(body)))
        following = _next_url(call, body)
        if not following:
            return
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


def _next_url(call: Call, body: dict[str, Any]) -> str | None:
    url = _next_of(body)
    if url is None or isinstance(url, str):
        return url
    raise AnswerError(f"{call}: the next page's address is not a text")


def _next_of(body: dict[str, Any]) -> Any:
    """What a page says of the next one, in either envelope."""
    meta = body.get("meta")
    return meta.get("next_page_url") if isinstance(meta, dict) else body.get("next_page_uri")


def _params(call: Call, url: str) -> tuple[tuple[str, str], ...]:
    try:
        query = urlsplit(url).query
        parse_qs(query, max_num_fields=100)
    except ValueError:
        raise AnswerError(f"{call}: the next page's address can't be read") from None
    return tuple(parse_qsl(query, keep_blank_values=True))
