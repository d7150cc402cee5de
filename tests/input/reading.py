"""Numbers to read, and the reading of a text as if it came through stdin."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, BinaryIO

import pytest

from proxyctl.errors import InputError
from proxyctl.input.items import Reading

A, B, C = "+14155550101", "+14155550102", "+14155550103"
PN_A, PN_B = "PN" + "a" * 32, "PN" + "b" * 32


def read_items(
    arguments: Sequence[str] | None, file: str | None, *, stdin: BinaryIO | None = None, **options: Any
) -> Reading:
    """Return the reading of arguments and a file, all of which can be used."""
    reading = Reading(arguments or (), **{"use_is_reserved": True, **options})
    if file is not None:
        reading.read(file, stdin)
    reading.require_usable()
    return reading


def read(data: bytes | str, *arguments: str, **options: Any) -> Reading:
    data = data.encode() if isinstance(data, str) else data
    return read_items(arguments, "-", stdin=io.BytesIO(data), **options)


def refusal(data: bytes | str, *arguments: str, **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        read(data, *arguments, **options)
    return caught.value


def names(items: Reading) -> list[str]:
    return [item.name for item in items.items]
