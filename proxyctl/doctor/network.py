"""The way to the server, step by step: proxy, name, connection, certificate, one call, and its clock.

Each step is tried by itself before the one call, so that what fails is named by its cause; what comes after a
step that failed is not tried.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.doctor.findings import BAD, Finding, bad, good, warning
from proxyctl.errors import CheckError, NetworkError, ProxyctlError

if TYPE_CHECKING:
    from proxyctl.api.client import Answer, ProxyClient
    from proxyctl.api.endpoint import Endpoint, Origin
    from proxyctl.profiles import Profile
    from proxyctl.runtime import Runtime

PATIENCE = 10.0  # seconds for a name or a connection: a person waits
SLACK, TOO_FAR = 30.0, 300.0  # seconds between the clocks
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def findings(runtime: Runtime, profile: Profile) -> Iterator[Finding]:
    """Yield what is found on the way to the profile's server, up to the first step that fails."""
    try:
        client = runtime.client_for(profile)
    except ProxyctlError as error:
        yield bad("server", error)
        return
    with client:
        yield good("server", server_told(runtime, profile, client.endpoint))
        for finding in way(runtime, client):
            yield finding
            if finding.state == BAD:
                return


def server_told(runtime: Runtime, profile: Profile, endpoint: Endpoint) -> str:
    """Return which server it is, and what says so."""
    if runtime.environ.get("PROXYCTL_BASE_URL", "").strip():
        return f"{endpoint.label} (PROXYCTL_BASE_URL)"
    if profile.base_url:
        return f"{endpoint.label} (base_url of the profile)"
    asked = [f"{name} {value}" for name in ("region", "edge") if (value := getattr(profile, name))]
    return f"{endpoint.label} ({', '.join(asked) or 'Twilio'})"


def way(runtime: Runtime, client: ProxyClient) -> Iterator[Finding]:
    """Yield the steps; the caller stops at the first that is bad."""
    patience = min(runtime.options.timeout, PATIENCE)
    origins = list(dict.fromkeys(origin(base) for _, base in client.endpoint.bases))
    proxied, finding = proxy(client.endpoint, origins[0][1])
    yield finding
    if not proxied:
        yield names([host for _, host, _ in origins], patience)
        yield from secure(origins[0], patience)
    yield from call(runtime, client)


def origin(base: str) -> Origin:
    """Return scheme, host and port of a URL."""
    from urllib.parse import urlsplit

    from proxyctl.api.endpoint import origin_of

    url = urlsplit(base)
    return origin_of(url.scheme, url.hostname or "", url.port)


def proxy(endpoint: Endpoint, host: str) -> tuple[bool, Finding]:
    """Return whether requests go through a proxy, and the finding; never its user name or password."""
    from proxyctl.api.transport import proxy_for

    name = next((name for name in PROXY_VARIABLES if os.environ.get(name)), None)
    if endpoint.is_loopback:
        passed = f"; {name} is passed over" if name else ""
        return False, good("proxy", f"none: the server is on this machine{passed}")
    try:
        found = proxy_for(host)
    except ProxyctlError as error:
        return True, bad("proxy", error)
    if found is None:
        why = f"{name} is set, and NO_PROXY exempts {host}" if name else "HTTPS_PROXY is not set"
        return False, good("proxy", f"none: {why}")
    url = found.url
    place = f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "")
    return True, good("proxy", f"{place} ({name}); it looks the names up and connects")


def names(hosts: list[str], patience: float) -> Finding:
    """Look the hosts' names up."""
    import httpcore

    from proxyctl.api.transport import addresses

    started = time.monotonic()
    told = []
    for host in hosts:
        if is_address(host):
            told.append(f"{host} is an address")
            continue
        try:
            told.append(f"{host} is {', '.join(addresses(host, 443, patience)[:2])}")
        except httpcore.ConnectTimeout:
            return bad("dns", unknown_name(host, f"no answer within {patience:g} s"))
        except httpcore.ConnectError as error:
            return bad("dns", unknown_name(host, reason(error)))
    return good("dns", f"{'; '.join(told)} ({milliseconds(started)})")


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address, which needs no looking up."""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def reason(error: Exception) -> str:
    """Return what the system said, out of the exception that a library wrapped it in."""
    inner = next((cause for cause in error.args if isinstance(cause, BaseException)), error)
    return str(getattr(inner, "strerror", None) or inner).lower()


def unknown_name(host: str, why: str) -> NetworkError:
    return NetworkError(
        f"the name {host} can't be looked up: {why}.",
        hint="Check the network and its name servers. Behind a proxy: export HTTPS_PROXY=http://HOST:PORT",
    )


def secure(place: Origin, patience: float) -> Iterator[Finding]:
    """Connect, and shake hands where the server speaks https."""
    scheme, host, port = place
    started = time.monotonic()
    try:
        connection = socket.create_connection((host, port), patience)
    except OSError as error:
        yield bad("connection", unreachable(host, port, reason(error)))
        return
    with connection:
        # An IPv6 peer has four fields.
        address, at = connection.getpeername()[:2]
        yield good("connection", f"{address} port {at} ({milliseconds(started)})")
        if scheme == "https":
            yield tls(connection, host)
        else:
            yield good("tls", "none, and none is needed on this machine")


def unreachable(host: str, port: int, why: str) -> NetworkError:
    return NetworkError(
        f"no connection to {host} port {port}: {why}.",
        hint="Check the base URL and the firewall. Behind a proxy: export HTTPS_PROXY=http://HOST:PORT",
    )


def tls(connection: socket.socket, host: str) -> Finding:
    """Shake hands over ``connection``; say whose certificates are trusted and until when the server's is valid."""
    from proxyctl.api.tls import tls_context, trust

    source = trust().source
    try:
        with tls_context().wrap_socket(connection, server_hostname=host) as secured:
            certificate, version = secured.getpeercert() or {}, secured.version()
    except ssl.SSLCertVerificationError as error:
        return bad("tls", distrusted(host, error, source))
    except OSError as error:
        return bad(
            "tls",
            NetworkError(
                f"no secure connection to {host}: {reason(error)}.",
                hint="Check that the base URL's scheme and port belong together, and what stands between.",
            ),
        )
    except ProxyctlError as error:
        return bad("tls", error)
    until = certificate.get("notAfter", "an unknown date")
    return good("tls", f"{version}; the certificate is valid until {until}; trusted by {source}")


def distrusted(host: str, error: ssl.SSLCertVerificationError, source: str) -> NetworkError:
    hint = "Where an authority of your own signed it, name its file: export SSL_CERT_FILE=/path/to/ca.pem"
    if "expired" in error.verify_message or "not yet valid" in error.verify_message:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        hint = (
            f"Is this machine's clock right? It says {today}. Else the server's certificate must be renewed."
        )
    return NetworkError(
        f"the certificate of {host} is not trusted: {error.verify_message} (trusted are {source}).", hint=hint
    )


def call(runtime: Runtime, client: ProxyClient) -> Iterator[Finding]:
    """List one Service, the cheapest request that needs credentials, and compare clocks by its answer."""
    from proxyctl.api.resources import list_services
    from proxyctl.explaining import hint_for

    try:
        answer = runtime.reader_of(client).request(list_services(page_size=1))
    except ProxyctlError as error:
        asked = (
            f" Request id: {error.problem.request_id}" if error.problem and error.problem.request_id else ""
        )
        found = bad("call", error)
        yield Finding("call", BAD, f"{found.detail}{asked}", hint_for(error), error)
        return
    took = f"{answer.duration * 1000:.0f} ms"
    yield good(
        "call", f"GET /v1/Services: {answer.status} in {took}, request id {answer.request_id or 'none'}"
    )
    yield clock(answer, runtime.clock.now())


def clock(answer: Answer, now: float) -> Finding:
    """Compare this machine's clock with the answer's Date, which is in whole seconds."""
    from email.utils import parsedate_to_datetime

    try:
        off = now - parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return good("clock", "not compared: the answer bears no date")
    detail = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server"
    if abs(off) <= SLACK:
        return good("clock", detail)
    mend = "Run: sudo timedatectl set-ntp true (on macOS: sudo sntp -sS time.apple.com)"
    if abs(off) <= TOO_FAR:
        return warning("clock", detail, mend)
    return bad("clock", CheckError(f"this machine's clock is {detail}.", hint=mend))


def milliseconds(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
