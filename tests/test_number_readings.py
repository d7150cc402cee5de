"""A number is read right, or refused with all of its readings: over the example numbers of every region there is."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.identifiers import MOST_DIGITS, agree, is_float, parse_number, perhaps_without_plus

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
E164 = phonenumbers.PhoneNumberFormat.E164


def examples() -> list[tuple[str, str, str]]:
    """Valid numbers of every region and kind: in E.164, the region, and the digits that are dialled within it."""
    found = [
        (number, region)
        for region in REGIONS
        for kind in range(11)
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    return [
        (phonenumbers.format_number(number, E164), region, phonenumbers.national_significant_number(number))
        for number, region in found
        if phonenumbers.is_valid_number(number) and len(phonenumbers.format_number(number, E164)) > 7
    ]


EXAMPLES = examples()
# How a number in E.164 is damaged on its way through spreadsheets, forms and clipboards.
DAMAGES = {
    "none": "+{}",
    "no plus": "{}",
    "00": "00{}",
    ".0": "+{}.0",
    "no plus, .0": "{}.0",
    "00, .0": "00{}.0",
    "wide plus": "\uff0b{}",
    "no plus, invisible": "\u202a{}\u202c",
    "00, soft hyphen": "00\u00ad{}\u200b",
}


@pytest.mark.parametrize("damage", DAMAGES)
@given(st.sampled_from(EXAMPLES), st.none() | st.sampled_from(REGIONS) | st.just("its own"))
@settings(max_examples=120)
def test_no_number_is_read_as_another_one(
    damage: str, example: tuple[str, str, str], country: str | None
) -> None:
    number, region, _ = example
    text = DAMAGES[damage].format(number[1:])
    try:
        found = parse_number(text, region if country == "its own" else country).phone_number
    except ValueError as error:
        assert "plus" in damage or "00" in damage
        if country is None:
            assert "has no + and country code" in str(error)
        elif "with a + before it" in str(error):
            assert number in str(error)
    else:
        assert found == number


def test_each_example_is_read_with_its_own_country_or_refused_with_both_readings() -> None:
    refused = 0
    for number, region, digits in EXAMPLES:
        for text in (digits, f"{digits}.0"):
            try:
                assert parse_number(text, region).phone_number == number
            except ValueError as error:
                assert number in str(error) and f"+{digits} with a + before it" in str(error)
                refused += 1
    assert refused < len(EXAMPLES) / 20


def test_a_national_format_that_no_other_number_has_is_no_doubt() -> None:
    assert parse_number("(201) 555-0123", "US").phone_number == "+12015550123"
    with pytest.raises(ValueError, match=r"is \+12015550123 as a number of US, and \+2015550123 with a \+"):
        parse_number("2015550123", "US")
    with pytest.raises(ValueError, match=r"\+494915732920150 as a number of DE, and \+4915732920150 with a"):
        parse_number("4915732920150", "DE")
    assert parse_number("4915732920150", "FR").phone_number == "+4915732920150"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+4915732920150.0", "+4915732920150"),
        ("0046783244487.0", "+46783244487"),
        ("+33.1.23.45.67.00", "+33123456700"),
        ("+33 1 23 45 67.00", "+33123456700"),
        ("+4915732920150.00", None),
        ("+49 1573 2920150.0", None),
        ("+1.415.555.0", None),
        ("+14155550100,0", None),
        (".0", None),
        ("1 " * 100_000 + ".0", None),
        ("1 " * 100_000 + ".", None),
    ],
)
def test_zeros_behind_a_point(text: str, expected: str | None) -> None:
    if expected is not None:
        assert parse_number(text).phone_number == expected
        return
    with pytest.raises(ValueError, match=r"may be|neither|no \+"):
        parse_number(text)


def test_digits_that_may_have_lost_their_plus() -> None:
    assert [perhaps_without_plus(text) for text in ("1 415 555 0100", "14155550100.0", "14155550100")] == [
        "14155550100"
    ] * 3
    for text in ("", "1", "0155501", "1.41E+10", "x", "9" * (MOST_DIGITS + 1)):
        assert perhaps_without_plus(text) is None
    assert agree("+14155550100", "14155550100") and not agree("+14155550100", "+14155550101")
    assert is_float("4915.0") and not is_float("4915.00") and not is_float("49.15.0") and not is_float("")
