"""The way to the API: whose credentials are used, which server is meant, one call, and the server's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from proxyctl.api.proxies import proxy_for
from proxyctl.api.resources import SERVICES
from proxyctl.doctor import CheckResult, fail, ok, warning
from proxyctl.errors import CheckError, ProxyctlError
from proxyctl.explaining import hint_for, sentence
from proxyctl.profiles.profile import MASK
from proxyctl.text import Lines, lines_in

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient
    from proxyctl.api.proxies import NamedProxy
    from proxyctl.profiles.profile import Profile
    from proxyctl.runtime import Runtime

VARIABLES = ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKEN")
PATIENCE = 10.0  # seconds for the call: a person waits
SLACK, TOO_FAR = 30.0, 300.0  # seconds between the clocks


def credentials(runtime: Runtime) -> tuple[Profile | None, CheckResult]:
    """Return the profile that commands use here, None where there is none, and the finding about it.

    The secret is fetched, and never shown.
    """
    try:
        profile = runtime.profile
        runtime.learn_secret()
    except ProxyctlError as error:
        return None, fail("credentials", error)
    detail = description(profile)
    if profile.name != profile.source and any(runtime.environ.get(name) for name in VARIABLES):
        detail += ". TWILIO_ variables of the environment are ignored"
    return profile, ok("credentials", detail)


def description(profile: Profile) -> str:
    """Return who signs in and what chose it; of the secret, only that it is there."""
    if profile.is_sandbox:
        return f"none needed: the embedded sandbox ({profile.source})"
    chosen = f"profile {profile.name!r} ({profile.source})"
    if profile.name == profile.source:
        chosen = f"from the {profile.name}"
    what = f"API key {profile.username}" if profile.uses_api_key else "the auth token"
    return f"{chosen}: account {profile.account_sid}, with {what}, secret {MASK}"


def call(runtime: Runtime, profile: Profile) -> Iterator[CheckResult]:
    """List one Service, the cheapest request that needs credentials; yield which server, what came, and its clock."""
    try:
        client = runtime.access.client_for(profile)
        proxy = proxy_of(client)
    except ProxyctlError as error:
        yield fail("server", error)
        return
    with client:
        through = f", through {proxy}" if proxy else ""
        yield ok("server", f"{client.endpoint.label} ({chosen_by(runtime, profile)}){through}")
        client.timeout = min(client.timeout, PATIENCE)
        try:
            answer = client.send(SERVICES.list(page_size=1))
            took, request = f"{answer.duration * 1000:.0f} ms", answer.request_id or "none"
            yield ok("call", f"GET /v1/Services: {answer.status} in {took}, request id {request}")
        except ProxyctlError as error:
            yield fail("account", error) if client.owner.stranger else failed_call(error)
        if client.server_now is not None:
            yield clock(runtime.clock.now() - client.server_now)


def proxy_of(client: ProxyClient) -> NamedProxy | None:
    """Return the proxy that requests go through. UsageError where the environment names one that can't be used."""
    return None if client.endpoint.is_loopback else proxy_for(next(iter(client.endpoint.origins))[1])


def chosen_by(runtime: Runtime, profile: Profile) -> str:
    """Return what says which server it is."""
    if runtime.environ.get("PROXYCTL_BASE_URL", "").strip():
        return "PROXYCTL_BASE_URL"
    if profile.base_url:
        return "base_url of the profile"
    asked = [f"{name} {value}" for name in ("region", "edge") if (value := getattr(profile, name))]
    return ", ".join(asked) or "Twilio"


def failed_call(error: ProxyctlError) -> CheckResult:
    """Return the finding about a call that failed, in the words that every command has for it."""
    error.hint = Lines(*map(sentence, lines_in(hint_for(error) or ""))) or None
    found = fail("call", error)
    request_id = error.problem.request_id if error.problem else None
    return replace(found, detail=f"{found.detail} Request id: {request_id}") if request_id else found


def clock(ahead: float) -> CheckResult:
    """Judge by how many seconds this machine's clock is ahead of the answer's Date, which is in whole seconds."""
    detail = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server"
    if abs(ahead) <= SLACK:
        return ok("clock", detail)
    hint = "Run: sudo timedatectl set-ntp true (on macOS: sudo sntp -sS time.apple.com)"
    if abs(ahead) <= TOO_FAR:
        return warning("clock", detail, hint)
    return fail("clock", CheckError(f"this machine's clock is {detail}.", hint=hint))
