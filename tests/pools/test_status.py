"""The counts of a pool: page by page, whatever the API sends, and in agreement with counting it all at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxyctl.pools.status import BUSIEST, PARTS, PoolStatus, status_of

Row = dict[str, Any]
ROWS = st.lists(
    st.fixed_dictionaries(
        {"sid": st.integers(0, 10**6).map(lambda number: f"PN{number:032x}")},
        optional={
            "phone_number": st.sampled_from(["+14155550100", "12345", None, 7]),
            "is_reserved": st.sampled_from([True, False, None]),
            "in_use": st.one_of(st.integers(-1, 300), st.none(), st.text(max_size=2)),
            "iso_country": st.sampled_from(["US", "GB", "", None]),
            "capabilities": st.one_of(
                st.none(), st.dictionaries(st.text(max_size=3), st.sampled_from([True, False, None, 1]))
            ),
        },
    ),
    max_size=30,
)


@given(ROWS, st.integers(1, 7))
def test_pages_add_up_to_the_whole(rows: list[Row], size: int) -> None:
    pages = [rows[start : start + size] for start in range(0, len(rows), size)]
    status = status_of("KS", "a", pages)
    assert status.row() == status_of("KS", "a", [rows]).row()
    assert status.numbers == status.reserved + status.unreserved == len(rows)
    assert 0 <= status.in_use <= status.sessions
    assert sum(status.by_country.values()) == len(rows)
    sessions = sorted((row["in_use"] for row in rows if isinstance(row.get("in_use"), int)), reverse=True)
    assert [each["in_use"] for each in status.busiest] == [n for n in sessions if n > 0][:BUSIEST]


@given(ROWS, st.sampled_from(["country", "area-code"]))
def test_the_parts_of_a_pool_add_up_to_the_whole(rows: list[Row], by: str) -> None:
    status = status_of("KS", "a", [rows], by)
    whole, parts = status.row(), status.rows()
    assert all(list(part)[:-1] == list(whole) for part in parts), "the part is the last column"
    for name in ("reserved", "unreserved", "in_use", "idle", "sessions"):
        assert sum(part[name] for part in parts) == whole[name]
    assert len({part[by.replace("-", "_")] for part in parts}) == len(parts) >= 1
    assert status_of("KS", "a", [rows]).rows() == [whole]


@given(ROWS)
def test_the_parts_by_capability_are_the_counts_of_the_whole(rows: list[Row]) -> None:
    status = status_of("KS", "a", [rows], "capability")
    found = {part["capability"]: part["reserved"] + part["unreserved"] for part in status.rows()}
    found.pop(None, None)
    assert found == status.row()["by_capability"]
    assert set(PARTS) == {"country", "area-code", "capability"}


def pool(reserved: int, unreserved: int, in_use: int = 0) -> PoolStatus:
    rows = [{"sid": "PN", "is_reserved": True, "in_use": in_use}] * reserved
    return status_of("KS", "a", [rows, [{"sid": "PN", "is_reserved": False}] * unreserved])


def test_the_share_is_the_larger_of_the_two_with_one_decimal() -> None:
    assert pool(0, 0).row()["share"] == 0.0
    assert pool(2500, 1).row()["share"] == 50.0
    assert pool(2500, 333).row()["share"] == 66.6
    assert pool(5001, 0).row()["share"] == 100.0, "shown as it rounds"
    assert pool(5001, 0).above(100) == ["reserved 100.0 % (5001 of 5000)"], "judged as it is"


def test_above_names_each_share_that_is() -> None:
    status = pool(4300, 430)
    assert status.above(85) == ["reserved 86.0 % (4300 of 5000)", "unreserved 86.0 % (430 of 500)"]
    assert status.above(86) == []
    assert pool(0, 1).above(0) == ["unreserved 0.2 % (1 of 500)"]


def test_warnings_begin_where_twilio_s_do() -> None:
    assert pool(4249, 424).warnings == []
    assert [text.split(" ")[0] for text in pool(4250, 425).warnings] == ["reserved", "unreserved"]
    assert pool(1, 0, in_use=100).warnings == []
    assert "1 number has" in pool(1, 0, in_use=101).warnings[0]
    assert "2 numbers have" in pool(2, 0, in_use=101).warnings[0]
