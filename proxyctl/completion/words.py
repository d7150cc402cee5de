"""Reading a command line that is still being typed, as the three shells quote it."""

from __future__ import annotations

# What stands for itself in an unquoted word. Letters and digits of any script do too.
PLAIN = "_+,./:@%^=-"


class Word:
    """The word under the cursor: as it was typed (``raw``), without quotes (``text``), and the open quote."""

    __slots__ = ("quote", "raw", "text")

    def __init__(self, raw: str = "", text: str = "", quote: str = "") -> None:
        self.raw = raw
        self.text = text
        self.quote = quote


def split(line: str) -> tuple[list[str], Word]:
    """Split the line up to the cursor into its whole words, without quotes, and the word under the cursor."""
    words: list[str] = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        word = read_word(line[position:])
        position += len(word.raw)
        if position >= len(line):
            return words, word
        words.append(word.text)
    return words, Word()


def read_word(line: str) -> Word:
    """Read one word from the start of ``line``, up to the first space that is not quoted."""
    text, quote, escaped = "", "", False
    for position, char in enumerate(line):
        if escaped:
            # Within double quotes a backslash stands for itself, except before what it can protect.
            text += char if not quote or char in '"\\$`!' else "\\" + char
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            if char == quote:
                quote = ""
            else:
                text += char
        elif char in "'\"":
            quote = char
        elif char.isspace():
            return Word(line[:position], text)
        else:
            text += char
    return Word(line, text, quote)


def quoted(value: str, quote: str = "") -> str:
    """Write ``value`` so that a shell reads it as it is: alone, or within a quote that is already open.

    Bash closes the open quote, unless the text ends with such a quote: then it is closed here.
    """
    if not quote:
        return "".join(c if c.isalnum() or c in PLAIN else "\\" + c for c in value)
    if quote == "'":
        text = value.replace("'", "'\\''")
    else:
        # An exclamation mark can't be protected within double quotes, so it stands outside of them.
        text = "".join("\"'!'\"" if c == "!" else "\\" + c if c in '"\\$`' else c for c in value)
    return text + quote if text.endswith(quote) else text


def single_quoted(value: str) -> str:
    """Write ``value`` within single quotes, where a shell reads nothing but the closing quote."""
    return "'" + value.replace("'", "'\\''") + "'"
