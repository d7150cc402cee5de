"""Who is served: loopback addresses only, and no web page or rebound DNS name. The sandbox's credentials are no
secret, so nothing else keeps them out.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from proxyctl.errors import UsageError
from proxyctl.sandbox.context import ApiError, Request

if TYPE_CHECKING:
    from proxyctl.sandbox.server.connection import Head

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::[0-9]{1,5})?")


def loopback_address(host: str) -> str:
    """Return the address to listen on; UsageError for one that others could reach."""
    if host.lower() == "localhost":
        return "127.0.0.1"
    bare = host.strip("[]")
    if not is_loopback(bare):
        raise UsageError(
            f"the sandbox can't listen on {host!a}, which is no loopback address",
            hint="Use 127.0.0.1, ::1 or localhost. The sandbox has no real authentication.",
        )
    return bare


def is_loopback(address: str) -> bool:
    """Return whether this is an address of this machine alone."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_loopback and "%" not in address


def check_sender(head: Head) -> None:
    """Refuse what only a web page or a rebound DNS name would send: the credentials are no secret."""
    if head.method == "CONNECT":
        raise ApiError(20004, headers=[("Allow", "GET, POST, DELETE")])
    if "origin" in head.headers:
        raise ApiError(20403, "Requests from web pages are refused")
    host = head.headers.get("host")
    if host is not None and not _names_loopback(host):
        raise ApiError(20421, "The Host header does not name this machine")


def _names_loopback(authority: str) -> bool:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return False
    host = match[1].strip("[]")
    return host.lower() == "localhost" or is_loopback(host)


def read_request(head: Head, body: bytes, own_url: str) -> Request:
    """Return the request of a head and its body; a HEAD is a GET."""
    target, host = head.target, head.headers.get("host")
    base_url = f"http://{host}" if host else own_url
    if not target.startswith("/"):
        target = _from_absolute(target)
    method = "GET" if head.method == "HEAD" else head.method
    return Request.from_wire(method, target, head.headers, body, base_url)


def _from_absolute(target: str) -> str:
    """Return the path and query of an absolute target, as a client sends it to a proxy."""
    try:
        parts = urlsplit(target)
    except ValueError:
        raise ApiError(20400, "The request's target is not a URL") from None
    if parts.scheme not in ("http", "https"):
        return target
    if not _names_loopback(parts.netloc):
        raise ApiError(20421, "The request's target does not name this machine")
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
