"""Amounts and ends in words."""

from __future__ import annotations

import pytest

from proxyctl.text import ACTIONS, GOOD, ORDER, counted, duration_text, in_words


def test_one_and_several() -> None:
    assert [counted(count, "number") for count in (0, 1, 12)] == ["0 numbers", "1 number", "12 numbers"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (0.44, "0.4s"), (9.94, "9.9s"), (52.4, "52s"), (59.6, "1m00s"), (166, "2m46s"),
     (3599.6, "1h00m"), (3720, "1h02m")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_an_item_that_is_as_wanted_is_no_failure() -> None:
    assert set(ORDER) - GOOD == {"skipped", "unknown", "failed"}
    assert ORDER[-1] == "failed", "a summary ends with it"
    assert len(ORDER) == len(set(ORDER)) == len(ACTIONS)


def test_what_a_word_does_not_say_is_added() -> None:
    assert in_words().startswith("created, updated, ")
    assert in_words().endswith(" or failed")
    assert "skipped (not tried), unknown (may have been carried out" in in_words()
