"""What a failure below HTTP means: could the request have been carried out, and may it fare better later?"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from proxyctl.api.calls import Call
from proxyctl.errors import NetworkError

# The request did not leave, or reached nobody who could carry it out.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def failure_of(call: Call, error: httpx.HTTPError, host: str, timeout: float) -> NetworkError:
    """Return the error for a request to ``host`` that got no whole answer within ``timeout`` seconds."""
    tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if isinstance(error, httpx.ConnectError) and tls is not None:
        return _tls_failure(call, tls, host)
    return NetworkError(
        f"{call}: {_what(error, host, timeout)}",
        hint="check the network, then run the same command again",
        may_have_happened=call.writes and not isinstance(error, _UNSENT),
        repeatable=not isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError),
    )


def _what(error: httpx.HTTPError, host: str, timeout: float) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return f"no connection to {host} within {timeout:g} s"
    if isinstance(error, httpx.TimeoutException):
        return f"no whole answer from {host} within {timeout:g} s"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy that HTTPS_PROXY names does not let us reach {host}"
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error, host)
    if isinstance(error, httpx.RemoteProtocolError):
        return f"{host} closed the connection too early or does not speak HTTP properly"
    if isinstance(error, httpx.NetworkError):
        return f"the connection to {host} broke"
    return f"the request to {host} failed"


def _no_connection(error: httpx.HTTPError, host: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror | UnicodeError):
            return f"the name {host} can't be looked up"
        if isinstance(cause, ConnectionRefusedError):
            return f"{host} refused the connection"
    return f"no connection to {host}"


def _tls_failure(call: Call, error: ssl.SSLError, host: str) -> NetworkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkError(
            f"{call}: the certificate of {host} is not trusted: {error.verify_message}",
            hint="if a certificate authority of your own signed it, name its file in SSL_CERT_FILE",
            repeatable=False,
        )
    foreign = error.reason in (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNKNOWN_PROTOCOL",
        "UNSUPPORTED_PROTOCOL",
    )
    return NetworkError(
        f"{call}: no secure connection to {host}" + (": it does not speak TLS as we do" if foreign else ""),
        hint="check that the base URL's scheme and port belong together" if foreign else None,
        repeatable=not foreign,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk down to what the system said: httpcore keeps it as an argument, a cause or a context."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        cause = queue.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        queue += [
            cause.__cause__,
            cause.__context__,
            *(a for a in cause.args if isinstance(a, BaseException)),
        ]
