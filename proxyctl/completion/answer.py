"""The protocol between the shells and proxyctl, which is Typer's own: `_PROXYCTL_COMPLETE=complete_bash`, the words
in COMP_WORDS or _TYPER_COMPLETE_ARGS, the answer on stdout.

Our own scripts ask for a little more: with `_PROXYCTL_COMPLETE_WORD` (bash, fish) a line `<TAB>files` says that the
shell should complete files, and bash gets words that are quoted to stand where the cursor is.
"""

from __future__ import annotations

import os

from proxyctl.completion.candidates import DIRECTORIES, FILES, Found, complete
from proxyctl.completion.names import Names
from proxyctl.completion.tree import Tree
from proxyctl.completion.words import Word, quoted, read_word, single_quoted, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "_PROXYCTL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def respond(environ: Mapping[str, str]) -> int:
    """Answer a shell on stdout, and return the exit code; nothing that goes wrong here is worth a word."""
    try:
        code, text = answer(environ)
        data = text.encode("utf-8", "surrogateescape")
        while data:
            data = data[os.write(1, data) :]
    except (Exception, KeyboardInterrupt):
        if environ.get("PROXYCTL_DEBUG"):
            raise
        return 1
    return code


def answer(environ: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit code and the answer to what the variables ask."""
    action, _, shell = environ[VARIABLE].partition("_")
    if shell not in SHELLS or action not in ("complete", "source"):
        return 1, ""
    if action == "source":
        return 0, script(shell)
    words, word = asked(environ)
    found = complete(Tree.load(), Names(environ), words[1:], word.text)
    if shell == "zsh":
        return 0, zsh(found)
    if shell == "bash":
        return 0, lines(bash(found, word, environ), found, environ)
    some = bool(found.candidates)
    if environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return (0 if some else 1), ""
    return 0, lines(fish(found), found, environ)


def script(shell: str) -> str:
    """Return the script that a shell reads to complete proxyctl."""
    path = os.path.join(os.path.dirname(__file__), f"proxyctl.{shell}")
    with open(path, encoding="utf-8") as file:
        return file.read()


def asked(environ: Mapping[str, str]) -> tuple[list[str], Word]:
    """Return the whole words of the command line, and the one under the cursor."""
    line = environ.get("_TYPER_COMPLETE_ARGS")
    if line is not None:
        words, word = split(line)
        while words and "=" in words[0]:  # fish hands over what stands before the command too
            words.pop(0)
        return words, word
    return typers_words(environ.get("COMP_WORDS", ""), environ.get("COMP_CWORD", ""))


def typers_words(text: str, position: str) -> tuple[list[str], Word]:
    """Return the words as Typer's own script for bash hands them over: split at '=' too."""
    words, last = split(text)
    words = [*words, last.text] if last.raw else words
    index = int(position) if position.isdecimal() else len(words) - 1
    before, word = words[:index], words[index] if index < len(words) else ""
    if word == "=":
        word = ""
    if before and before[-1] == "=":
        before.pop()
    return [one for one in before if one != "="], Word(word, word)


def bash(found: Found, word: Word, environ: Mapping[str, str]) -> list[str]:
    """Return the candidates as bash inserts them."""
    typed = environ.get("_PROXYCTL_COMPLETE_WORD")
    if typed is None:
        return [value for value, _ in found.candidates]
    # Bash breaks words at more characters than spaces, and puts in what replaces only the last part.
    typed = "" if typed == "=" else typed
    before = read_word(word.raw.removesuffix(typed)).text if word.raw.endswith(typed) else ""
    whole = [found.prefix + value for value, _ in found.candidates]
    return [quoted(value[len(before) :], word.quote) for value in whole]


def fish(found: Found) -> list[str]:
    """Return the candidates as fish wants them: the whole word, a tab, a line about it."""
    rows = [(found.prefix + value, help_text) for value, help_text in found.candidates]
    return [f"{value}\t{help_text}" if help_text else value for value, help_text in rows]


def lines(rows: list[str], found: Found, environ: Mapping[str, str]) -> str:
    """Join what is printed for bash and fish."""
    if found.paths and "_PROXYCTL_COMPLETE_WORD" in environ:
        rows = [f"\t{found.paths}"]
    return "".join(f"{row}\n" for row in rows)


def zsh(found: Found) -> str:
    """Return code for zsh to run: one command line in which every name stands within single quotes."""
    skip = "[[ $PREFIX == -*=* ]] && compset -P '*='; "
    if found.prefix and not found.prefix.endswith("="):
        skip = "compset -P '-?'; "
    skip = skip if found.prefix else ""
    if found.paths:
        return skip + {FILES: "_files", DIRECTORIES: "_files -/"}[found.paths] + "\n"
    if not found.candidates:
        return ""
    items = " ".join(single_quoted(described(value, text)) for value, text in found.candidates)
    return f"{skip}local -a found; found=({items}); _describe -t values proxyctl found\n"


def described(value: str, help_text: str) -> str:
    """Write a candidate as _describe reads it, to which colon and backslash mean something."""
    name = value.replace("\\", "\\\\").replace(":", "\\:")
    return f"{name}:{help_text}" if help_text else name
