"""The proxy that the environment names for requests to Twilio: which variable names it, and what is said where it keeps
requests from leaving. Of a proxy's URL only host and port are shown: it may hold a password.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import NamedTuple

import httpx

from proxyctl.errors import NetworkError, ProxyctlError, UsageError

_HOST = partial(re.fullmatch, r"[A-Za-z0-9._:-]+")
_LEAVE_OUT = "or name the host in NO_PROXY."
_HOW = "http://HOST:PORT"


class NamedProxy(NamedTuple):
    """A proxy, and the ``variable`` that names it."""

    proxy: httpx.Proxy
    variable: str

    @property
    def place(self) -> str:
        """Host and port."""
        url = self.proxy.url
        return f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"

    @property
    def hint(self) -> str:
        """What to do where it can't be reached, or lets nothing through."""
        return f"Check {self.variable}, {_LEAVE_OUT}"

    def refusal(self, host: str, said: str, call: object) -> ProxyctlError | None:
        """Return the error where it was reached and gives no connection: ``said`` begins with its status then."""
        status = re.match(r"[1-5][0-9]{2}\b", said)
        if status is None:
            return None
        if status[0] != "407":
            what = f"{self} gives no connection to {host} (status {status[0]})"
            return NetworkError(f"{call}: {what}", hint=self.hint)
        return UsageError(
            f"{self} wants a user name and a password, or does not accept those that it got (407).",
            hint=f"Set {self.variable}={self.proxy.url.scheme}://USER:PASSWORD@{self.place}",
        )

    def __str__(self) -> str:
        return f"the proxy {self.place} ({self.variable})"


def proxy_for(host: str) -> NamedProxy | None:
    """Return the proxy that the environment names for https requests to ``host``. UsageError for one that can't be
    used.
    """
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    scheme = "https" if proxies.get("https") else "all"
    text = proxies.get(scheme)
    if not text or proxy_bypass(host):
        return None
    # Small letters come first, as in curl.
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
    variable = next((name for name in names if os.environ.get(name)), "the system's settings")
    try:
        named = NamedProxy(httpx.Proxy(text if "://" in text else f"http://{text}"), variable)
    except (ValueError, httpx.InvalidURL):
        named = None
    if named is None or not _HOST(named.proxy.url.host):
        raise UsageError(
            f"the proxy of {variable} can't be used: it is not an http:// or https:// address.",
            hint=f"Set {variable}={_HOW}, unset it, {_LEAVE_OUT}",
        )
    if named.proxy.url.scheme not in ("http", "https"):
        raise UsageError(
            f"{named} is a SOCKS proxy. proxyctl uses HTTP proxies only.",
            hint=f"Set HTTPS_PROXY={_HOW}, unset {variable}, {_LEAVE_OUT}",
        )
    return named
