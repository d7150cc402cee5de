"""Streams that can't take what is written: other encodings, full disks, readers that have gone, closed streams."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys

import pytest

from proxyctl.errors import OutputError
from proxyctl.render.output import Output
from proxyctl.render.shapes import PHONE_NUMBER, SERVICE
from proxyctl.roles import Screen
from tests.render.rows import number, service

FORMATS = ("table", "json", "jsonl", "tsv", "csv", "ids")


class Raising(io.StringIO):
    """A stream whose writes or flushes fail, as a full disk's or a broken pipe's do."""

    def __init__(self, error: Exception, *, on_flush: bool) -> None:
        super().__init__()
        self.error, self.on_flush, self.calls = error, on_flush, 0

    def write(self, text: str) -> int:
        if not self.on_flush:
            self.calls += 1
            raise self.error
        return super().write(text)

    def flush(self) -> None:
        if self.on_flush:
            self.calls += 1
            raise self.error


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("width", [None, 80])
def test_any_encoding_takes_any_text(output_format: str, encoding: str, width: int | None) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, newline="\n") as stream:
        out = Output(output_format, stdout=stream, screen=lambda: Screen(width, encoding=encoding))
        out.rows(SERVICE, [[service(1, unique_name="né 名 🎉 \ud800", callback_url="x" * 200)], [service(2)]])
        out.one(SERVICE, service(3, unique_name="né 名 🎉 \ud800"))
        out.text("né 名 \ud800")
        out.flush()
        text = raw.getvalue().decode(encoding)
    assert f"KS{1:032x}" in text and f"KS{2:032x}" in text and f"KS{3:032x}" in text
    assert "\\ud800" in text


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("on_flush", [False, True])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EBADF, "Bad file descriptor")]
)
def test_lost_output_is_an_output_error(output_format: str, on_flush: bool, error: OSError) -> None:
    stream = Raising(error, on_flush=on_flush)
    with pytest.raises(OutputError, match=f"could not write to standard output: {error.strerror}"):
        Output(output_format, stdout=stream).rows(SERVICE, [[service(1)], [service(2)]])
    assert stream.calls == 1  # not tried again to close the array
    with pytest.raises(OutputError):
        Output(output_format, stdout=Raising(error, on_flush=on_flush)).one(SERVICE, service(1))


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("on_flush", [False, True])
def test_a_reader_that_has_gone_goes_through_as_it_is(output_format: str, on_flush: bool) -> None:
    stream = Raising(BrokenPipeError(errno.EPIPE, "Broken pipe"), on_flush=on_flush)
    with pytest.raises(BrokenPipeError):
        Output(output_format, stdout=stream).rows(SERVICE, [[service(1)], [service(2)]])
    assert stream.calls == 1


def test_a_full_disk() -> None:
    with open("/dev/full", "w") as stream, open("/dev/null", "w") as elsewhere:
        out = Output("jsonl", stdout=stream)
        out.text("hello")
        with pytest.raises(OutputError, match="No space left"):
            out.flush()
        os.dup2(elsewhere.fileno(), stream.fileno())  # so that closing it can get rid of what it holds


@pytest.mark.parametrize("closed", [True, False])
def test_no_stream(closed: bool) -> None:
    stream = io.StringIO() if closed else None
    if stream is not None:
        stream.close()
    out = Output("json", stdout=stream)
    for write in (
        lambda: out.rows(SERVICE, []),
        lambda: out.one(SERVICE, {}),
        lambda: out.text(""),
        out.flush,
    ):
        with pytest.raises(OutputError, match="closed"):
            write()


def test_an_output_error_of_the_pages_still_closes_the_array() -> None:
    def pages() -> object:
        yield [service(1)]
        raise OutputError("could not write history")

    stream = io.StringIO()
    with pytest.raises(OutputError, match="history"):
        Output("json", stdout=stream).rows(SERVICE, pages())  # type: ignore[arg-type]
    assert stream.getvalue().endswith("}\n]\n")


def test_text_on_a_terminal_has_no_controls_and_in_a_pipe_is_exact() -> None:
    stream = io.StringIO()
    Output("table", stdout=stream, screen=lambda: Screen(80)).text("a\x1b\nb")
    Output("tsv", stdout=stream).text("a\x1b\nb")
    assert stream.getvalue() == "a\\x1b\nb\na\x1b\nb\n"


def test_rich_is_imported_for_tables_alone() -> None:
    program = """if True:
        import io, sys
        from proxyctl.render.output import Output
        from proxyctl.render.shapes import SERVICE
        for name in ("json", "jsonl", "tsv", "csv", "ids"):
            Output(name, stdout=io.StringIO()).rows(SERVICE, [[{"sid": "KS"}]])
            Output(name, stdout=io.StringIO()).one(SERVICE, {"sid": "KS"})
        heavy = {"rich", "httpx", "sqlite3", "phonenumbers", "concurrent", "difflib", "email"} & set(sys.modules)
        Output("table", stdout=io.StringIO()).rows(SERVICE, [[{"sid": "KS"}]])
        print(sorted(heavy), "rich" in sys.modules, "rich.table" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] True False"


@pytest.mark.parametrize("output_format", ["jsonl", "csv"])
def test_memory_is_flat(output_format: str) -> None:
    import tracemalloc

    class Sink(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    page = [number(index) for index in range(100)]
    out = Output(output_format, stdout=Sink())
    out.rows(PHONE_NUMBER, [page])
    tracemalloc.start()
    try:
        assert out.rows(PHONE_NUMBER, (page for _ in range(50))) == 5000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
