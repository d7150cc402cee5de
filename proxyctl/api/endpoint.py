"""Where the API lives and as whom it is called: canonical paths become URLs here, and nowhere else.

Canonical paths are those of one server that holds everything: ``/v1/…`` is Proxy, ``/messaging/v1/…``
Messaging Services, ``/2010-04-01/…`` the account's numbers. Real hosts and other base URLs are mapped from
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from proxyctl.errors import AnswerError, UsageError
from proxyctl.identifiers import SID
from proxyctl.text import cut

PREFIXES = ("/v1/", "/messaging/v1/", "/2010-04-01/")
_HOSTS = {"/v1/": "proxy", "/messaging/v1/": "messaging", "/2010-04-01/": "api"}
is_host = partial(re.fullmatch, r"[A-Za-z0-9._:-]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}

_PATH = partial(re.fullmatch, r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_OURS = partial(re.fullmatch, rf"(?:/v1|/messaging/v1|/2010-04-01)(?:/[A-Z][A-Za-z]+(?:/{SID})?)+(?:\.json)?")

Origin = tuple[str, str, int]


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path: it stays in its place. UsageError if empty."""
    if not text:
        raise UsageError("a SID or name is empty")
    return quote(text, safe="", errors="surrogatepass")


def check_path(path: str, *, typed: bool) -> None:
    """Refuse what names a host, leaves its prefix, or is no path at all."""
    if not path.startswith(PREFIXES):
        hint = f"A path begins with {', '.join(PREFIXES)} and never names a host."
        raise UsageError(f"the path {cut(path, 200)!r} is not one of this API", hint=hint)
    if not _PATH(path) or "//" in path or re.search(r"%(?![0-9A-Fa-f]{2})", path):
        raise UsageError(f"the path {cut(path, 200)!r} has characters that no path of this API has")
    parts = [_decoded(part) for part in path.split("/")]
    if any(part.partition(";")[0] in (".", "..") for part in parts):
        raise UsageError(f"the path {cut(path, 200)!r} has a . or .. between slashes")
    # A name on paper may have a slash: `check_sids` is for what is sent.
    if typed and any(sign in part for part in parts for sign in "/\\"):
        raise UsageError(f"the path {cut(path, 200)!r} has an encoded slash or backslash")


def _decoded(part: str) -> str:
    """Return a part of a path as whoever decodes it, and decodes it again, may read it."""
    while (plain := unquote(part)) != part:
        part = plain
    return part


def check_sids(path: str) -> None:
    """Raise AnswerError where a path of ours, made of what answers say, has something in it that is no SID."""
    if not _OURS(path):
        raise AnswerError(f"{cut(path, 200)!r} was not sent: a response had something else in place of a SID")


def origin_of(scheme: str, host: str, port: int | None) -> Origin:
    """Return what two URLs must share to be one party: scheme, host and port, defaults filled in."""
    return scheme.lower(), host.lower().strip("[]"), port or _DEFAULT_PORTS.get(scheme.lower(), 0)


@dataclass(frozen=True)
class Endpoint:
    """The server, or Twilio's three hosts. ``bases`` maps each canonical prefix to the URL that takes its
    place.

    ``label`` names it to people, and keeps lanes of the rate limit apart.
    """

    label: str
    bases: tuple[tuple[str, str], ...]
    is_loopback: bool = False

    @classmethod
    def twilio(cls, region: str | None = None, edge: str | None = None) -> Endpoint:
        """Twilio's own hosts. An edge without a region implies us1. Both are DNS labels: a profile has no others."""
        region = (region or ("us1" if edge else "")).lower()
        place = "".join(f".{part}" for part in ((edge or "").lower(), region) if part)
        # Messaging's prefix exists on the canonical server only; its own host knows it as /v1.
        bases = tuple(
            (prefix, f"https://{name}{place}.twilio.com{prefix.removeprefix('/messaging')}")
            for prefix, name in _HOSTS.items()
        )
        return cls(f"proxy{place}.twilio.com", bases)

    @classmethod
    def at(cls, base_url: str) -> Endpoint:
        """One server for everything. UsageError unless https, or http on a loopback address. The text is never echoed:
        it may hold a password.
        """
        hint = "Use a URL such as https://proxy.example.com or http://127.0.0.1:8181."
        # urlsplit drops tabs and newlines without a word, and browsers read a backslash as a slash.
        plain = base_url.isascii() and not re.search(r"[\x00-\x20\x7f\\?#]", base_url)
        try:
            url = urlsplit(base_url)
            host, port, path = url.hostname or "", url.port, url.path.rstrip("/")
        except ValueError:
            raise UsageError("the base URL can't be read", hint=hint) from None
        if "@" in url.netloc:
            what = "the base URL has a user name or password"
            raise UsageError(what, hint="Save credentials in a profile: proxyctl auth login")
        known = url.scheme in _DEFAULT_PORTS and is_host(host) and port != 0
        if not plain or not known or ".." in unquote(path) or "//" in path:
            raise UsageError("the base URL is not an https:// address with a plain path", hint=hint)
        loopback = _is_loopback(host)
        if url.scheme == "http" and not loopback:
            what = f"the base URL's host {host} is not on this machine, so http:// would expose the secret"
            raise UsageError(what, hint="Use https://, or the host 127.0.0.1, [::1] or localhost.")
        label = url.netloc.lower() + path
        base = f"{url.scheme}://{label}"
        return cls(label, tuple((prefix, base + prefix) for prefix in PREFIXES), is_loopback=loopback)

    def url(self, path: str) -> str:
        """Return the URL of a canonical path, without a query."""
        return next(base + path[len(prefix) :] for prefix, base in self.bases if path.startswith(prefix))

    @cached_property
    def origins(self) -> frozenset[Origin]:
        """The parties that may be given the credentials."""
        parsed = [urlsplit(base) for _, base in self.bases]
        return frozenset(origin_of(url.scheme, url.hostname or "", url.port) for url in parsed)


def _is_loopback(host: str) -> bool:
    """Is this address on this machine? Parsed, since 127.0.0.1.example.com begins like one that is."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Credentials(NamedTuple):
    """As whom the API is called: the account, a user name (Account SID or API key SID) and what returns its secret.

    That is called on first use: it may run a command of the user's.
    """

    account_sid: str
    username: str
    secret: Callable[[], str]
