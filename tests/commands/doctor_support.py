"""A server for the doctor to examine, and how its findings are read."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

from tests.api.stubs import AC, http, raw_server, read_request
from tests.support import Cli, Ran

CANARY = "canary5f8e"
REQUEST_ID = "RQ" + "d" * 32
LIST = json.dumps({"services": [], "meta": {"key": "services", "next_page_url": None}}).encode()
LOCAL = ["program", "config", "credentials", "state"]
NETWORK = ["server", "call", "clock"]
AROUND = ["terminal"]
STARTUP_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@contextmanager
def answering(
    body: bytes = LIST, status: str = "200 OK", *, off: float | None = 0.0, wrap: Any = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Serve one answer to all, whose Date is ``off`` seconds from now; yields the port and the requests."""
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        date = [] if off is None else [f"Date: {formatdate(time.time() + off, usegmt=True)}"]
        connection.sendall(http(body, status, f"Twilio-Request-Id: {REQUEST_ID}", *date))

    with raw_server(handle, wrap) as port:
        yield port, seen


def examine(cli: Cli, *options: str, url: str | None = None, tty: bool = False, **environ: str) -> Ran:
    """Run the doctor with credentials from the environment (where there is a URL); no secret may come out."""
    if url is not None:
        environ = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_AUTH_TOKEN": CANARY, "PROXYCTL_BASE_URL": url, **environ}
    ran = cli("doctor", *options, tty=tty, environ=environ)
    assert CANARY not in ran.out + ran.err
    assert "Traceback" not in ran.err
    return ran


def found(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return the rows by check."""
    return {row["check"]: row for row in ran.rows}


def states(ran: Ran, state: str) -> list[str]:
    return [row["check"] for row in ran.rows if row["state"] == state]


def write_config(cli: Cli, text: str, mode: int = 0o600) -> Path:
    path = cli.directory / "config" / "config.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path
