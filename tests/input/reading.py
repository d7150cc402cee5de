"""Numbers to read, and the reading of a text as if it came through stdin."""

from __future__ import annotations

import io
from typing import Any

import pytest

from proxyctl.errors import InputError
from proxyctl.input.items import Reading, read_items

A, B, C = "+14155550101", "+14155550102", "+14155550103"
PN_A, PN_B = "PN" + "a" * 32, "PN" + "b" * 32


def read(data: bytes | str, *arguments: str, **options: Any) -> Reading:
    data = data.encode() if isinstance(data, str) else data
    return read_items(arguments, "-", stdin=io.BytesIO(data), **options)


def refusal(data: bytes | str, *arguments: str, **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        read(data, *arguments, **options)
    return caught.value


def names(items: Reading) -> list[str]:
    return [item.name for item in items.items]
