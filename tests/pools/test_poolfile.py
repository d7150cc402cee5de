"""Pool files are checked whole: every flaw is named with file and line, and what is right comes out as values."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.errors import InputError
from proxyctl.pools.poolfile import PoolFile, parse_pool_file, read_pool_file

HEAD = "version = 1\n"


def parse(text: str, directory: Path = Path("/nowhere"), country: str | None = None) -> PoolFile:
    return parse_pool_file(text.encode(), "pool.toml", directory, country)


def flaws(text: str, directory: Path = Path("/nowhere")) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(text, directory)
    assert "Nothing was sent" in caught.value.message
    return caught.value.message.split("\n")[1:] or [caught.value.message]


def test_all_that_a_file_may_say(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("friendly_name,phone_number\nx,+14155550104\ny,'+1 (415) 555-0104\n")
    found = parse(
        """\
version = 1
account_sid = "AC0123456789abcdef0123456789abcdef"

[services.masking-prod]
sid = "KS0123456789abcdef0123456789abcdef"
only_missing = true
default_ttl = 3600
geo_match_level = "area-code"
number_selection_behavior = "avoid-sticky"
callback_url = "https://example.com/proxy/events"
clear = ["intercept_callback_url"]
out_of_session_callback_url = "https://example.com/lost"
chat_instance_sid = "IS00000000000000000000000000000000"

[services.masking-prod.numbers]
reserved = ["+14155550101", "tel:+1 415 555-0102", "+14155550101"]
unreserved = ["PN0123456789abcdef0123456789ABCDEF"]
reserved_from = "more.csv"

[services.'Zürich [2]']
create = true
""",
        tmp_path,
    )
    prod, other = found.services
    assert found.account_sid == "AC0123456789abcdef0123456789abcdef"
    assert (prod.sid, prod.only_missing, prod.create) == ("KS0123456789abcdef0123456789abcdef", True, False)
    assert (other.sid, other.only_missing, other.create) == (None, False, True)
    assert prod.settings["default_ttl"] == 3600
    assert prod.settings["intercept_callback_url"] == ""
    assert len(prod.settings) == 7
    assert [(item.name, item.is_reserved) for item in prod.numbers or ()] == [
        ("+14155550101", True),
        ("+14155550102", True),
        ("PN0123456789abcdef0123456789ABCDEF", False),
        ("+14155550104", True),
    ]
    assert (other.name, other.settings, other.numbers) == ("Zürich [2]", {}, None)
    assert found.noted["duplicates"] == 2


SERVICE, NUMBERS = "[services.a]\n", "[services.a.numbers]\n"
# What follows the first line, which says the version, and the flaw with its line.
FLAWED = [
    ("servcies = {}", "2: unknown key servcies (did you mean services?)"),
    ("services = []", "2: services must be a table"),
    ("[services]\na = 'x'", "3: services.a must be a table"),
    (SERVICE + "\nclalback_url = 'x'", "4: unknown setting clalback_url (did you mean callback_url?)"),
    (SERVICE + "default_ttl = '5'", "3: default_ttl must be a whole number"),
    (SERVICE + "default_ttl = true", "3: default_ttl must be a whole number"),
    ("account_sid = 'KS'", "2: account_sid must be AC and 32 hexadecimal digits"),
    ("account_sid = 5", "2: account_sid must be AC and 32 hexadecimal digits"),
    (SERVICE + "sid = 'KS0'", "3: sid must be KS and 32 hexadecimal digits"),
    (SERVICE + "sid = 5", "3: sid must be text in quotes"),
    (SERVICE + f"create = true\nsid = 'KS{'0' * 32}'", "3: a table with a sid never creates"),
    (SERVICE + "create = 1", "3: create must be true or false"),
    (SERVICE + "callback_url = ''", '3: callback_url is empty. Write clear = ["callback_url"]'),
    (SERVICE + "geo_match_level = ' '", "3: geo_match_level is empty. Leave it out"),
    (
        SERVICE + "callback_url = 'CALLBACK_URL'",
        "3: CALLBACK_URL stands for a URL. Write your own in its place",
    ),
    (SERVICE + "clear = 'callback_url'", "3: clear must be a list"),
    (
        SERVICE + "clear = [\n'callback_url',\n'calback_url']",
        "5: unknown setting to clear calback_url (did you mean callback_url?)",
    ),
    (SERVICE + "clear = [5]", "3: unknown setting to clear 5 (known: callback_url,"),
    (SERVICE + "callback_url = 'x'\nclear = ['callback_url']", "4: callback_url is set and cleared"),
    (SERVICE + "callback_url = 5", "3: callback_url must be text in quotes"),
    (SERVICE + "unique_name = 'b'", "3: unknown setting unique_name"),
    (SERVICE + "reserved = []", "3: unknown setting reserved"),
    (SERVICE + "numbers = []", "3: numbers must be a table"),
    (NUMBERS + "resrved = []", "3: unknown key resrved (did you mean reserved?)"),
    (NUMBERS + "reserved = '+14155550100'", "3: reserved must be a list"),
    (NUMBERS + "reserved = [\n  14155550100,\n]", "3: a number is written as text in quotes"),
    (
        NUMBERS + "reserved = [\n  '+14155550100', # fine\n  '4155550100',\n]",
        '5: "4155550100" has no + and country code',
    ),
    (NUMBERS + f"reserved = ['KS{'0' * 32}']", "is neither a PN SID nor a number"),
    (
        NUMBERS + "reserved = []\nreserved_from = 'gone.csv'",
        '4: reserved_from: there is no file "/nowhere/gone.csv"',
    ),
    (NUMBERS + "reserved_from = '-'", "3: reserved_from must name"),
    ("[services.'']", "2: a unique name has 1 to 191 characters"),
    (f"[services.{'x' * 192}]", "2: a unique name has 1 to 191 characters"),
    ("services = ", "2: "),
    (SERVICE * 2, "3: the key or table is repeated"),
    (".".join("a" * 20_000) + " = 1", "2: "),
    ("a = " + "[" * 5000 + "]" * 5000, "2: nested deeper"),
    ('[services."\\u001b[31m"]\n"\\u202e" = 1', "unknown setting \\u202e"),
]
VERSIONS = [
    ("[services.a]", "1: version is missing. Write version = 1"),
    ("version = 2", "1: version must be 1"),
    ("version = true", "1: version must be 1"),
    ("version = " + "1" * 5000, "1: "),
]


@pytest.mark.parametrize(
    ("text", "flaw"),
    [*((HEAD + text, flaw) for text, flaw in FLAWED), *VERSIONS],
    ids=lambda value: value[-40:],
)
def test_flaws_are_named_with_their_lines(text: str, flaw: str) -> None:
    started = process_time()
    found = flaws(text + "\n")
    assert process_time() - started < 1
    assert len(found) == 1, found
    assert (f"pool.toml:{flaw}" if flaw[0].isdigit() else flaw) in found[0]
    assert found[0].isprintable()


def test_a_number_in_two_places(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("phone_number\n+14155550103\n+14155550101\n")
    text = """\
version = 1
[services.a.numbers]
reserved = ["+14155550101",
  "+14155550102"]
unreserved = ["+1 415 555 0102"]
[services.b.numbers]
unreserved_from = "b.csv"
"""
    assert flaws(text, tmp_path) == [
        "pool.toml:5: +14155550102 is in two places: here, and reserved of a",
        f"{tmp_path}/b.csv:3: +14155550101 is in two places: here, and reserved of a",
    ]


def test_bad_rows_of_files_count_with_those_of_the_pool_file(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("phone_number\n" + "".join(f"{n}\n" for n in range(100)))
    lists = "".join(f"  '{n}',\n" for n in range(5))
    found = flaws(
        HEAD + f"[services.a.numbers]\nreserved_from = 'r.csv'\nunreserved = [\n{lists}]\n", tmp_path
    )
    assert len(found) == 21
    assert found[-1] == "… and 85 more"
    assert (
        sum(f"{tmp_path}/r.csv:" in line for line in found) + sum("pool.toml" in line for line in found) == 20
    )


def test_what_can_not_be_read(tmp_path: Path) -> None:
    for name, why in ((str(tmp_path), "a directory"), (f"{tmp_path}/gone", "no file"), ("x\0y", "no file")):
        with pytest.raises(InputError, match=why) as caught:
            read_pool_file(name)
        assert ("pool export" in str(caught.value.hint)) is (why == "no file")
    large = tmp_path / "large.toml"
    with open(large, "wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match="larger than 16 MiB"):
        read_pool_file(str(large))
    large.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"large.toml:1: the file is not UTF-8"):
        read_pool_file(str(large))


def test_a_file_of_numbers_that_holds_none_is_a_flaw_unless_that_is_allowed(tmp_path: Path) -> None:
    text = HEAD + NUMBERS + "unreserved_from = 'empty.csv'\n"
    for content in ("", "phone_number\n", "# none\n"):
        (tmp_path / "empty.csv").write_text(content)
        with pytest.raises(InputError) as caught:
            parse(text, tmp_path)
        assert "pool.toml:3: unreserved_from: " in caught.value.message
        assert "holds no number (rule empty-input)" in caught.value.message
        assert "--allow empty-input" in str(caught.value.hint)
        (service,) = parse_pool_file(text.encode(), "pool.toml", tmp_path, allow_empty=True).services
        assert service.numbers == ()


def test_rows_of_another_account_are_bad_ones(tmp_path: Path) -> None:
    """The account is the pool file's own: it is checked before any credentials are read."""
    own, other = (f"AC{digit * 32}" for digit in "01")
    (tmp_path / "r.csv").write_text(f"account_sid,phone_number\n{own},+14155550100\n{other},+14155550101\n")
    text = f"version = 1\naccount_sid = '{own}'\n" + NUMBERS + "reserved_from = 'r.csv'\n"
    (flaw,) = flaws(text, tmp_path)
    assert flaw.startswith(f"{tmp_path}/r.csv:3: account_sid")


def test_national_numbers_with_a_country() -> None:
    text = HEAD + "[services.a.numbers]\nreserved = ['(415) 555-0100']\n"
    (service,) = parse(text, country="US").services
    assert service.numbers is not None and service.numbers[0].phone_number == "+14155550100"


parts = st.sampled_from(
    ["version = 1\n", "[services.a]\n", "[services.a.numbers]\n", "reserved = ", "[", "]", "'+14155550100'", ",",
     "\n", "reserved_from = ", "''", "default_ttl = ", "5", "{", "}", "'''", '"', "#", "numbers", " = ", "true",
     "sid", "clear", "create"]
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(parts, max_size=25).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse("version = 1\n" + text)
    except InputError as error:
        assert "pool.toml" in error.message and "othing was sent" in error.message
    else:
        assert all(item.phone_number for service in found.services for item in service.numbers or ())
