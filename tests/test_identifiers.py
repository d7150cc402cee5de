"""What is taken for a SID, a number and a Service's name, and in which words the rest is refused."""

from __future__ import annotations

import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.errors import UsageError
from proxyctl.identifiers import (
    NumberRef,
    is_e164,
    is_sid,
    parse_number,
    require_country,
    require_number,
)

PN = "PN" + "0aF9" * 8
KS = "KS" + "b" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PN, True),
        (PN + "\n", False),
        (PN[:-1], False),
        (PN + "0", False),
        (KS, False),
        ("pn" + "a" * 32, False),
        ("PN" + "g" * 32, False),
        ("PN" + "\u0661" * 32, False),
        ("", False),
    ],
)
def test_a_sid_is_its_prefix_and_32_hexadecimal_digits(text: str, expected: bool) -> None:
    assert is_sid("PN", text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155550100", True),
        ("+12", True),
        ("+1", False),
        ("+" + "1" * 16, False),
        ("+0123456", False),
        ("14155550100", False),
        ("+14155550100\n", False),
        ("+1415555010\u0660", False),
    ],
)
def test_e164(text: str, expected: bool) -> None:
    assert is_e164(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "+14155550100",
        " +1 415 555 0100 ",
        "+1 (415) 555-0100",
        "+1.415.555.0100",
        "(+1) [415] 555-0100",
        "tel:+1-415-555-0100",
        "TEL:+14155550100",
        "0014155550100",
        "00 1 415 555 0100",
        "+1\u00a0415\u2011555\u20130100",
    ],
)
def test_a_number_may_be_written_as_people_write_it(text: str) -> None:
    assert parse_number(text) == NumberRef(None, "+14155550100")


def test_a_sid_is_no_number() -> None:
    assert parse_number(f" {PN}\n") == NumberRef(PN, None)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("(415) 555-0100", "US", "+14155550100"),
        ("415 555 0100", "us", "+14155550100"),
        ("1 415 555 0100", "US", "+14155550100"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("06 698 12345", "IT", "+390669812345"),
        ("+442079460958", "US", "+442079460958"),
        ("0044 20 7946 0958", "DE", "+442079460958"),
        # Possible, although nobody has it: 555-01xx is for films.
        ("999 555 0100", "US", "+19995550100"),
    ],
)
def test_the_national_format_needs_its_country(text: str, country: str, expected: str) -> None:
    assert parse_number(text, country).phone_number == expected


@pytest.mark.parametrize(
    ("text", "country", "words"),
    [
        ("", None, "is neither a PN SID"),
        ("+", None, "neither"),
        ("--", None, "is neither a PN SID"),
        ("415 555 0100", None, "no \\+ and country code"),
        ("+1415555010000000", None, "has 16 digits"),
        ("+12", None, "has 2 digits"),
        ("+1", None, "has 1 digit\\."),
        ("+0 415 555 0100", None, "begins with no 0"),
        ("+44 (0)20 7946 0958", None, r"\(0\)"),
        ("+1 415 555 010\u0660", None, "is neither a PN SID"),
        ("+1415FLOWERS", None, "neither a PN SID nor a number in E.164"),
        ("+1415+5550100", None, "neither a PN SID"),
        ("1.4155550100E+10", None, "was rounded by a spreadsheet"),
        ("+14155550100;ext=5", None, "neither a PN SID"),
        (KS, None, "is neither a PN SID"),
        ("XX" + "a" * 32, None, "is neither a PN SID"),
        (PN[:-1], None, "is neither a PN SID"),
        ("555 0100", "US", "is not a number of US"),
        ("911", "US", "is not a number of US"),
        ("4155550100123", "US", "is not a number of US"),
        ("1" * 40, "US", "is not a number of US"),
    ],
)
def test_what_is_refused_says_why(text: str, country: str | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_number(text, country)


@pytest.mark.parametrize("country", ["", "USA", "XX", "U", "12", "\x1b["])
def test_an_unknown_country_is_a_usage_error(country: str) -> None:
    with pytest.raises(UsageError, match="two letters of ISO 3166") as caught:
        parse_number("415 555 0100", country)
    assert "\x1b" not in caught.value.message


def test_the_country_that_many_misspell() -> None:
    with pytest.raises(UsageError) as caught:
        require_country("uk")
    assert caught.value.hint is not None and "GB" in caught.value.hint


def test_a_single_argument_is_a_usage_error_with_the_text() -> None:
    assert require_number("+1 415 555 0100").phone_number == "+14155550100"
    with pytest.raises(UsageError, match=r'"\+1\\x07" is neither'):
        require_number("+1\x07")


@given(
    st.text() | st.from_regex(r"[+0-9 ().tel:PN\-]{0,40}"), st.sampled_from([None, "US", "de", "AR", "IT"])
)
def test_a_number_is_read_or_refused_in_words(text: str, country: str | None) -> None:
    try:
        sid, number = parse_number(text, country)
    except ValueError as error:
        assert str(error)
    else:
        assert (sid is None) is not (number is None)
        assert is_sid("PN", sid) if sid else is_e164(number or "")


@given(
    st.sampled_from(["US", "GB", "DE", "FR", "JP", "BR", "IT"]),
    st.sampled_from([phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.RFC3966]),
)
def test_every_way_to_print_a_number_reads_back(country: str, way: int) -> None:
    number = phonenumbers.example_number(country)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert parse_number(phonenumbers.format_number(number, way), country).phone_number == e164


def test_importing_it_loads_no_number_plans() -> None:
    code = "import sys, proxyctl.identifiers as i; i.parse_number('+14155550100'); "
    code += "print('phonenumbers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
