"""What a refusal of a participant says besides: how many numbers fit, are reserved, and are held, and of nobody who."""

from __future__ import annotations

from typing import Any

from proxyctl.api.models import PhoneNumber
from proxyctl.commands.session.holders import facts_of_pool, facts_of_sessions

HOLDER, OTHER = "+12125550177", "+12125550188"


def number(index: int, country: str, *, reserved: bool = False) -> PhoneNumber:
    return PhoneNumber({"sid": f"PN{index}", "iso_country": country, "is_reserved": reserved})


def session(sid: str, *people: str) -> dict[str, Any]:
    rows = [{"sid": f"KP{who}", "identifier": who, "proxy_identifier": f"+1{sid}"} for who in people]
    return {"sid": sid, "participants": rows}


def test_numbers_are_counted_by_the_participants_country() -> None:
    pool = [number(1, "US"), number(2, "US", reserved=True), number(3, "DE")]
    assert facts_of_pool(pool, {HOLDER}) == [
        "The pool has 3 numbers, 1 reserved.",
        "2 numbers of the country US, 1 reserved.",
    ]
    assert facts_of_pool(pool, {"messenger:1"}) == ["The pool has 3 numbers, 1 reserved."]


def test_what_is_held_elsewhere_is_named_by_session_alone() -> None:
    rows = [session("KC1", HOLDER, OTHER), session("KC2", OTHER), session("KC3", HOLDER)]
    (said,) = facts_of_sessions(rows, {HOLDER}, "KC3")
    assert said == "The participant holds 1 number in KC1."
    assert HOLDER not in said
    assert facts_of_sessions(rows, {"+4915112345678"}, "") == [
        "In 3 active Sessions that could be read, the participant holds none."
    ]
    assert facts_of_sessions([], {HOLDER}, "") == [
        "In 0 active Sessions that could be read, the participant holds none."
    ]
