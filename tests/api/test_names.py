"""Names of hosts on a machine that grants no more files or threads."""

from __future__ import annotations

import errno
import os
import socket
import threading
from types import SimpleNamespace

import httpx
import pytest

from proxyctl.api import failures, wire
from proxyctl.api.resources import Call

LIST = Call("GET", "/v1/Services")


@pytest.mark.parametrize("free", [True, False])
def test_a_name_that_cannot_be_looked_up_since_no_file_can_be_opened(
    free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver says the same, whether the name is unknown or the files have run out."""

    def opened() -> socket.socket:
        if free:
            return socket.socket()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    system = SimpleNamespace(gaierror=socket.gaierror, socket=opened)
    monkeypatch.setattr(failures, "socket", system)
    error = httpx.ConnectError("unknown")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    found = failures.failure_of(LIST, error, "proxy.twilio.com", 60.0)
    assert ("looked up" in found.message) is free
    assert ("too many files" in found.message) is not free


def test_without_a_thread_a_name_is_looked_up_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert "127.0.0.1" in wire.addresses("localhost", 80, 5.0)
