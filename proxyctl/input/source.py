"""The bytes of an input file as text: its encoding, its lines, and which of them are damaged."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

from proxyctl.errors import InputError

_BOM = "\ufeff"
_LINE_END = re.compile(rb"\r\n|\r|\n")
# How a file begins, what is in it, and what it is.
_BINARIES = (
    (b"PK\x03\x04", b"xl/workbook", "an Excel workbook"),
    (b"PK\x03\x04", b"opendocument.spreadsheet", "an OpenDocument spreadsheet"),
    (b"PK\x03\x04", b"", "a ZIP archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", "an old Excel workbook"),
)


class Source:
    """An input file in memory, read as text line by line, so that its text never lies there a second time."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._data = data
        self._encoding = _encoding(data)
        self._refuse_binary()

    def lines(self) -> Iterator[str]:
        """Yield the lines, each with ``\\n`` at its end whatever it was in the file.

        UnicodeDecodeError where the text is not in its encoding.
        """
        text = io.TextIOWrapper(io.BytesIO(self._data), encoding=self._encoding, newline=None)
        return (line.lstrip(_BOM) for line in text)  # files that were joined have it in their middle

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
        for signature, part, what in _BINARIES:
            if self._data.startswith(signature) and part in self._data:
                raise InputError(f"{self.name} is {what}. Save it as CSV UTF-8. Nothing was sent")
        if self._encoding != "utf-8-sig":
            return
        position = self._data.find(0)
        if position < 0:
            return
        line = len(_LINE_END.findall(self._data, 0, position)) + 1
        raise InputError(
            f"{self.name}:{line}: a NUL byte: this is a binary file, or UTF-16 without its byte order mark. "
            "Nothing was sent",
            hint="Save it as UTF-8 text: plain text, CSV, JSON or JSON Lines.",
        )


def _encoding(data: bytes) -> str:
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
