"""Where a callback may go: to this machine, and to hosts that were named. Anybody who reaches the sandbox chooses the
URLs, so it must not become a way into other networks.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection

HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(Exception):
    """A callback goes to a host or an address that is not called."""


def addresses_of(host: str, port: int, named: Collection[str]) -> list[str]:
    """The addresses that may be called for the host of a URL: they have to be connected to as they are.

    A name is resolved only if it is in ``named``, or stands for this machine.
    """
    own_name = host.rstrip(".")
    is_named = own_name in named
    if not is_named and own_name != "localhost" and _literal(host) is None:
        raise NotAllowed(_advice(host))
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    unique = dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)
    allowed = [address for address in unique if _is_allowed(address, is_named)]
    if not allowed:
        raise NotAllowed(
            f"{host} is a link-local address, which is never called" if is_named else _advice(host)
        )
    return allowed


def is_link_local(host: str) -> bool:
    """Whether this is a link-local address, such as that of a cloud's metadata."""
    address = _literal(host)
    return address is not None and address.is_link_local


def _is_allowed(text: str, is_named: bool) -> bool:
    address = _literal(text)
    return address is not None and not address.is_link_local and (is_named or address.is_loopback)


def _literal(text: str) -> Address | None:
    """The address that ``text`` is; of one in the clothes of IPv6 the IPv4 address that is reached by it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _advice(host: str) -> str:
    return f"{host} is not this machine, and --callbacks-to does not name it"
