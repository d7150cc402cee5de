"""Time that passes faster, and what stands before the sandbox: it checks credentials, and may answer in its place."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from proxyctl.sandbox.behaviour import ACCOUNT_SID, Sandbox
from proxyctl.sandbox.context import ApiError, Request, Response, problem
from tests.sandbox.serving import BASIC

SECRET = "canary/5e11+ab1e=do~not-sing"
CANARY = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{SECRET}".encode()).decode()


class FastClock:
    """Real time, ``factor`` times as fast, for whoever is handed it; sleeping is as much shorter."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.ahead = 0.0  # of the server's clock
        self._began = time.monotonic()
        self._epoch = time.time()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self.factor

    def now(self) -> float:
        return self._epoch + self.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.factor)


class Front:
    """Stands before the sandbox: lets in who has the canary, and may see new numbers late.

    ``late`` reads do not see a number that was just added. ``arrivals`` are the times of the writes that got
    as far as here. ``answer``, where set, may give an answer of its own.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.late = 0
        self.arrivals: list[float] = []
        self.answer: Callable[[Request], Response | None] = lambda request: None
        self._hidden: dict[str, int] = {}
        self._lock = threading.Lock()

    def account_of(self, request: Request) -> str | None:
        return ACCOUNT_SID if request.headers.get("authorization") == CANARY else None

    def respond(self, request: Request) -> Response:
        if request.headers.get("authorization") != CANARY:
            return problem(ApiError(20003))
        own = self.answer(request)
        if own is not None:
            return own
        return self._read(request) if request.method == "GET" else self._write(request)

    def carry_out(self, request: Request) -> Response:
        """What the sandbox answers, whatever the credentials."""
        return self.sandbox.respond(replace(request, headers={**request.headers, "authorization": BASIC}))

    def _write(self, request: Request) -> Response:
        self.arrivals.append(time.monotonic())
        response = self.carry_out(request)
        if self.late and response.status == 201 and response.body:
            with self._lock:
                self._hidden[json.loads(response.body)["sid"]] = self.late
        return response

    def _read(self, request: Request) -> Response:
        response = self.carry_out(request)
        if not self._hidden or response.status != 200 or not response.body:
            return response
        body = json.loads(response.body)
        if "phone_numbers" in body:
            body["phone_numbers"] = [row for row in body["phone_numbers"] if not self._hides(row["sid"])]
            return replace(response, body=json.dumps(body).encode())
        return problem(ApiError(20404)) if self._hides(body["sid"]) else response

    def _hides(self, sid: str) -> bool:
        with self._lock:
            left = self._hidden.get(sid, 0)
            self._hidden[sid] = left - 1
        return left > 0

    def see_all(self) -> None:
        """Reads are up to date again."""
        self.late, self._hidden = 0, {}
