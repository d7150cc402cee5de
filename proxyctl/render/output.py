"""Output: the one way in which rows and text reach stdout, in the format that was asked for. It streams where
the format can, never chokes on an encoding, and knows a reader that has gone from a disk that is full.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TextIO

from proxyctl.errors import OutputError
from proxyctl.render.shape import Row, Shape, Writer, check_fields, parse_fields, pick, to_json, writer_for
from proxyctl.roles import Line, Screen, laid_out
from proxyctl.text import visible


class Output:
    """Prints rows, one object, or lines.

    ``output_format`` is one of table, tsv, json, jsonl, csv, ids. Where stdout is no terminal, nothing is cut, wrapped
    or counted. ``fields`` are names or paths, separated by commas. All methods raise OutputError where stdout can't be
    written (disk full, closed); BrokenPipeError, the reader who has read enough, goes through as it is.
    """

    def __init__(
        self,
        output_format: str,
        *,
        fields: str | None = None,
        header: bool = True,
        silent: bool = False,
        stdout: TextIO | None,
        screen: Callable[[], Screen] = Screen,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.format = output_format
        self.fields = None if fields is None else parse_fields(fields)
        self._header = header
        self._silent = silent  # a list without rows prints nothing, not even its header
        self._stdout = stdout
        self._screen = screen  # what it can show now
        self._before = before or (lambda: None)  # called before anything is written
        self._broken = False

    def check(self, shape: Shape) -> None:
        """Raise UsageError when a chosen field is not one of ``shape``: for commands that write, before they
        do.

        `rows` and `one` check again, and know the keys of the first page as well.
        """
        if self.fields is not None:
            check_fields(self.fields, shape)

    def rows(self, shape: Shape, pages: Iterable[Sequence[Row]]) -> int:
        """Print all rows of all pages and return how many there were.

        When ``pages`` raises, the rows read until then are printed (and a JSON array is closed) before the error goes
        on; when nothing was read, nothing is printed.
        """
        count = 0
        writer = None
        try:
            for page in pages:
                if not page:
                    continue
                if writer is None:
                    writer = self._writer(shape, page)
                    self._write(writer.start)
                self._write(writer.page(page), flush=True)
                count += len(page)
        except BaseException:
            if writer is not None and not self._broken:
                self._end(writer, complete=False)
            raise
        if writer is None and self._silent:
            return 0
        if writer is None:
            writer = self._writer(shape, [])
            self._write(writer.start)
        self._end(writer, complete=True)
        return count

    def one(
        self,
        shape: Shape,
        row: Mapping[str, Any],
        *,
        verdict: Line | None = None,
        said: Collection[str] = (),
    ) -> None:
        """Print a single object: bare in JSON, a sheet as a table, else as a list of one row.

        The ``verdict`` stands on top of a sheet, which leaves the fields out that it has ``said``.
        """
        if self.format == "table":
            from proxyctl.render.cells import sheet

            self.lines(sheet(shape, self._checked(shape, [row]), row, self._screen(), verdict, said))
        elif self.format == "json":
            chosen = self._checked(shape, [row])
            self.text(to_json(row if chosen is None else pick(row, chosen), indent=True))
        else:
            self.rows(shape, [[row]])
        self.flush()

    def text(self, text: str) -> None:
        """Print a line (or several) of our own words; on a terminal without control characters."""
        self._write((text if self._screen().width is None else visible(text, keep="\n")) + "\n")

    def lines(self, lines: Iterable[Line], *, widest: int | None = None) -> None:
        """Print lines for people at once, as wide as the terminal, and at most ``widest``."""
        screen = self._screen()
        if screen.width is not None and widest is not None:
            screen = screen._replace(width=min(screen.width, widest))
        self._write(laid_out(lines, screen), flush=True)

    def flush(self) -> None:
        """Hand on what stdout still holds, so that a full disk is noticed while it can be reported."""
        self._write("", flush=True)

    def _writer(self, shape: Shape, page: Sequence[Row]) -> Writer:
        chosen, terminal = self._checked(shape, page), self._screen().width is not None
        if self.format == "table":
            from proxyctl.render.table import Table

            return Table(shape, chosen, self._screen(), header=self._header)
        return writer_for(self.format, shape, chosen, header=self._header, terminal=terminal)

    def _end(self, writer: Writer, *, complete: bool) -> None:
        for text in writer.end(complete):
            self._write(text)
        self.flush()

    def _checked(self, shape: Shape, page: Sequence[Row]) -> tuple[str, ...] | None:
        if self.fields is not None:
            check_fields(self.fields, shape, page)
        return self.fields

    def _write(self, text: str, *, flush: bool = False) -> None:
        try:
            self._before()
            self._put(text)
            if flush and self._stdout is not None:
                self._stdout.flush()
        except BrokenPipeError:
            self._broken = True
            raise
        except (OSError, ValueError) as error:  # ValueError: a Python stream that was closed
            self._broken = True
            reason = getattr(error, "strerror", None) or str(error)
            raise OutputError(f"could not write to standard output: {reason}") from error

    def _put(self, text: str) -> None:
        r"""Write, with what the stream's encoding lacks, lone surrogates included, as ``\u2026``."""
        if self._stdout is None:
            raise ValueError("it is closed")
        try:
            self._stdout.write(text)
        except UnicodeEncodeError:
            encoding = self._stdout.encoding
            self._stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
