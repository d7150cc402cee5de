"""The in-process transport: httpx's whole client against the sandbox, and no socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from proxyctl.runtime.access import IN_PROCESS_URL, sandbox_transport
from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.world.store import Store


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with Store(tmp_path / "sandbox.db") as store:
        transport, auth = sandbox_transport(Sandbox(store)), (ACCOUNT_SID, AUTH_TOKEN)
        with httpx.Client(transport=transport, base_url=IN_PROCESS_URL, auth=auth) as client:
            yield client


def test_a_service_goes_there_and_back_without_a_socket(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    created = client.post("/v1/Services", data={"UniqueName": "caf\u00e9 & +1 =2"})
    assert created.status_code == 201
    assert created.headers["content-type"] == "application/json"
    assert created.headers["twilio-request-id"].startswith("RQ")
    assert created.json()["unique_name"] == "caf\u00e9 & +1 =2"
    assert client.get(created.json()["url"]).json() == created.json()
    deleted = client.delete(created.json()["url"])
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_a_query_and_its_pages_use_the_requests_own_origin(client: httpx.Client) -> None:
    for name in "abc":
        client.post("/v1/Services", data={"UniqueName": name})
    page = client.get("http://localhost:9999/v1/Services", params={"PageSize": 2}).json()
    assert page["meta"]["next_page_url"].startswith(
        "http://localhost:9999/v1/Services?PageSize=2&Page=1&PageToken="
    )
    assert [row["unique_name"] for row in client.get(page["meta"]["next_page_url"]).json()["services"]] == [
        "c"
    ]


def test_wrong_credentials_and_binary_bodies_are_answers(client: httpx.Client) -> None:
    assert client.get("/v1/Services", auth=("AC", "x")).status_code == 401
    assert client.post("/v1/Services", content=b"\xff\x00&UniqueName=%ff").json()["code"] == 80701
    assert client.post("/v1/Services", json={"UniqueName": "x"}).json()["code"] == 80701
    assert client.get("/v1/Services/%00").status_code == 404
