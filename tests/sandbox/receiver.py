"""An application on loopback that takes callbacks: what came in, checked for its signature, and what it answers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from proxyctl.sandbox.context import AUTH_TOKEN

Form = dict[str, str]
Reply = tuple[int, str, str]  # status, content type, body
NOTHING: Reply = (204, "text/plain", "")


@dataclass
class Receiver:
    """``answers`` has what a path answers: a reply, or what makes one of the form."""

    url: str
    calls: list[tuple[str, Form]] = field(default_factory=list)
    answers: dict[str, Reply | Callable[[Form], Reply]] = field(default_factory=dict)
    invalid: list[str] = field(default_factory=list)

    def forms(self, path: str) -> list[Form]:
        return [form for called, form in self.calls if called == path]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Take callbacks for the length of the block; all of them have to be signed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(parse_qsl(body, keep_blank_values=True))
            url = f"http://{self.headers['Host']}{self.path}"
            if not RequestValidator(AUTH_TOKEN).validate(url, form, self.headers["X-Twilio-Signature"]):
                receiver.invalid.append(url)
            receiver.calls.append((self.path, form))
            answer = receiver.answers.get(self.path, NOTHING)
            status, kind, text = answer(form) if callable(answer) else answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
    assert receiver.invalid == []
