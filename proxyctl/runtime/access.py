"""How a command reaches the API, or the sandbox in its place: a client with the profile's credentials, and what paces
it.
"""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING

import httpx

from proxyctl.api.client import GiveUp, OnStranger, ProxyClient, end_at
from proxyctl.api.endpoint import Credentials, Endpoint
from proxyctl.bulk.gates import Gates, affordable_ceiling
from proxyctl.errors import UsageError
from proxyctl.profiles.config_file import refuse_quotes
from proxyctl.profiles.profile import Profile
from proxyctl.writes.reading import Reader

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime
    from proxyctl.sandbox.behaviour import Sandbox

# Clients of 10 connections each, made as they are needed: one big pool is slower (it is scanned for each request).
CLIENTS = 10
RATE = 30.0  # requests a second for each endpoint of a Service, as Twilio documents it

# Variables that say where requests go, and what vouches for it.
ADDRESSES = (
    *("PROXYCTL_BASE_URL", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"),
    *("https_proxy", "http_proxy", "all_proxy"),
)

# The URL that in-process requests are addressed to: loopback, and what `sandbox serve` listens on by default,
# so that the URLs in printed answers work against it.
IN_PROCESS_URL = "http://127.0.0.1:8181"


class Access:
    """The API as this command may use it. Safe to share between threads, once its parts are made."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @cached_property
    def client(self) -> ProxyClient:
        runtime = self._runtime
        client = self.client_for(runtime.profile, on_stranger=runtime.stranger)
        return runtime.exit_stack.enter_context(client)

    def client_for(self, profile: Profile, *, on_stranger: OnStranger = end_at) -> ProxyClient:
        """Make a client for ``profile``; the caller closes it."""
        runtime = self._runtime
        options, redactor = runtime.options, runtime.console.redactor
        transport, give_up = None, None
        if options.deadline is not None:
            give_up = GiveUp(options.deadline, lambda: runtime.time_left or 0.0)
        for name in () if profile.is_sandbox else ADDRESSES:
            refuse_quotes(runtime.environ.get(name, ""), name, UsageError)
        if profile.is_sandbox:
            from proxyctl.sandbox.behaviour import Sandbox

            transport = sandbox_transport(Sandbox(runtime.sandbox_store, clock=runtime.clock))
            endpoint = Endpoint.at(IN_PROCESS_URL)
        elif profile.base_url:
            endpoint = Endpoint.at(profile.base_url)
        else:
            endpoint = Endpoint.twilio(profile.region, profile.edge)
        return ProxyClient(
            endpoint,
            Credentials(profile.account_sid, profile.username, profile.secret),
            transport=transport,
            timeout=options.timeout,
            retries=options.retries,
            clock=runtime.clock,
            log=runtime.console.log_request,
            redactor=redactor,
            clients=CLIENTS,
            give_up=give_up,
            on_stranger=on_stranger,
        )

    @property
    def server_now(self) -> float | None:
        """The server's clock by its latest answer, in seconds since 1970; None where it is no other than ours."""
        return None if self._runtime.profile.is_sandbox else self.client.server_now

    def now(self) -> float:
        """Return the server's time by its latest response; ours where it names none."""
        said = self.client.server_now
        return self._runtime.clock.now() if said is None else said

    @cached_property
    def gates(self) -> Gates:
        """Where each request asks whether it may start: --rate, and --concurrency or what may be open at once."""
        options = self._runtime.options
        unpaced = self._runtime.profile.is_sandbox  # in process there is no limit to keep
        ceiling = affordable_ceiling(options.concurrency or CLIENTS * 10)
        return Gates(
            options.rate if options.rate is not None else 0.0 if unpaced else RATE,
            random=random.random,
            ceiling=ceiling,
            start_at=4 if options.concurrency is None else max(4, ceiling // 4),
            clock=self._runtime.clock,
        )

    @cached_property
    def reader(self) -> Reader:
        """What reads many lists at once for this command, within the limits."""
        return Reader(self.client, self.gates, watch=self._runtime.watch_reads())


def sandbox_transport(sandbox: Sandbox) -> httpx.BaseTransport:
    """Return what gets its responses from ``sandbox``, from any thread: the client's whole code runs, and no socket is
    opened.
    """

    def respond(request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = sandbox.respond_to(
            request.method,
            url.raw_path.decode("ascii"),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
            f"{url.scheme}://{url.netloc.decode('ascii')}",
        )
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body or b"")

    return httpx.MockTransport(respond)
