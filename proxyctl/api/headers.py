"""The headers that every request bears: who calls, and with what program."""

from __future__ import annotations

import base64
import os
import sys

from proxyctl import __version__
from proxyctl.api.endpoint import Credentials
from proxyctl.errors import AuthenticationError
from proxyctl.redact import Redactor


def standing_headers(credentials: Credentials, redactor: Redactor) -> dict[str, str]:
    """Return them; the redactor learns the secret first. AuthenticationError where it can't be sent."""
    secret = credentials.secret()
    redactor.add(secret)
    try:
        pair = f"{credentials.username}:{secret}".encode()
    except UnicodeEncodeError:
        raise AuthenticationError(
            "the secret is not valid text (UTF-8)", hint="`proxyctl auth login`"
        ) from None
    return {
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": _user_agent(),
    }


def _user_agent() -> str:
    import httpx

    system = os.uname()
    python = ".".join(str(part) for part in sys.version_info[:3])
    place = f"{system.sysname.lower()} {system.machine}"
    return f"proxyctl/{__version__} ({place}) Python/{python} httpx/{httpx.__version__}"
