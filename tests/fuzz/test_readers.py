"""Every reader of data from outside, on what nobody wrote: damaged copies of what it knows, and any bytes.

Each ends with a value or an error of ours: small ones within a second, all within the memory of a process of 200 MB.
A few examples run with the suite, and thousands with `pytest -m long tests/fuzz`.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from proxyctl.errors import ProxyctlError
from tests.fuzz.readers import READERS, Reader


@st.composite
def damaged(draw: st.DrawFn, reader: Reader) -> bytes:
    """Return a copy of what a reader knows, with pieces put in, taken out, doubled and replaced; or any bytes."""
    data = draw(st.sampled_from(reader.seeds) | st.binary(max_size=300))
    for _ in range(draw(st.integers(0, 6))):
        start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 20))
        piece = draw(st.sampled_from(reader.pieces) | st.binary(max_size=4))
        again = data[start : start + length] * draw(st.sampled_from([0, 0, 1, 2, 300, 10_000]))
        data = data[:start] + piece + again + data[start + draw(st.sampled_from([0, length])) :]
    return data


MORE = 150_000_000  # bytes beside the 45 MB that the program takes for one call


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Let the system refuse memory beyond what this process has and `MORE`, where it says how much that is."""
    status = Path("/proc/self/status")
    if not status.exists():
        yield
        return
    now = int(status.read_text().partition("VmData:")[2].split()[0]) * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (now + MORE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def check(reader: Reader, data: bytes) -> None:
    started = process_time()
    with little_memory(), contextlib.suppress(ProxyctlError):
        reader.read(data)
    assert process_time() - started < 1 + len(data) / 100_000  # three files of 10,000 rows are no hang


class Short(NamedTuple):
    """Data whose repr is short, however much they are: that of a failing case is printed."""

    whole: bytes

    def __repr__(self) -> str:
        return f"{self.whole[:2000]!r} ({len(self.whole)} bytes)"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much there is")
def test_a_reader_that_takes_too_much_memory_is_found() -> None:
    check(Reader(lambda data: data * 100, (), ()), bytes(10**6))
    with pytest.raises(MemoryError):
        check(Reader(lambda data: data * 200, (), ()), bytes(10**6))


def fuzz(name: str, examples: int) -> None:
    reader = READERS[name]

    @settings(
        max_examples=examples, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
    )
    @given(damaged(reader).map(Short))
    def run(data: Short) -> None:
        check(reader, data.whole)

    run()


@pytest.mark.parametrize("name", READERS)
def test_a_reader(name: str) -> None:
    for seed in READERS[name].seeds:
        check(READERS[name], seed)
    fuzz(name, 40)


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_a_reader_at_length(name: str) -> None:
    fuzz(name, 800 if name == "history" else 5000)
