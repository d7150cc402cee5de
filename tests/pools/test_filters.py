"""Which numbers a filter chooses: never others than those that were meant, and never none by a slip."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.commands.number.listing import NumberFilter, digits_of, three_digits_of
from proxyctl.errors import UsageError

DIGITS = st.text("0123456789", max_size=12)
BLANKS = st.sampled_from(["", " ", "(", ") ", "-", "."])


@given(DIGITS, BLANKS)
def test_a_prefix_without_a_plus_is_refused_with_what_to_write(digits: str, between: str) -> None:
    with pytest.raises(UsageError) as caught:
        digits_of(between.join(digits))
    for written in re.findall(r"--prefix (\S+[0-9])", caught.value.hint or ""):
        assert digits_of(written) == written
    for written in re.findall(r"--area-code (\S+[0-9])", caught.value.hint or ""):
        assert three_digits_of(written) == digits.lstrip("0")


@given(st.integers(1, 10**12), BLANKS)
def test_a_prefix_with_a_plus_is_read_as_it_is(number: int, between: str) -> None:
    assert digits_of("+" + between.join(str(number))) == f"+{number}"


@given(st.text(max_size=8))
def test_an_area_code_is_three_digits_or_refused(text: str) -> None:
    try:
        found = three_digits_of(text)
    except UsageError:
        return
    assert re.fullmatch("[2-9][0-9][0-9]", found) and found == "".join(re.findall("[0-9]", text))


@given(st.integers(200, 999), st.integers(0, 9_999_999))
def test_an_area_code_chooses_numbers_of_north_america_alone(code: int, rest: int) -> None:
    chosen = NumberFilter(area_codes=[str(code)]).cleaned()
    assert chosen.accepts({"phone_number": f"+1{code}{rest:07d}"})
    assert not chosen.accepts({"phone_number": f"+{code}{rest:07d}"})
    assert not chosen.accepts({"phone_number": f"+4{code}{rest:07d}"})


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"area_codes": ["415"], "country": "US"}, True),
        ({"area_codes": ["415"], "country": "DE"}, False),
        ({"area_codes": ["415"], "prefix": "+1"}, True),
        ({"area_codes": ["415", "212"], "prefix": "+1212555"}, True),
        ({"area_codes": ["415"], "prefix": "+1212"}, False),
        ({"country": "GB", "prefix": "+4"}, True),
        ({"country": "GB", "prefix": "+49"}, False),
    ],
)
def test_filters_that_no_number_passes_are_refused(filters: dict[str, object], fits: bool) -> None:
    chosen = NumberFilter(**filters)  # type: ignore[arg-type]
    if fits:
        chosen.cleaned()
        return
    with pytest.raises(UsageError, match="exclude each other"):
        chosen.cleaned()
