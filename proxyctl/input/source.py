"""Getting the bytes of an input file and making them text: paths, encodings, binary files, sizes.

Apart from the formats, because everything here can be wrong before a single row is known.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from proxyctl.errors import InputError
from proxyctl.visible import visible

MAX_BYTES = 256 * 1024 * 1024
"""A million full CSV rows of a pool take about that; what is larger is no list of numbers."""

STDIN = "-"
_CHUNK = 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\r|\n")
_SHOWN = 60


def show(text: str, width: int = _SHOWN) -> str:
    """Quote text from a file or an argument for a message: cut, and without control characters."""
    return f'"{visible(text[:width])}{"…" if len(text) > width else ""}"'


def source_name(file: str) -> str:
    """Return what messages call the file."""
    return "stdin" if file == STDIN else visible(file)


class Source:
    """An input file in memory, read as text line by line, so that its text never lies there a second time."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._data = data
        self._encoding = _encoding(data)
        self._refuse_binary()

    @property
    def is_empty(self) -> bool:
        return not self._data

    def lines(self) -> Iterator[str]:
        """Yield the lines, each with ``\\n`` at its end whatever it was in the file.

        UnicodeDecodeError where the text is not in its encoding.
        """
        return iter(io.TextIOWrapper(io.BytesIO(self._data), encoding=self._encoding, newline=None))

    def undecodable(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each line that is not in the file's encoding, and what is wrong with it."""
        if self._encoding != "utf-8-sig":
            what = f"not {self._encoding.upper()}, as the file's first bytes say: save the file as UTF-8"
            text = self._data.decode(self._encoding, errors="replace")
            yield from ((number, what) for number, line in enumerate(text.split("\n"), 1) if "\ufffd" in line)
            return
        for number, line in enumerate(_LINE_END.split(self._data), start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                yield number, f"byte 0x{line[error.start]:02x} is not UTF-8: save the file as UTF-8"

    def _refuse_binary(self) -> None:
        if self._encoding != "utf-8-sig":
            return
        position = self._data.find(0)
        if position < 0:
            return
        line = len(_LINE_END.findall(self._data, 0, position)) + 1
        raise InputError(
            f"{self.name}:{line}: a NUL byte: this is a binary file, or UTF-16 without its byte order mark; "
            "nothing was sent",
            hint="save it as UTF-8 text: plain text, CSV, JSON or JSON Lines",
        )


def read_source(file: str, stdin: BinaryIO | None) -> Source:
    """Read a file, or stdin for ``-``; InputError names the path and what is wrong with it."""
    return Source(source_name(file), read_bytes(file, stdin))


def read_bytes(
    file: str,
    stdin: BinaryIO | None,
    *,
    most: int = MAX_BYTES,
    missing: str = "numbers themselves stand without -f; -f - reads stdin",
    too_large: str = "is it the right file? A pool holds 5500 numbers at most; split a longer list",
) -> bytes:
    """Return what a file (``-``: stdin) holds, up to ``most`` bytes; ``missing`` and ``too_large`` are hints.

    InputError names the path and what is wrong with it.
    """
    name = source_name(file)
    try:
        if file != STDIN:
            with Path(file).open("rb") as stream:
                return _drain(stream, name, most, too_large)
        if stdin is None or stdin.closed:
            raise InputError(
                "stdin is closed, so there is nothing to read; nothing was sent",
                hint="pipe it in, or name a file",
            )
        return _drain(stdin, name, most, too_large)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(error, file, name, missing) from None


def _drain(stream: BinaryIO, name: str, most: int, too_large: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise InputError(f"{name} is larger than {most // 1024**2} MiB; nothing was sent", hint=too_large)
    return b"".join(chunks)


def _unreadable(error: Exception, file: str, name: str, missing: str) -> InputError:
    reason = getattr(error, "strerror", None) or error
    what, hint = f'"{name}" can\'t be read: {reason}', None
    if file == STDIN:
        what = f"stdin can't be read: {reason}"
    elif isinstance(error, FileNotFoundError | ValueError) or not file:
        what, hint = f'there is no file "{name}"', missing
    elif isinstance(error, IsADirectoryError):
        what, hint = f'"{name}" is a directory', "name a file in it"
    elif isinstance(error, PermissionError):
        what, hint = f'"{name}" may not be read by this user', f"check its permissions: ls -l {name}"
    return InputError(f"{what}; nothing was sent", hint=hint)


def _encoding(data: bytes) -> str:
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
