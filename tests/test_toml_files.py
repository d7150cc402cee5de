"""TOML that nobody vouches for: refused in no time where it would keep the parser busy, and located line by line."""

from __future__ import annotations

from time import process_time

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.toml_files import Places, TomlFlaw, parse_toml

WIDE = 1 << 20
BOMBS = {
    "a dotted key": ".".join("a" * 20_000) + " = 1",
    "a dotted key of strings": ".".join(['"a"'] * 20_000) + " = 1",
    "a dotted key that seems to be in a string": 'x = ["""\n""", {' + "a." * 20_000 + 'b = 1}, """\n"""]',
    "the same in the other quotes": "x = ['''\n''', {" + "a." * 20_000 + "b = 1}, '''\n''']",
    "nesting": "a = " + "[" * 5000 + "]" * 5000,
    "nesting that seems to be in strings": 'a = """\n""" ' + "[" * 5000,
    "a long line": "a = '" + "x" * (1 << 20) + "'",
}


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_are_refused_at_once(case: str) -> None:
    started = process_time()
    with pytest.raises(TomlFlaw):
        parse_toml(BOMBS[case].encode(), WIDE)
    assert process_time() - started < 1


def test_strings_may_hold_dots_and_brackets() -> None:
    document, _ = parse_toml(b'a = "' + b"[x.y]" * 1000 + b'"\n["[[' + b"." * 100 + b'"]\n', WIDE)
    assert len(document) == 2


TEXT = """\
version = 1

# a comment with ] and "
[services."a.b [c]"]
default_ttl = 5
numbers = { reserved = ["x", "y"], unreserved = [] }

[services.'plain']
callback_url = "https://x/#"
[services.plain.numbers]
reserved = [ "+1", # the first ]
  "+2",
  # none
  '+3', "\\"]" ,
]
unreserved = ["+4"]
"""


def test_lines_of_keys_and_elements() -> None:
    parse_toml(TEXT.encode(), WIDE)
    places = Places(TEXT)
    assert places.line("version") == 1
    assert places.line("services") == 4
    assert places.line("services", "a.b [c]") == 4
    assert places.line("services", "a.b [c]", "default_ttl") == 5
    assert places.line("services", "a.b [c]", "numbers", "reserved") == 6
    assert places.line("services", "plain", "callback_url") == 9
    numbers = ("services", "plain", "numbers")
    assert places.line(*numbers) == 10
    assert [places.element(index, *numbers, "reserved") for index in range(4)] == [11, 12, 14, 14]
    assert places.element(9, *numbers, "reserved") == 11
    assert places.element(0, *numbers, "unreserved") == 16
    assert places.line("services", "nowhere") == 4
    assert places.line("nowhere") == 1


names = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())


@settings(max_examples=100)
@given(st.dictionaries(names, st.dictionaries(names, st.lists(names, max_size=30), max_size=3), max_size=4))
def test_what_tomli_w_writes_is_found_again(document: dict[str, dict[str, list[str]]]) -> None:
    text = tomli_w.dumps(document)
    read, same = parse_toml(text.encode(), WIDE)
    assert read == document
    lines = ["", *same.split("\n")]
    places = Places(same)
    for table, keys in document.items():
        assert lines[places.line(table)].startswith("[")
        for key, elements in keys.items():
            assert "=" in lines[places.line(table, key)]
            for index, element in enumerate(elements):
                line = lines[places.element(index, table, key)]
                assert tomli_w.dumps({"x": element})[4:].strip() in line
