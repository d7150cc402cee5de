"""Reads, each within the rate of its own endpoint and all within what the account may have under way. The client makes
one attempt; here is decided when, and how often, and lists are followed page by page to the end, at flat memory.

A short page is not the last one; the end is where a page says that none follows. Of a page's URL only the query
is used: real hosts name themselves in it, and credentials must not follow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from proxyctl.api import codes, resources
from proxyctl.api.client import ProxyClient
from proxyctl.api.resources import Answer, Call
from proxyctl.errors import AnswerError, AuthenticationError, ProxyctlError, TemporaryError, ThrottledError

if TYPE_CHECKING:
    from proxyctl.bulk.gates import Gates, Ticket
    from proxyctl.bulk.outcomes import Scope

MOST_PAGES = 100_000
LONGEST_URL = 8192  # characters of the address of a next page
_UNSAID = object()


class Page(NamedTuple):
    """One page: its items as the API sent them (without those that the page before had), its number from 0, and
    whether more pages may follow.
    """

    items: list[dict[str, Any]]
    number: int
    more: bool = False


class Watch(Protocol):
    """Hears of lists while they are read, from any thread."""

    def begin(self) -> None: ...

    def read(self, key: str, count: int, *, last: bool) -> None: ...


@dataclass(eq=False)
class Reader:
    """Sends reads for many threads, as the gates let them through. Errors are the client's.

    ``lent``: its reads belong to writes that hold places in flight, and travel on those. Each is sent once, for the
    next round of verifying repeats it; only a list that has begun is read to its end.
    After credentials that are not accepted (AuthenticationError, 401) nothing more is sent: all further reads raise
    the same. What is not allowed (403) ends the reads of that API alone, for a key may be kept from the others.
    """

    client: ProxyClient
    gates: Gates
    _: KW_ONLY
    lent: bool = False
    watch: Watch | None = None

    def __post_init__(self) -> None:
        self._good = 0  # reads that were answered
        self._refused: dict[str, AuthenticationError] = {}  # by API; "": by all
        self._limit = self._end = math.inf  # seconds without an answer, and when they are over
        self._in_all = False

    @property
    def account_sid(self) -> str:
        """The account whose credentials are used."""
        return self.client.credentials.account_sid

    def confirm_account(self, service_sid: str) -> None:
        """Let the account be known before a write: where nothing that was read has shown it, fetch the Service."""
        call = resources.SERVICES.fetch(service_sid)
        if self.client.owner.sid is None and self.request(call) and self.client.owner.sid is None:
            raise AnswerError(f"{call}: the response does not say whose Service it is. Nothing was sent")

    def within(self, seconds: float, *, in_all: bool = False) -> Reader:
        """Return a reader like this one that gives up after ``seconds`` without an answer, or ``in_all``:
        TemporaryError.
        """
        limited = copy(self)
        limited._limit, limited._end = seconds, self.client.clock.monotonic() + seconds
        limited._in_all = in_all
        return limited

    def apart(self) -> Reader:
        """Return a reader like this one for what the run can do without: what is not allowed ends its reads alone."""
        other = copy(self)
        other._refused = dict(self._refused)
        return other

    def pages(self, call: Call) -> Iterator[Page]:
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
            if self.watch is not None:
                self.watch.begin()
            body = self.request(call).body
            name = call.expect or _key_of(call, body)
            following = _next_of(body)
            items = [row for row in body[name] if _sid_of(row) not in before]
            is_last = following in (None, "")
            if self.watch is not None:
                self.watch.read(name, len(items), last=is_last)
            yield Page(items, number, more=not is_last)
            if is_last:
                return
            before = {_sid_of(row) for row in body[name]} - {""}
            call = replace(call, params=_params(call, following))
            mark = hash(_mark(call.params))
            if mark in seen:
                raise AnswerError(f"{call}: the list names a page that was read already. Rows may be missing")
            seen.add(mark)
        raise AnswerError(f"{call}: the list has more than {MOST_PAGES} pages")

    def rows(self, call: Call) -> Iterator[dict[str, Any]]:
        """The rows of a list, as its pages are read."""
        for page in self.pages(call):
            yield from page.items

    def request(self, call: Call) -> Answer:
        """Send a read when its turn has come, and again after faults that may pass.

        Turned away (429) as often as it may be tried, it gives up, unless other reads get through meanwhile.
        """
        tries, seen = self.client.tries(), self._good
        last: ProxyctlError | None = None
        while True:
            try:
                return self._send(call, last)
            except ProxyctlError as error:
                last = error
                if self.lent and not follows(call):
                    raise
                patient, seen = self._good > seen, self._good
                delay = tries.after(error, patient=patient)
                if delay is None:
                    raise
                self._check(call, delay, error)
                if isinstance(error, ThrottledError):
                    self.client.say(f"{call} again in its turn")
                    continue  # the gate keeps the pause, for all
                self.client.say(f"{call} again in {delay:.1f} s")
            self.client.clock.sleep(delay)

    def _send(self, call: Call, last: ProxyctlError | None) -> Answer:
        ticket = self.gates.enter(call.lane, lent=self.lent, check=lambda wait: self._check(call, wait, last))
        try:
            answer = self._attempt(call)
        except BaseException as error:
            failed(ticket, error)
            raise
        ticket.answered()
        return answer

    def _attempt(self, call: Call) -> Answer:
        if self._end < math.inf:
            call = replace(call, seconds=max(0.0, self._end - self.client.clock.monotonic()))
        try:
            answer = self.client.send(call)
        except AuthenticationError as error:
            forbidden = error.problem is not None and error.problem.status == 403
            self._refused[api_of(call) if forbidden else ""] = error
            raise
        self._good += 1
        if not self._in_all:
            self._end = self.client.clock.monotonic() + self._limit
        return answer

    def _check(self, call: Call, wait: float, last: ProxyctlError | None) -> None:
        """Raise where nothing more is to be sent, or where the command (DeadlineError), or the time for an answer
        (TemporaryError), would be over after ``wait``: infinity is an unknown time.
        """
        refused = self._refused.get("") or self._refused.get(api_of(call))
        if refused is not None:
            raise refused
        give_up = self.client.give_up
        if give_up is not None and last is not None and give_up.left() <= wait < math.inf:
            raise give_up.error(last)
        left = self._end - self.client.clock.monotonic()
        if left <= 0 or left <= wait < math.inf:
            raise TemporaryError(f"no response within {self._limit:g} s")


def api_of(call: Call) -> str:
    """Return which of Twilio's APIs a call is for: Proxy, Messaging, or the account's numbers."""
    return call.path.split("/")[1]


def follows(call: Call) -> bool:
    """Return whether a call fetches a later page of a list."""
    return any(name == "PageToken" for name, _ in call.params)


def failed(ticket: Ticket, error: BaseException) -> None:
    """Say what became of a request that ended in ``error``."""
    if isinstance(error, ThrottledError):
        ticket.throttled(*limit_of(error))
    elif isinstance(error, ProxyctlError) and error.problem is not None:
        ticket.answered()
    else:
        ticket.lost()


def limit_of(error: ThrottledError) -> tuple[Scope, float | None]:
    """Return which of the two limits it was (the rate of one endpoint, or the requests of an account in parallel), and
    for how many seconds to wait, if it says so.
    """
    problem = error.problem
    of_lane = problem is not None and problem.code == codes.RATE_LIMITED
    return "rate" if of_lane else "concurrency", problem.retry_after if problem else None


# Pages


def _mark(params: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What distinguishes pages: the token, or the whole query where there is none."""
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
        rows = body.get(names[0]) if paged and len(names) == 1 else None
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return str(names[0])
    hint = "For a single object, leave --paginate out."
    raise AnswerError(f"{call}: the response is not a page of a list", hint=hint)


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
        raise AnswerError(f"{call}: the page does not say whether another follows. Rows may be missing")
    if len(url) > LONGEST_URL:
        raise AnswerError(f"{call}: the next page's address is too long")
    try:
        query = urlsplit(url).query
        return tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise AnswerError(f"{call}: the next page's address can't be read") from None
