"""The end of a whole command, as the client keeps to it: no pause beyond it, and no read that lasts longer."""

from __future__ import annotations

import socket
import time

import pytest

from proxyctl.api.client import GiveUp, RetryPolicy, Tally
from proxyctl.api.resources import Call
from proxyctl.errors import DeadlineError, ExitCode, NetworkError, Problem, RefusedError, ThrottledError
from tests.api.stubs import answer, client_of, raw_server, read_request, reader_of, scripted

PATH = "/v1/Services"


def test_a_delay_that_would_pass_the_end_is_not_waited_for() -> None:
    policy = RetryPolicy(4, lambda: 1.0, give_up=GiveUp(10, lambda: 2.5))
    tally = Tally()
    error = ThrottledError("too many requests", problem=Problem(429))
    assert [policy.after(error, tally) for _ in range(3)] == [0.5, 1.0, 2.0]
    with pytest.raises(DeadlineError, match="deadline of 10 s was reached") as raised:
        policy.after(error, tally)
    assert raised.value.exit_code == ExitCode.TEMPORARY
    assert raised.value.problem is error.problem


def test_what_is_not_tried_again_anyway_stays_its_own_error() -> None:
    policy = RetryPolicy(0, lambda: 1.0, give_up=GiveUp(10, lambda: 0.0))
    for error in (RefusedError("no"), NetworkError("refused")):
        assert policy.after(error, Tally()) is None


def test_the_first_try_is_made_although_time_is_up() -> None:
    with scripted((f"GET {PATH}", answer({"sid": "x"})), give_up=GiveUp(1, lambda: -5.0)) as client:
        assert reader_of(client).request(Call("GET", PATH)).status == 200


def test_a_read_that_hangs_ends_with_the_command() -> None:
    def hang(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)

    began = time.monotonic()
    give_up = GiveUp(0.2, lambda: began + 0.2 - time.monotonic())
    with (
        raw_server(hang) as port,
        client_of(port, give_up=give_up) as client,
        pytest.raises(DeadlineError),
    ):
        reader_of(client).request(Call("GET", PATH))
    assert time.monotonic() - began < 5


def test_a_write_is_waited_for() -> None:
    with client_of(give_up=GiveUp(1, lambda: 1.0)) as client:
        assert client._seconds_for(Call("POST", PATH)) == 60
        assert client._seconds_for(Call("GET", PATH)) == 1
