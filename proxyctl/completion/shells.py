"""How shells ask and are answered, by Typer's protocol: `_PROXYCTL_COMPLETE=complete_bash`, and the words in COMP_WORDS
or _TYPER_COMPLETE_ARGS. The scripts are our own: in Typer's, a name with a space or a dollar sign is more than a name.

The answer has a candidate on each line. A line `<TAB>files` says that the shell should complete files itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

VARIABLE = "_PROXYCTL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
PLAIN = "_+,./:@%^=-"  # what stands for itself in an unquoted word; letters and digits of any script do too
CURSOR = "\0"

Candidate = tuple[str, str]  # the word, and a line about it


class Line(NamedTuple):
    """A command line up to the cursor: its words, the one under the cursor, and the quote that is open there."""

    words: list[str]
    word: str
    quote: str = ""


def script(shell: str) -> str:
    """Return the script that a shell reads to complete proxyctl."""
    return Path(__file__).with_name(f"proxyctl.{shell}").read_text(encoding="utf-8")


def split(text: str) -> Line:
    """Split a line that is still being typed, as shells quote it."""
    reader = shlex.shlex(text + CURSOR, posix=True)
    reader.whitespace_split = True
    reader.commenters = ""
    words: list[str] = []
    try:
        for word in reader:
            words.append(word)
    except ValueError:  # a quote is open
        words.append(reader.token)
    state = getattr(reader, "state", None)
    quote = state if state in ("'", '"') else ""
    return Line(words[:-1], words[-1].removesuffix(CURSOR), quote)


def asked(environ: Mapping[str, str]) -> Line:
    """Return the line that a shell asks about."""
    if "_TYPER_COMPLETE_ARGS" in environ:
        line = split(environ["_TYPER_COMPLETE_ARGS"])
        while line.words and "=" in line.words[0]:  # fish hands over what stands before the command too
            line.words.pop(0)
        return line
    # Typer's own script for bash: all words of the line, split at '=' too.
    found = split(environ["COMP_WORDS"])
    *words, word = [*found.words, found.word, ""][: int(environ["COMP_CWORD"]) + 1]
    return Line([one for one in words if one != "="], word)


def answer(shell: str, environ: Mapping[str, str], line: Line, found: Iterable[Candidate]) -> list[str]:
    """Return the candidates as ``shell`` inserts them."""
    # The value of '--output=js' is what was completed; fish and bash may want the whole word.
    prefix = line.word[: line.word.find("=") + 1] if line.word.startswith("-") else ""
    if shell == "zsh":
        return [described(value, about) for value, about in found]
    if shell == "fish":
        return [f"{prefix}{value}\t{about}" for value, about in found]
    typed = environ.get("_PROXYCTL_COMPLETE_WORD")
    if typed is None:  # Typer's script puts in what it gets
        return [quoted(value) for value, _ in found]
    # Bash breaks words at more characters than spaces, and puts in what replaces only the last part.
    typed = "" if typed == "=" else typed
    before = split(environ["_TYPER_COMPLETE_ARGS"].removesuffix(typed)).word
    return [quoted((prefix + value)[len(before) :], line.quote) for value, _ in found]


def quoted(value: str, quote: str = "") -> str:
    """Write ``value`` so that bash reads it as it is: alone, or within a quote that is already open.

    Bash closes the open quote, except after a text with such a quote at its end. That one is closed here.
    """
    if not quote:
        return "".join(c if c.isalnum() or c in PLAIN else "\\" + c for c in value)
    if quote == "'":
        text = value.replace("'", "'\\''")
    else:
        # An exclamation mark can't be protected within double quotes, so it stands outside of them.
        text = "".join("\"'!'\"" if c == "!" else "\\" + c if c in '"\\$`' else c for c in value)
    return text + quote if text.endswith(quote) else text


def described(value: str, about: str) -> str:
    """Write a candidate as zsh's _describe reads it, to which colon and backslash mean something."""
    name = value.replace("\\", "\\\\").replace(":", "\\:")
    return f"{name}:{about}" if about else name
