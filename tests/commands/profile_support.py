"""A config of its own, and a loopback server that knows one pair of credentials."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from proxyctl.profiles.store import ProfileStore
from tests.api.stubs import http, raw_server, read_request
from tests.support import Cli, Ran

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "3" * 32
KEY = "SK" + "2" * 32
CANARY = "canary5f8e"


class Home(Cli):
    """The program with a config file that can be written by hand."""

    @property
    def config(self) -> Path:
        return Path(self.environ["PROXYCTL_CONFIG"])

    def run(self, *argv: str, stdin: str = "", terminal: bool = False, **environ: str) -> Ran:
        """Run ``proxyctl ARGV``. No secret may come out."""
        ran = self(*argv, stdin=stdin, tty=terminal, environ=environ)
        assert CANARY not in ran.out + ran.err, ran
        assert "Traceback" not in ran.err
        return ran

    def write(self, text: str) -> None:
        """Write the config file by hand."""
        self.config.parent.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)

    def add(self, name: str, **settings: str) -> None:
        """Save a profile with an auth token."""
        ProfileStore(self.config).save_profile(name, account_sid=ACCOUNT, secret=CANARY, **settings)

    def saved(self, name: str) -> dict[str, object]:
        return dict(ProfileStore(self.config).get(name))


@dataclass
class Server:
    """The address of a server, and the user names that asked it, in order."""

    url: str = ""
    users: list[str] = field(default_factory=list)


@contextmanager
def server(*accepted: str) -> Iterator[Server]:
    """Serve an empty list of Services to the user names ``accepted``, with CANARY as the secret; 401 to others."""
    seen = Server()

    def handle(connection: socket.socket) -> None:
        found = re.search(rb"(?i)authorization: basic (\S+)", read_request(connection))
        user, _, secret = base64.b64decode(found[1] if found else b"").decode().partition(":")
        seen.users.append(user)
        if user in accepted and secret == CANARY:
            body, status = {"services": [], "meta": {"key": "services", "next_page_url": None}}, "200 OK"
        else:
            body, status = {"code": 20003, "message": "Authenticate", "status": 401}, "401 Unauthorized"
        connection.sendall(http(json.dumps(body).encode(), status))

    with raw_server(handle) as port:
        seen.url = f"http://127.0.0.1:{port}"
        yield seen
