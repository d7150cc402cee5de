"""What a failure below HTTP means: could the request have been carried out, and may it fare better later?"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from proxyctl.api.environment import NOT_TLS, proxy_for
from proxyctl.api.resources import Call
from proxyctl.errors import NetworkError, ProxyctlError
from proxyctl.files import ran_out_of_files

# The request did not leave, or reached nobody who could carry it out.
_NEVER = httpx.UnsupportedProtocol | httpx.LocalProtocolError
_UNSENT = httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError | _NEVER

# What OpenSSL says of a certificate that it does not trust (X509_V_ERR_…): what is wrong with it, and what to do.
_AUTHORITY = "If your own certificate authority signed it, set SSL_CERT_FILE to the authority's file."
_ELSEWHERE = "Check the base URL. Another server may respond in its place."
_CERTIFICATES = {
    9: ("is not valid yet", "Check this machine's clock."),
    10: ("has expired", "Check this machine's clock. If it is right, the server needs a new certificate."),
    **dict.fromkeys((62, 64), ("belongs to another host", _ELSEWHERE)),
    **dict.fromkeys((2, 18, 19, 20, 21), ("is signed by an authority that is not trusted here", _AUTHORITY)),
}


def failure_of(call: Call, error: BaseException, host: str, timeout: float) -> ProxyctlError:
    """Return the error for a request to ``host`` that got no whole answer within ``timeout`` seconds."""
    place, unsent = host, isinstance(error, _UNSENT)
    hint = "Check the network, then run the same command again."
    if isinstance(error, httpx.ConnectError | httpx.ProxyError) and _ran_out_of_files(error):
        what = f"no connection to {host}: too many files are open"
        return NetworkError(f"{call}: {what}", hint="Raise the limit of open files: ulimit -n 1024.")
    foreign_hint = "Check that the scheme and the port of the base URL fit together."
    if isinstance(error, httpx.ProxyError) and (named := proxy_for(host)):
        if refused := named.refusal(host, str(error), call):
            return refused
        place, hint, error = str(named), named.hint, error.__cause__ or error
        foreign_hint = f"If it is an HTTP proxy, write http:// in {named.variable}."
    tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if isinstance(error, httpx.ConnectError) and tls is not None:
        return _tls_failure(call, tls, place, foreign_hint)
    return NetworkError(
        f"{call}: {_what(error, place, timeout)}",
        hint=hint,
        may_have_happened=call.writes and not unsent,
        repeatable=not isinstance(error, _NEVER),
    )


# The first that fits says what happened.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectTimeout, "no connection to {host} within {timeout:g} s"),
    (httpx.PoolTimeout, "no connection to {host} within {timeout:g} s"),
    (httpx.TimeoutException, "no complete response from {host} within {timeout:g} s"),
    (httpx.RemoteProtocolError, "{host} closed the connection too early, or did not send HTTP"),
    (httpx.ConnectError, "no connection to {host}"),
    (httpx.NetworkError, "the connection to {host} broke"),
    (BaseException, "the request to {host} failed"),
)


def _what(error: BaseException, place: str, timeout: float) -> str:
    for cause in _causes(error) if isinstance(error, httpx.ConnectError) else ():
        if isinstance(cause, socket.gaierror | UnicodeError):
            return f"the name of {place} can't be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return f"{place} refused the connection"
    words = next(words for kind, words in _WORDS if isinstance(error, kind))
    return words.format(host=place, timeout=round(timeout, 2))


def _ran_out_of_files(error: BaseException) -> bool:
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        # The resolver opens files too, and says of a failure only that the name is not known.
        try:
            socket.socket().close()
        except OSError as failure:
            causes.append(failure)
    return any(isinstance(cause, OSError) and ran_out_of_files(cause) for cause in causes)


def _tls_failure(call: Call, error: ssl.SSLError, place: str, foreign_hint: str) -> NetworkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        what, hint = _CERTIFICATES.get(error.verify_code, ("is not trusted", None))
        message = f"{call}: the certificate of {place} {what}: {error.verify_message}"
        return NetworkError(message, hint=hint, repeatable=False)
    foreign = error.reason in NOT_TLS
    why = ": it does not speak TLS of a known version" if foreign else ""
    hint = foreign_hint if foreign else None
    return NetworkError(f"{call}: no secure connection to {place}{why}", hint=hint, repeatable=not foreign)


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
        inner = [one for one in cause.args if isinstance(one, BaseException)]
        queue += [cause.__cause__, cause.__context__, *inner]
