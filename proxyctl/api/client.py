"""ProxyClient: one attempt at a call, with the credentials, and what its answer means. Its policy says when a read is
tried again, and after how long: values in, values out. Full jitter spreads the clients of one outage over the wait.

The only module besides the wire's own that needs httpx, which is imported when the first request is made.
"""

from __future__ import annotations

import base64
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from proxyctl import __version__, errors
from proxyctl.api import answers
from proxyctl.api.endpoint import Credentials, Endpoint, check_sids, origin_of
from proxyctl.api.resources import Answer, Call
from proxyctl.clock import Clock, SystemClock, backoff
from proxyctl.identifiers import is_sid
from proxyctl.text import Lines, Redactor, command_line

if TYPE_CHECKING:
    import httpx

    from proxyctl.api.wire import Deadline, Wires

OnStranger = Callable[[errors.AuthenticationError], None]

_MOST_THROTTLES, _MOST_WAITED = 30, 600.0


class GiveUp(NamedTuple):
    """The end of a whole command: ``seconds`` as asked for (the words name them); ``left()`` are left of them."""

    seconds: float
    left: Callable[[], float]

    def error(self, last: errors.ProxyctlError) -> errors.DeadlineError:
        """Say that time is up, and what went wrong ``last``."""
        text = f"the deadline of {self.seconds:g} s was reached (last error: {last.message})"
        hint = "Run the same command again to continue."
        return errors.DeadlineError(text, hint=hint, problem=last.problem)


class Tries:
    """The tries of one read: when there is another. Writes have an engine with rules of its own."""

    def __init__(self, retries: int, rand: Callable[[], float]) -> None:
        self._retries, self._random = retries, rand
        self._failures = self._throttles = 0
        self.waited = 0.0  # seconds

    def after(self, error: errors.ProxyctlError, *, patient: bool = True) -> float | None:
        """Return the seconds to wait before the next try, or None to give up. To the ``patient`` a 429 is no try."""
        asked = (error.problem.retry_after if error.problem else None) or 0.0
        throttled = isinstance(error, errors.ThrottledError)
        passing = isinstance(error, errors.TemporaryError | errors.AnswerError) and error.repeatable
        if not passing or asked > answers.LONGEST_WAIT:
            return None
        if throttled and patient:
            self._throttles += 1
            count, most = self._throttles, _MOST_THROTTLES
        else:
            self._failures += 1
            count, most = self._failures, self._retries
        delay = max(asked, backoff(count - 1, self._random()))
        if count > most or (throttled and self.waited + delay > _MOST_WAITED):
            return None
        self.waited += delay
        return delay


def end_at(error: errors.AuthenticationError) -> None:
    """Let the credentials of another account be the end."""
    raise error


@dataclass(eq=False)
class ProxyClient(AbstractContextManager["ProxyClient"]):
    """Sends calls to one endpoint as one account. Safe to share between threads; close it at the end.

    ``transport`` replaces the network (the sandbox, or a stub). ``timeout`` is for a whole request, in
    seconds.
    ``clients`` × ``connections`` requests may be under way at once. From ``give_up`` on nothing is tried again, and
    no read begun before lasts longer (DeadlineError). ``log`` gets a line for each request.
    """

    endpoint: Endpoint
    credentials: Credentials
    _: KW_ONLY
    transport: httpx.BaseTransport | None = None
    timeout: float = 60.0
    retries: int = 4
    clock: Clock = field(default_factory=SystemClock)
    log: Callable[[str], None] = lambda line: None
    redactor: Redactor = field(default_factory=Redactor)
    clients: int = 1
    connections: int = 10
    rand: Callable[[], float] = random.random
    give_up: GiveUp | None = None
    on_stranger: OnStranger = end_at

    def __post_init__(self) -> None:
        self.owner = Owner(self.credentials.account_sid, self.on_stranger)
        self._lock = threading.Lock()
        self._wires: Wires | None = None
        self._closed = False
        self._headers: dict[str, str] | None = None
        self._date = ""  # of the latest answer

    def tries(self) -> Tries:
        """Return what counts the tries of one read."""
        return Tries(self.retries, self.rand)

    @property
    def server_now(self) -> float | None:
        """The server's clock as its latest answer showed it, in seconds since 1970; None without one."""
        return answers.timestamp(self._date)

    def send(self, call: Call) -> Answer:
        """Make one attempt. Raises the class of error that says what to do next; its ``may_have_happened``
        is true where a write may have been carried out although no good answer came.
        """
        started = time.monotonic()
        outcome = "no answer"
        try:
            if not call.typed:
                check_sids(call.path)
            self.owner.check(call)
            answer = self._attempt(call, started)
            outcome = f"{answer.status} {answer.request_id or ''}".rstrip()
            self.owner.learn(call, answer.body)
            return answer
        except errors.ProxyctlError as error:
            if error.problem:
                outcome = f"{error.problem.status} {error.problem.request_id or ''}".rstrip()
                if error.problem.status == 401 and self.owner.stranger is not None:
                    raise self.owner.stranger from error  # the account in the path is not that of the key
            raise
        finally:
            self.say(f"{call} {outcome} {(time.monotonic() - started) * 1000:.0f} ms")

    def _attempt(self, call: Call, started: float) -> Answer:
        import httpx

        from proxyctl.api.failures import failure_of
        from proxyctl.api.wire import Deadline

        with self._lock:
            headers = self._headers = self._headers or standing_headers(self.credentials, self.redactor)
        deadline = Deadline(self._seconds_for(call))
        request = self._build(call, headers, deadline)
        try:
            with self._lease(request.url.host) as transport:
                response = transport.handle_request(request)
                try:
                    return self._read(call, response, deadline, started)
                finally:
                    response.close()
        except httpx.HTTPError as error:
            raise failure_of(call, error, request.url.host, deadline.seconds) from error

    def _seconds_for(self, call: Call) -> float:
        """How long one attempt may last. A write is always waited for, and a read after the end has its time too."""
        left = self.give_up.left() if self.give_up is not None and not call.writes else 0.0
        return min(self.timeout, call.seconds, left if left > 0 else self.timeout)

    def _build(self, call: Call, headers: dict[str, str], deadline: Deadline) -> httpx.Request:
        import httpx

        query = f"?{urlencode(call.params)}" if call.params else ""
        try:
            url = httpx.URL(self.endpoint.url(call.path) + query)
        except httpx.InvalidURL:  # of more than 64 KiB
            kind = errors.UsageError if call.typed else errors.AnswerError
            raise kind(f"{call.method}: the path and its query are too long for a request.") from None
        # Whatever a path or a page URL held: credentials go to the endpoint's own origins only.
        if origin_of(url.scheme, url.host, url.port) not in self.endpoint.origins:
            raise errors.AnswerError(f"{call}: the path is of another server than {self.endpoint.label}")
        content = None
        if call.method not in ("GET", "DELETE"):
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
            content = urlencode(call.data).encode()
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), deadline.seconds)
        extensions = {"deadline": deadline, "timeout": timeouts}
        return httpx.Request(call.method, url, headers=headers, content=content, extensions=extensions)

    def _lease(self, host: str) -> AbstractContextManager[httpx.BaseTransport]:
        """Lend a transport for one request; the network's is imported where none was handed in."""
        if self.transport is not None:
            return nullcontext(self.transport)
        from proxyctl.api.wire import Wires

        with self._lock:
            if self._wires is None:
                # A reader that nobody waits for may be later than close(): its socket would stay open.
                if self._closed:
                    raise errors.NetworkError("the client was closed", repeatable=False)
                self._wires = Wires(self.endpoint, self.clients, self.connections)
            return self._wires.lease(host)

    def _read(self, call: Call, response: httpx.Response, deadline: Deadline, started: float) -> Answer:
        good = 200 <= response.status_code < 300
        self._date = response.headers.get("Date", self._date)
        try:
            body = answers.read_answer(response, deadline.check, lenient=not good)
            if good:
                answers.check_answer(call, response.status_code, body)
        except errors.AnswerError as error:
            problem = answers.problem_of(response.status_code, None, response.headers, 0.0, str)
            error.message, error.problem = f"{call}: {error.message}", problem
            error.may_have_happened = call.writes
            error.hint = "Check the base URL. Another server may respond in place of the API."
            raise
        if good:
            duration = time.monotonic() - started
            request_id = answers.request_id(response.headers)
            return Answer(response.status_code, body, request_id, duration)
        clean = self.redactor.clean
        problem = answers.problem_of(response.status_code, body, response.headers, self.clock.now(), clean)
        raise answers.error_of(call, problem)

    def say(self, text: str) -> None:
        """Hand a line to the log, cleaned of secrets."""
        self.log(self.redactor.clean(text))

    def close(self) -> None:
        """Close all connections, and the transport that was handed in. Nothing can be sent afterwards."""
        with self._lock:
            self._closed, wires = True, self._wires
        if wires is not None:
            wires.close()
        if self.transport is not None:
            self.transport.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def standing_headers(credentials: Credentials, redactor: Redactor) -> dict[str, str]:
    """Return what every request bears; the redactor learns the secret first."""
    import httpx

    secret = credentials.secret()
    redactor.add(secret)
    pair = base64.b64encode(f"{credentials.username}:{secret}".encode())
    system = os.uname()
    python = ".".join(map(str, sys.version_info[:3]))
    place = f"{system.sysname.lower()} {system.machine}"
    return {
        "Authorization": f"Basic {pair.decode()}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"proxyctl/{__version__} ({place}) Python/{python} httpx/{httpx.__version__}",
    }


# Whose data there are. Proxy and Messaging take the account from the credentials, whatever Account SID the client
# expects: a main account's key with a subaccount's SID works on the main account. Only their answers show it.


class Owner:
    """The account that answers have shown, beside the ``expected`` one. ``sid`` is None until one has shown it.

    ``on_stranger`` gets the error of credentials that are another account's: it raises it, or warns. Writes are refused
    in any case, unless ``any_account`` is set.
    """

    def __init__(self, expected: str, on_stranger: OnStranger) -> None:
        self.expected = expected
        self.sid: str | None = None
        self.any_account = False
        self._on_stranger = on_stranger

    @property
    def stranger(self) -> errors.AuthenticationError | None:
        """The error where it is another account; None where no answer has shown that."""
        if self.sid is None or self.sid.lower() == self.expected.lower():
            return None
        return errors.AuthenticationError(
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
