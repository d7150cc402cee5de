"""A config of its own, a program run in process, and a loopback server that knows one pair of credentials."""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from proxyctl.cli import main

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "3" * 32
KEY = "SK" + "2" * 32
CANARY = "canary5f8e"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Run:
    """What one run of the program left."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """Return the rows of a tsv answer."""
        header, *lines = (line.split("\t") for line in self.out.splitlines())
        return [dict(zip(header, line, strict=True)) for line in lines]


@dataclass
class Home:
    """A user's config and state, and the environment that leads there."""

    directory: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def run(self, *argv: str, stdin: str = "", terminal: bool = False, **environ: str) -> Run:
        """Run ``proxyctl ARGV`` in process; with ``terminal``, stdin and stderr are one. No secret may come out."""
        stream = Terminal if terminal else io.StringIO
        out, err = io.StringIO(), stream()
        base = {
            "PATH": os.environ["PATH"],
            "PROXYCTL_CONFIG": str(self.config),
            "PROXYCTL_STATE_DIR": str(self.directory / "state"),
        }
        code = main(argv, environ=base | self.environ | environ, stdin=stream(stdin), stdout=out, stderr=err)
        run = Run(code, out.getvalue(), err.getvalue())
        assert CANARY not in run.out + run.err, run
        assert "Traceback" not in run.err
        return run

    def write(self, text: str) -> None:
        """Write the config file by hand."""
        self.config.write_text(text)
        self.config.chmod(0o600)

    def add(self, name: str, **settings: str) -> None:
        """Save a profile with an auth token."""
        from proxyctl.profiles import ProfileStore

        ProfileStore(self.config).save_profile(name, account_sid=ACCOUNT, secret=CANARY, **settings)


@dataclass
class Server:
    """The address of a server, and the user names that asked it, in order."""

    url: str
    users: list[str] = field(default_factory=list)


@contextmanager
def server(*accepted: str) -> Iterator[Server]:
    """Serve an empty list of Services to the user names ``accepted``, with CANARY as the secret; 401 to others."""
    seen = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
            user, _, secret = base64.b64decode(encoded).decode().partition(":")
            seen.users.append(user)
            good = scheme == "Basic" and user in accepted and secret == CANARY
            body = {"code": 20003, "message": "Authenticate", "more_info": "", "status": 401}
            if good:
                body = {"services": [], "meta": {"key": "services", "next_page_url": None}}
            data = json.dumps(body).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        seen.url = f"http://127.0.0.1:{http.server_port}"
        try:
            yield seen
        finally:
            http.shutdown()
            thread.join()
