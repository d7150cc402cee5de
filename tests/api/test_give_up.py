"""The end of a whole command, as the client keeps to it: no pause beyond it, and no read that lasts longer."""

from __future__ import annotations

import socket
import time

import pytest

from proxyctl.api.client import GiveUp
from proxyctl.api.resources import Call
from proxyctl.errors import DeadlineError, ExitCode, RefusedError, ServerError
from tests.api.stubs import answer, client_of, raw_server, read_request, reader_of, refusal, scripted

PATH = "/v1/Services"


def test_a_delay_that_would_pass_the_end_is_not_waited_for() -> None:
    turned_away = [(f"GET {PATH}", refusal(429))] * 4
    give_up = GiveUp(10, lambda: 2.5)
    with (
        scripted(*turned_away, give_up=give_up, rand=lambda: 1.0) as client,
        pytest.raises(DeadlineError, match="deadline of 10 s was reached") as raised,
    ):
        reader_of(client).request(Call("GET", PATH))
    assert (raised.value.exit_code, raised.value.problem.status) == (ExitCode.TEMPORARY, 429)


def test_what_is_not_tried_again_anyway_stays_its_own_error() -> None:
    for reply, error in ((refusal(400), RefusedError), (refusal(503), ServerError)):
        give_up = GiveUp(10, lambda: 0.0)
        with (
            scripted((f"GET {PATH}", reply), give_up=give_up, retries=0) as client,
            pytest.raises(error),
        ):
            reader_of(client).request(Call("GET", PATH))


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
