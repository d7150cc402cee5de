"""TOML that nobody vouches for: refused in no time where it would keep the parser busy, and located line by line."""

from __future__ import annotations

import tomllib
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
    "40,000 headers of 41 parts": "\n".join(f"[a{n}" + ".b" * 40 + "]" for n in range(40_000)),
    "60,000 headers of 64 parts": "\n".join(f"[a{n}" + ".b" * 63 + "]" for n in range(60_000)),
    "100,000 headers of 16 parts": "\n".join(f"[a{n}" + ".b" * 15 + "]" for n in range(100_000)),
    "100,001 keys": "\n".join(f"a{n} = 1" for n in range(100_001)),
    "100,001 tables": "[[a]]\n" * 100_001,
    "110,000 keys of inline tables": "\n".join(
        f"x{line} = {{" + ", ".join(f"a{n} = 1" for n in range(10_000)) + "}" for line in range(11)
    ),
    "millions of elements": "a = [\n" + ("1," * 400_000 + "\n") * 10 + "]",
    "millions of lines": "\n" * (15 << 20),
    "a header of 17 parts": "[" + " . ".join("a" * 17) + "]",
    "a quoted key of 17 parts": ".".join(['"a"', "'b'"] * 8) + ".c = 1",
    "a key of 17 parts in a table": "a = {" + ".".join("a" * 17) + " = 1}",
    "quotes that never close": 'a = """\n' + '\\"""\n' * (1 << 18),
    "a million quotes": "'\n" * 900_000,
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


def test_sixteen_parts_are_none_too_many() -> None:
    key = ".".join("abcdefghijklmnop")
    text = f"[{key}]\n{key} = [{', '.join(['1.5'] * 1000)}]\n# {'.' * 1000}\n"
    assert parse_toml(text.encode(), WIDE)[0]["a"]["b"]


strings = st.text(max_size=40) | st.text("'\"\\.\n =[]{},#", max_size=20)


@settings(max_examples=100)
@given(st.lists(strings.filter(lambda text: text.isascii()), max_size=8))
def test_what_stands_in_strings_and_comments_never_counts(texts: list[str]) -> None:
    """Each ends where the parser sees its end: dots in a row count behind it, and do not in it."""
    document = {f"k{n}": f"{text}{'.' * 40}" for n, text in enumerate(texts)}
    text = tomli_w.dumps(document, multiline_strings=True)
    assert parse_toml(text.encode(), WIDE)[0] == tomllib.loads(text)
    with pytest.raises(TomlFlaw) as caught:
        parse_toml(f"{text}\n{'.'.join('a' * 17)} = 1".encode(), WIDE)
    assert "16 parts" in caught.value.what
    assert caught.value.line == text.count("\n") + 2


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
    assert [places.line(*numbers, "reserved", index=index) for index in range(4)] == [11, 12, 14, 14]
    assert places.line(*numbers, "unreserved", index=0) == 16
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
                line = lines[places.line(table, key, index=index)]
                assert tomli_w.dumps({"x": element})[4:].strip() in line
