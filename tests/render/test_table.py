"""Tables: what they look like (goldens), what gives way when space is short, and what never does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from proxyctl.render.cells import capabilities, moment
from proxyctl.render.shape import ALWAYS, SID, Column, Kind, Shape
from proxyctl.render.shapes import FOUND, HISTORY, PHONE_NUMBER, PROFILE, RESULT, SERVICE
from proxyctl.render.table import fit
from proxyctl.roles import Role, painted
from tests.render.rows import number, output, service

GOLDEN = Path(__file__).parent.parent / "golden"
LONG = "https://example.com/" + "x" * 100
SERVICES = [
    service(1, callback_url=LONG),
    service(2, unique_name="[/oops]\x1b[31m\u202e", default_ttl=0, callback_url=None),
    service(
        3,
        unique_name="a-name-that-is-much-longer-than-any-column-should-be " * 2,
        geo_match_level="area-code",
    ),
    service(4, unique_name="名前 café"),
]
NUMBERS = [number(0), number(7), number(1234, capabilities={"voice_inbound": True}, friendly_name="x" * 64)]
RESULTS: list[dict[str, Any]] = [
    {
        "input": "+14155550100",
        "sid": "PN" + "1" * 32,
        "phone_number": "+14155550100",
        "action": "reserved",
        "is_reserved": True,
        "error": None,
    },
    {
        "input": "+14155550199",
        "sid": None,
        "phone_number": "+14155550199",
        "action": "failed",
        "is_reserved": None,
        "error": {"code": 80301, "message": "The number is not owned by the account.", "exit_code": 5},
    },
]
HISTORIES = [
    {
        "sign": "✗",
        "id": "20261122-053000-123",
        "time": 1795325400.5,
        "command": "number reserve -f numbers.csv",
        "service": "masking",
        "changed": 4980,
        "failed": 20,
        "exit_code": 6,
        "took": "2m46s",
    }
]
TABLES = {
    "services": (SERVICE, SERVICES),
    "numbers": (PHONE_NUMBER, NUMBERS),
    "results": (RESULT, RESULTS),
    "history": (HISTORY, HISTORIES),
}


def table(shape: Shape, rows: list[dict[str, Any]], **options: Any) -> str:
    out, stream = output("table", **options)
    assert out.rows(shape, [rows[:1], rows[1:]]) == len(rows)
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", TABLES)
def test_golden(name: str, width: int) -> None:
    text = table(*TABLES[name], width=width)
    assert text == (GOLDEN / f"table_{name}_{width}.txt").read_text(encoding="utf-8")
    assert max(map(cell_len, text.splitlines())) <= width


def test_zeros_dashes_and_sids_are_faint_and_a_load_is_drawn() -> None:
    text = table(PHONE_NUMBER, [number(0), number(38), number(130)], width=80, color=True)
    assert painted("0", Role.FAINT) in text and painted("–", Role.FAINT) in text
    assert painted(number(0)["sid"], Role.FAINT) in text
    assert painted("130 █!", Role.WARNING) in text and "  38 ▄ " in text
    assert not re.search("[▁-█]", table(PHONE_NUMBER, [number(38)]))


def test_golden_in_ascii() -> None:
    out, stream = output("table", width=80, ascii_only=True)
    out.rows(PHONE_NUMBER, [NUMBERS])
    assert stream.getvalue() == (GOLDEN / "table_numbers_80_ascii.txt").read_text(encoding="ascii")


def test_golden_of_one_object() -> None:
    out, stream = output("table", width=80)
    out.one(SERVICE, SERVICES[1] | {"brand_new": {"deep": [1, None]}})
    assert stream.getvalue() == (GOLDEN / "table_one_service_80.txt").read_text(encoding="utf-8")


def test_a_pipe_gets_everything_plain() -> None:
    text = table(SERVICE, SERVICES)
    lines = text.splitlines()
    assert len(lines) == 1 + len(SERVICES)
    assert LONG in text and "a-name-that-is-much-longer" in text and "…" not in text and "─" not in text
    assert len(re.split(r" {2,}", lines[1].strip())) == len(SERVICE.columns)


@given(st.integers(1, 250), st.sampled_from(sorted(TABLES)), st.booleans())
def test_what_names_a_row_is_whole_at_any_width(width: int, name: str, ascii_only: bool) -> None:
    """A SID is whole too, or not there; its whole column is faint."""
    shape, rows = TABLES[name]
    text = table(shape, rows, width=width, ascii_only=ascii_only)
    whole = [row[key] for row in rows for key in ("phone_number", "id") if row.get(key)]
    assert all(value in text for value in whole)
    sids = [row["sid"] for row in rows if row.get("sid")]
    assert all(sid in text for sid in sids) or not any(sid[:12] in text for sid in sids)
    needed = max(map(cell_len, [*whole, *sids[: not whole]]), default=12)
    assert max(map(cell_len, text.split("\n\n")[0].splitlines())) <= max(width, needed, 12)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_fits_a_narrow_terminal(name: str) -> None:
    text = table(*TABLES[name], width=40)
    assert max(map(cell_len, text.splitlines())) <= 40
    assert len(text.splitlines()[0].split("  ")) > 1


def test_the_sid_goes_last() -> None:
    """At 50 columns the SID leaves room for nothing else; where it has none itself, others take it."""
    assert table(PHONE_NUMBER, NUMBERS, width=50).split("\n")[0].split() == ["Phone", "number", "SID"]
    assert "Reserved" in table(PHONE_NUMBER, NUMBERS, width=40).split("\n")[0]


@given(
    st.lists(
        st.tuples(st.integers(0, ALWAYS), st.sampled_from(Kind), st.integers(1, 60)), min_size=1, max_size=8
    ),
    st.integers(1, 200),
)
def test_fit(columns: list[tuple[int, Kind, int]], width: int) -> None:
    wanted = [(Column("f", "Title", importance, kind), natural) for importance, kind, natural in columns]
    widths = fit(wanted, width)
    kept = [
        (column, natural, got)
        for (column, natural), got in zip(wanted, widths, strict=True)
        if got is not None
    ]
    assert all(got <= natural for _, natural, got in kept)
    assert all(got == natural for column, natural, got in kept if column.kind not in (Kind.TEXT, Kind.FOLD))
    assert all(
        got is not None
        for (column, _), got in zip(wanted, widths, strict=True)
        if column.importance == ALWAYS
    )
    total = sum(got for _, _, got in kept) + 2 * (len(kept) - 1)
    assert total <= width or len(kept) == 1 or all(column.importance == ALWAYS for column, _, _ in kept)
    dropped = [column.importance for (column, _), got in zip(wanted, widths, strict=True) if got is None]
    least_kept = min(column.importance for column, _, _ in kept)
    assert len(kept) == 1 or all(importance in (*range(least_kept + 1), SID) for importance in dropped)
    if total < width and len(kept) == len(wanted):
        assert all(got == natural for _, natural, got in kept)


def test_chosen_fields_are_never_dropped() -> None:
    text = table(SERVICE, SERVICES, width=40, fields="url,sid,callback_url,links.sessions")
    assert text.splitlines()[0].split("  ")[0].strip() == "Url"
    assert all(row["sid"] in text for row in SERVICES)
    assert "Links sessions" in text.splitlines()[0]


def test_columns_that_hold_nothing_give_way_first() -> None:
    rows = [number(1, friendly_name="a friendly name", iso_country=None)]
    assert "Country" not in table(PHONE_NUMBER, rows, width=90).splitlines()[0]
    assert "Country" in table(PHONE_NUMBER, rows, width=200).splitlines()[0]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "no numbers"), (1, "1 number"), (2, "2 numbers"), (12345, "12,345 numbers")]
)
def test_count(count: int, text: str) -> None:
    out, stream = output("table", width=80)
    out.rows(
        FOUND,
        ([number(index) for index in range(at, min(at + 100, count))] for at in range(0, count, 100)),
    )
    assert stream.getvalue().splitlines()[-1] == text


def test_the_header_can_be_left_out() -> None:
    out, stream = output("table", width=80, header=False)
    out.rows(FOUND, [[{"phone_number": "+1415", "sid": "PN1", "service_sid": "KS1", "service": "a"}]])
    assert stream.getvalue() == "+1415  PN1  a  KS1\n\n1 number\n"
    assert table(FOUND, [], width=80) == "no numbers\n"
    assert table(FOUND, []) == "Phone number  SID  Service  Service SID\n"


def test_an_incomplete_list_says_so() -> None:
    def pages() -> Any:
        yield [number(1)]
        raise TimeoutError

    out, stream = output("table", width=80)
    with pytest.raises(TimeoutError):
        out.rows(PHONE_NUMBER, pages())
    assert stream.getvalue().endswith("\n1 number: 1 reserved, 1 in use (incomplete)\n")


def test_colour_only_stresses() -> None:
    plain = table(PHONE_NUMBER, NUMBERS, width=120)
    colored = table(PHONE_NUMBER, NUMBERS, width=120, color=True)
    assert painted("Phone number", Role.HEADING) in colored and "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    failed = table(RESULT, RESULTS, width=120, color=True)
    assert painted("failed", Role.BAD) in failed and painted("reserved", Role.GOOD) in failed


def test_markup_is_text() -> None:
    assert "[/oops]" in table(SERVICE, SERVICES, width=200, color=True)
    assert "[red]x[/red]" in table(PROFILE, [{"name": "[red]x[/red]"}], width=80)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-22T05:30:59Z", "2026-11-22 05:30"),
        ("2026-11-22T05:30:59+02:00", "2026-11-22 03:30"),
        ("2026-11-22T05:30:59", "2026-11-22 05:30"),
        ("Thu, 30 Jul 2015 20:00:00 +0000", "2015-07-30 20:00"),
        (0, "1970-01-01 00:00"),
        ("yesterday", None),
        ("", None),
        ([], None),
        (1e300, None),
        (float("nan"), None),
        ("0001-01-01T00:00:00+14:00", None),
        ("Thu, 99 Jul 2015 99:00:00 +0000", None),
    ],
)
def test_moment(value: Any, text: str | None) -> None:
    assert moment(value) == text


@given(st.text() | st.integers() | st.floats() | st.none())
def test_moment_never_crashes(value: Any) -> None:
    assert moment(value) is None or re.fullmatch(r"\d{1,4}-\d\d-\d\d \d\d:\d\d", moment(value) or "")


@pytest.mark.parametrize(
    ("true", "text"),
    [
        ([], ""),
        (["voice_inbound", "voice_outbound", "sms_inbound", "sms_outbound"], "voice sms"),
        (["sms_inbound", "mms_outbound"], "sms(in) mms(out)"),
        (["mms_inbound", "mms_outbound", "restriction_mms_domestic"], "mms(domestic)"),
        (["sms_inbound", "restriction_sms_domestic"], "sms(in,domestic)"),
        (["restriction_fax_domestic", "sip_trunking"], "restriction_fax_domestic sip_trunking"),
        (["voice", "SMS", "hologram", "_inbound", ""], "voice SMS hologram _inbound "),
    ],
)
def test_capabilities_in_few_words(true: list[str], text: str) -> None:
    assert capabilities(dict.fromkeys(true, True) | {"fax_inbound": False, "other": None}) == text


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text(), max_size=5))
def test_any_map_of_capabilities(value: dict[str, Any]) -> None:
    out, stream = output("table")
    out.rows(PHONE_NUMBER, [[number(1, capabilities=value)]])
    assert len(stream.getvalue().split("\n")) == 3


def test_generic_shapes() -> None:
    shape = Shape.generic("check", ("sid", "service_sid", "date_created", "is_fine", "size"))
    row = {
        "sid": "PN1",
        "service_sid": "KS1",
        "date_created": "2026-11-22T05:30:00Z",
        "is_fine": True,
        "size": 12,
    }
    header, _, line, _, footer = table(shape, [row], width=120).splitlines()
    assert re.split(" {2,}", header) == ["SID", "Service SID", "Date created (UTC)", "Is fine", "Size"]
    assert line.split() == ["PN1", "KS1", "2026-11-22", "05:30", "fine", "12"]
    assert footer == "1 check"
