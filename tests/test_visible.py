"""Foreign text shown safely: what must be written out, what must stay as it is, and that formulas come back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxyctl.text import cut, visible, without_formula
from tests.render.rows import unguarded
from tests.support import each

ANYTHING = st.text(st.characters(exclude_categories=()))  # lone surrogates as well
HIDDEN = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *map(chr, range(0x200B, 0x2010))]
HIDDEN += [
    *map(chr, range(0x2028, 0x202F)),
    *map(chr, range(0x2060, 0x2065)),
    *map(chr, range(0x2066, 0x206A)),
]
HIDDEN += ["\u061c", "\ufeff", "\u00ad", "\u180e", "\ud800", "\udcff", "\udfff", "\U000e0041", "\U000e007f"]
# Letters, marks and a symbol of which nothing is seen either.
NOT_SEEN = "".join(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164))
)
NOT_SEEN += "".join(map(chr, (0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
HIDDEN += NOT_SEEN


@each(HIDDEN)
def test_hidden_character_is_written_out(character: str) -> None:
    assert character not in visible(f"a{character}b")
    assert visible(f"a{character}b").startswith("a\\")
    assert visible(f"a{character}b").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("\x9b2J", "\\x9b2J"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("one\r\n\ttwo", "one\\r\\n\\ttwo"),
        ("m\ufe0f", "m\\ufe0f"),
        ("\U000e0100", "\\U000e0100"),
    ],
)
def test_how_it_is_written(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "naïve café",
        "e\u0301",
        "名前",
        "עברית",
        "العربية",
        "🎉 ❤",
        "a\u00a0b",
        "C:\\temp",
        "[red]x[/]",
        "",
    ],
)
def test_what_prints_stays(text: str) -> None:
    assert visible(text) == text


@given(ANYTHING)
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set(HIDDEN)
    shown.encode()  # no lone surrogate


@given(ANYTHING)
def test_again_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S"), exclude_characters=NOT_SEEN)))
def test_letters_marks_numbers_and_symbols_are_untouched(text: str) -> None:
    assert visible(text) == text


@given(ANYTHING, st.text("\n\t^]-\\", max_size=3))
def test_keep(text: str, keep: str) -> None:
    parts = visible(text, keep=keep)
    assert parts.count("\n") == (text.count("\n") if "\n" in keep else 0)
    assert parts.count("\t") == (text.count("\t") if "\t" in keep else 0)
    assert "\x1b" not in parts


def test_cut() -> None:
    assert cut("a" * 500) == "a" * 500
    assert cut("a" * 501) == "a" * 497 + "..."
    assert [cut("abcdef", limit) for limit in range(7)] == ["", ".", "..", "...", "a...", "ab...", "abcdef"]


@pytest.mark.parametrize("first", [*"=+-@\t\r\n\ufeff\uff1d\uff0b\uff0d\uff20", "'=", "''@"])
def test_formula_is_guarded(first: str) -> None:
    assert without_formula(first + "SUM(A1)") == "'" + first + "SUM(A1)"


@given(st.text(st.sampled_from("'=+-@\t\ra1")))
@example("'")
def test_guard_comes_off_again(text: str) -> None:
    assert unguarded(without_formula(text)) == text
    assert without_formula(text)[:1] not in tuple("=+-@\t\r")
