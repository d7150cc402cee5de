"""The table of writes: what shares a rate window, and when a row says that a thing is as wanted.

What each row sends and reads is proved over HTTP: by the contract, and by the golden files of ``--dry-run``.
"""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.resources import Call
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, move_chain, through
from proxyctl.writes.executor import Read, found_in
from proxyctl.writes.flow import Flow
from proxyctl.writes.plan import Chain, Plan, Step
from proxyctl.writes.requests import ADD, ATTACH, REMOVE, VERBS, Request, Verb, raw_request, same
from tests.api.stubs import AC, KS, MG, PN
from tests.writes.talking import request

SERVICES, SERVICE = "/v1/Services", f"/v1/Services/{KS}"
POOL, NUMBER = f"{SERVICE}/PhoneNumbers", f"{SERVICE}/PhoneNumbers/{PN}"
SENDERS = f"/messaging/v1/Services/{MG}/PhoneNumbers"
OWNED = f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers"


READS = {
    **dict.fromkeys(("add", "reserve", "release", "remove"), (NUMBER, POOL)),
    **dict.fromkeys(("attach", "detach"), (f"{SENDERS}/{PN}", SENDERS)),
    **dict.fromkeys(("create_service", "update_service", "delete_service"), (SERVICE, SERVICES)),
    **dict.fromkeys(("restore_webhooks", "set_webhooks"), (f"{OWNED}/{PN}.json", f"{OWNED}.json")),
}


@pytest.mark.parametrize("name", VERBS)
def test_what_is_read_to_verify(name: str) -> None:
    one, (fetched, listed) = request(name), READS[name]
    verb = one.verb
    assert verb.name == name and str(one.listing()) == f"GET {listed}"
    assert str(one.fetch()) == (f"GET {fetched}" if one.sid is not None else "None")
    assert verb.in_service is (one.parent == KS)


def lanes(*requests: Request) -> list[str]:
    """What shares a rate window, as the flow tells the engine."""
    chains = tuple(Chain(Item(f"{i}", None, None), (Step(one),)) for i, one in enumerate(requests))
    return [work.lane for work in Flow(Plan(chains)).start()]


def test_adds_and_updates_of_a_pool_share_a_lane() -> None:
    """Twilio counts a method on a collection, its items included; a read is none of them."""
    requests = {name: request(name) for name in VERBS}
    lane = dict(zip(requests, lanes(*requests.values()), strict=True))
    assert lane["add"] == lane["reserve"] == lane["release"] == f"POST {POOL}"
    assert lane["create_service"] == lane["update_service"] == f"POST {SERVICES}"
    assert lane["remove"] == f"DELETE {POOL}" and lane["delete_service"] == f"DELETE {SERVICES}"
    assert (lane["attach"], lane["detach"]) == (f"POST {SENDERS}", f"DELETE {SENDERS}")
    assert lane["restore_webhooks"] == lane["set_webhooks"] == f"POST {OWNED}.json"
    other = lanes(Request(ADD, "KS" + "9" * 32, PN, "x"))
    assert len({*lane.values(), *other}) == 8
    read = requests["remove"].fetch()
    assert read is not None and read.lane not in lane.values()


@pytest.mark.parametrize(
    ("wanted", "there", "agree"),
    [
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (60, "60", True),
        ("60", 60, True),
        ("60", 61, False),
        ("True", True, False),  # a flag is no text
        ("", None, True),
        ("", "", True),
        (None, "", True),
        ("", "https://v", False),
        ("https://v", "https://v", True),
        ("https://v", None, False),
    ],
)
def test_same(wanted: Any, there: Any, agree: bool) -> None:
    assert same(wanted, there) is agree


def test_agrees() -> None:
    """All that was asked for, and no more; what is removed agrees where it is gone."""
    add = Request(ADD, KS, PN, "x", "+1415", {"is_reserved": True})
    assert add.agrees({"is_reserved": True, "in_use": 3})
    assert not add.agrees({"is_reserved": False}) and not add.agrees({}) and not add.agrees(None)
    assert Request(ATTACH, MG, PN, "x").agrees({}) and not Request(ATTACH, MG, PN, "x").agrees(None)
    remove = Request(REMOVE, KS, PN, "x")
    assert remove.agrees(None) and not remove.agrees({})


def test_names() -> None:
    """By the SID where it is known, else by the number, or the name of a Service."""
    row = {"sid": PN, "phone_number": "+1415", "unique_name": "masking"}

    def named(verb: Verb, sid: str | None, name: str, number: str | None = None) -> bool:
        request, listed = Request(verb, KS, sid, name, number), {row["sid"]: row, row[verb.key]: row}
        return found_in(listed, Read(Call("GET", POOL), (), verb.key), request) is row

    assert named(ADD, PN, "y", "+1416") and not named(ADD, "PN9", "+1415", "+1415")
    assert named(ADD, None, "(415)", "+1415") and not named(ADD, None, "+1415", "+1416")
    assert named(VERBS["create_service"], None, "masking") and not named(
        VERBS["create_service"], None, "mask"
    )


def test_a_request_that_was_typed_whole() -> None:
    create, update, delete = (
        raw_request(Call(method, path))
        for method, path in (("POST", POOL), ("POST", NUMBER), ("DELETE", NUMBER))
    )
    assert [str(one.call()) for one in (create, update, delete)] == [
        f"POST {POOL}",
        f"POST {NUMBER}",
        f"DELETE {NUMBER}",
    ]
    assert [one.verb.creates for one in (create, update, delete)] == [True, False, False]
    assert [one.verb.removes for one in (create, update, delete)] == [False, False, True]
    assert lanes(create, update, delete) == [f"POST {POOL}", f"POST {POOL}", f"DELETE {POOL}"]


def test_what_a_move_keeps_of_a_number() -> None:
    """Each request has both names of it, so that a record of any tells which number it was."""
    row = {"sid": PN, "phone_number": "+1415", "is_reserved": True}
    for item in (Item("x", PN, None), Item("x", None, "+1415")):
        chain = through(move_chain(Home(KS), Home("KS9"), item, row, True), MG, MG)
        requests = [step.request for step in chain.steps] + [
            step.rollback.request for step in chain.steps if step.rollback
        ]
        assert {(one.sid, one.phone_number) for one in requests} == {(PN, "+1415")}
        assert all(one.kept["move"] == requests[0].kept["move"] for one in requests)
