"""The certificates to trust, loaded as late and as little as possible: the whole bundle costs 40 ms, a
directory none.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from functools import partial

from proxyctl.errors import UsageError

# What OpenSSL says of a peer that does not speak TLS.
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "UNSUPPORTED_PROTOCOL")
_HASHED = partial(re.fullmatch, r"[0-9a-f]{8}\.\d+")


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
        raise UsageError(
            f"SSL_CERT_FILE names {file}, which can't be read as certificates (PEM)",
            hint="Fix the path, or unset SSL_CERT_FILE to use the system's certificates.",
        ) from None
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
