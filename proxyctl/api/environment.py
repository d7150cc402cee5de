"""What the environment says on connections: the proxy for requests to Twilio, with what is said where it lets none
through, and the certificates to trust. Of a proxy's URL only host and port are shown: it may hold a password.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import httpx

from proxyctl.api.endpoint import is_host
from proxyctl.errors import NetworkError, ProxyctlError, UsageError

_LEAVE_OUT = "or name the host in NO_PROXY."
_HOW = "http://HOST:PORT"

# What OpenSSL says of a peer that does not speak TLS.
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "UNSUPPORTED_PROTOCOL")
_HASHED = partial(re.fullmatch, r"[0-9a-f]{8}\.\d+")


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
        what = f"{self} wants a user name and a password, or does not accept those that it got (407)."
        hint = f"Set {self.variable}={self.proxy.url.scheme}://USER:PASSWORD@{self.place}"
        return UsageError(what, hint=hint)

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
    if named is None or not is_host(named.proxy.url.host):
        what = f"the proxy of {variable} can't be used: it is not an http:// or https:// address."
        raise UsageError(what, hint=f"Set {variable}={_HOW}, unset it, {_LEAVE_OUT}")
    if named.proxy.url.scheme not in ("http", "https"):
        hint = f"Set HTTPS_PROXY={_HOW}, unset {variable}, {_LEAVE_OUT}"
        raise UsageError(f"{named} is a SOCKS proxy. proxyctl uses HTTP proxies only.", hint=hint)
    return named


# Certificates, loaded as late and as little as possible: the whole bundle costs 40 ms, a directory none.


def tls_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return a context that checks certificates and host names.

    SSL_CERT_FILE and SSL_CERT_DIR are used first; then the system's hashed directory, from which OpenSSL reads the one
    certificate that it needs; then the system's bundle; then certifi's. UsageError where the environment names
    something that can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, directory = environ.get("SSL_CERT_FILE") or None, environ.get("SSL_CERT_DIR") or None
    # OpenSSL takes a directory that is not there without a word, and every certificate would fail later.
    if directory and not all(os.path.isdir(part) for part in directory.split(os.pathsep)):  # noqa: PTH112
        raise UsageError(f"SSL_CERT_DIR names {directory}, which is not a directory")
    if not file and not directory:
        file, directory = _of_the_system()
    try:
        context.load_verify_locations(cafile=file, capath=directory)
    except (OSError, ValueError):
        hint = "Fix the path, or unset SSL_CERT_FILE to use the system's certificates."
        what = f"SSL_CERT_FILE names {file}, which can't be read as certificates (PEM)"
        raise UsageError(what, hint=hint) from None
    return context


def _of_the_system() -> tuple[str | None, str | None]:
    """Return the bundle or the directory of certificates that the system has, or certifi's bundle."""
    paths = ssl.get_default_verify_paths()
    if _is_hashed(paths.capath):
        return None, paths.capath
    if paths.cafile:
        return paths.cafile, None
    import certifi

    return certifi.where(), None


def _is_hashed(directory: str | None) -> bool:
    """Does it hold certificates under the names that OpenSSL reads?"""
    try:
        with os.scandir(directory or "") as entries:
            return any(_HASHED(entry.name) for entry in entries)
    except OSError:
        return False
