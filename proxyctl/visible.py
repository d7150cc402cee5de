"""Foreign text made safe to show: what the API or a file says may hold escape sequences, text that runs
backwards, or spreadsheet formulas. Apart from rendering, because errors, prompts and the reader need it too.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Controls (C0, DEL, C1); the soft hyphen; zero-width and bidi controls; line and paragraph separators;
# interlinear annotations; shorthand and musical format controls; tags; lone surrogates. The zero-width joiner
# is among them, although emoji use it: it hides as well in a unique_name that looks like another one.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# What a spreadsheet runs as a formula, behind any apostrophes that were there (so that it can be undone).
_FORMULA = re.compile("'*[=+\\-@\t\r]")

_TYPED = re.compile("'proxyctl [^']*'|(?<=: )proxyctl .*|^ *proxyctl [a-z].*")


def visible(text: str, keep: str = "") -> str:
    r"""Return ``text`` with its control characters written out (``\x1b``, ``\u202e``), except ``keep``.

    Everything that prints stays as it is: accents, emoji, letters that run from right to left, the
    backslash itself. What was made visible therefore stays the same when it is made visible again.
    """
    if text.isprintable():
        return text
    return _pattern(keep).sub(_escape, text)


def cut(text: str, limit: int = 500) -> str:
    """Return at most ``limit`` characters of ``text``; three dots at the end say that there was more."""
    return text if len(text) <= limit else text[: max(0, limit - 3)] + "..."[:limit]


def show(text: str, width: int = 60) -> str:
    """Quote text from a file or an argument for a message: cut, and without control characters."""
    return f'"{visible(text[:width])}{"…" if len(text) > width else ""}"'


def without_formula(text: str) -> str:
    """Return ``text`` with a leading apostrophe where a spreadsheet would take it for a formula."""
    return "'" + text if _FORMULA.match(text) else text


@lru_cache(maxsize=8)
def _pattern(keep: str) -> re.Pattern[str]:
    kept = f"(?![{re.escape(keep)}])" if keep else ""
    return re.compile(f"{kept}[{_HIDDEN}]")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def wrapped(text: str, width: int) -> str:
    """Break lines at words, keeping each line's indent; what is typed or copied (a command, a URL) stays whole."""
    import textwrap

    lines: list[str] = []
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        pieces = textwrap.wrap(
            _TYPED.sub(lambda found: found[0].replace(" ", "\0"), line),
            width,
            subsequent_indent=" " * (indent + 2 if line.startswith("- ", indent) else indent),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.extend(piece.replace("\0", " ") for piece in pieces or [""])
    return "\n".join(lines)
