"""Text as people may see it: amounts, durations and the words by which an item of a run can end, said in one way;
foreign text made safe to show (what the API or a file says may hold escape sequences, text that runs backwards, or
spreadsheet formulas); and the one sieve that every log line, error and crash report passes, so that no secret leaves
the process.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

# Nothing of these is seen: Unicode's default-ignorable characters, and the empty Braille pattern. The zero-width joiner
# is among them, although emoji use it: it hides as well in a unique_name that resembles another one.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# Those; controls (C0, DEL, C1); line and paragraph separators; interlinear annotations; lone surrogates.
_HIDDEN = _INVISIBLE + "\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff"
_NOT_SEEN = partial(re.sub, f"[{_INVISIBLE}]")
_NOT_PLAIN = partial(re.sub, f"[{_HIDDEN}]")

_QUOTES = tuple("\"'`\u2018\u2019\u201c\u201d")  # what keyboards and word processors have
QUOTED_HINT = "Remove the quotes. docker keeps those of an env file, and jq without -r prints them."

# What a spreadsheet runs as a formula, behind any apostrophes that were there (so that it can be undone).
_FORMULA = partial(re.match, "'*[=+\\-@\t\r\n\ufeff\uff1d\uff0b\uff0d\uff20]")
# A word of a command as `command_line` writes it: a quote in it never ends the one around it.
_WORD = r"""\$?'(?!proxyctl )[^']*'(?:"[' ]"'[^']*')*|[^\s']+"""
# A command in a text of ours: it stays whole.
TYPED = re.compile(
    rf"'proxyctl(?: (?:{_WORD}))+'|`proxyctl [^`]*`|(?:(?<=: )|(?m:^ *))proxyctl(?= [a-z-])(?: +(?:{_WORD}))+"
)
# Where a command begins that works on an account, or a word: what stands in one begins none.
_BEGUN = (
    r"(?P<begun>(?:^ *|(?<=\| ))proxyctl )"
    rf"(?=(?!auth log|(?:sandbox|profile|config|explain|help|completion)\b)[a-z])|{_WORD}"
)
_NAMES_ACCOUNT = {"-p", "--profile", "--sandbox", "-h"}

FIRST = 20  # of bad rows, failures and the like: so many are named, and the others counted
MOST_SESSIONS = 100  # open Sessions of a number, as Twilio advises: more is marked
REDACTED = "[redacted]"
_BASE64 = r"[A-Za-z0-9+/_=-]{0,200}"  # bounded, or a long word would take quadratic time
_LONG = 8  # characters from which a secret is replaced wherever it stands: no word or key holds it by chance
# Where a word begins and ends: can't, in-use, v1/Services and date_created are one each.
_BEFORE, _AFTER = r"(?<!\w)(?<!\w[-'./])", r"(?!\w)(?![-'./]\w)"
_MOST_CUT = 64  # characters of a secret that was cut
_SHORTEST_CORE = 6  # a shorter piece of base64 would meet ordinary words


class Action(NamedTuple):
    """``good``: the item is as wanted now. ``meaning`` is given where the word alone does not say it."""

    word: str
    good: bool
    meaning: str = ""


CHANGED = [
    "created",
    "updated",
    "closed",
    "deleted",
    "added",
    "reserved",
    "released",
    "removed",
    "moved",
    "restored",
]
# In the order in which a summary counts them.
ACTIONS = (
    *(Action(word, True) for word in CHANGED),
    Action("unchanged", True),
    Action("skipped", False, "not tried"),
    Action("unknown", False, "may have been carried out, the next run resolves it"),
    Action("failed", False),
)
ORDER = tuple(action.word for action in ACTIONS)
GOOD = frozenset(action.word for action in ACTIONS if action.good)
NOT_GOOD = frozenset(action.word for action in ACTIONS if not action.good)


def in_words() -> str:
    """Return all of them as a part of a sentence."""
    *others, last = (
        f"{action.word} ({action.meaning})" if action.meaning else action.word for action in ACTIONS
    )
    return f"{', '.join(others)} or {last}"


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return which of ``known`` was probably meant, if any was."""
    from difflib import get_close_matches  # only for errors

    return next(iter(get_close_matches(text, list(known), n=1)), None)


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of ``known`` in any case, or nothing."""
    near = nearest(text.casefold(), known)
    return f" Did you mean {near!r}?" if near else ""


def folded(name: str) -> str:
    """Return a name without what people take for the same: case, blanks, ``-`` and ``_``."""
    return re.sub(r"[\s_-]", "", name.casefold())


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return ``1 number``, ``12 numbers``; ``things`` is the plural where no s makes it."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def first_of(lines: Sequence[str], rest: str = "more", *, count: int | None = None) -> list[str]:
    """Return the first 20 lines, and how many of the ``rest`` there are besides, of ``count`` in all."""
    left = (len(lines) if count is None else count) - len(lines[:FIRST])
    return [*lines[:FIRST], *([f"… and {left} {rest}"] if left > 0 else [])]


def duration_text(seconds: float) -> str:
    """Return a duration: ``0.4s``, ``52s``, ``2m46s``, ``1h02m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def command_line(*words: str) -> str:
    """Return a command of ours as it can be pasted into a shell, on one line: the only way to make one of values.

    What nobody can know is a word in capitals.
    """
    return " ".join(["proxyctl", *map(quoted, words)])


def quoted(word: str) -> str:
    """Quote a word for a shell; what can't be seen is written out, as bash and zsh read it within ``$'…'``."""
    import shlex

    if visible(word) == word:
        # No text within a quoted word reads as the beginning of a command.
        return shlex.quote(word).replace("proxyctl ", "proxyctl'\" \"'")
    plain = word.replace("\\", "\\\\").replace("'", "\\x27")
    plain = re.sub("[\x80-\x9f\xad]", lambda found: f"\\u{ord(found[0]):04x}", plain)  # there, \x is a byte
    return f"$'{visible(plain)}'"


def with_account(text: str, account: str) -> str:
    """Return ``text`` with the account in each command of ours that works on one: its option first (``-p prod``).

    The account of the environment has none: a comment (``# account AC…``) follows a command that stands alone.
    """
    if account.startswith("#"):
        alone = text.lstrip().startswith("proxyctl ") and not text.endswith("|")
        begins = any(found["begun"] for found in re.finditer(_BEGUN, text))
        return f"{text}  {account}" if alone and begins else text
    return TYPED.sub(lambda typed: _begun(typed[0], account), text) if account else text


def _begun(typed: str, option: str) -> str:
    around = typed[0] if typed[0] in "'`" else ""
    command = typed.removeprefix(around).removesuffix(around)
    if _NAMES_ACCOUNT.isdisjoint(re.findall(_WORD, command)):
        command = re.sub(
            _BEGUN, lambda found: f"{found[0]}{option} " if found["begun"] else found[0], command
        )
    return f"{around}{command}{around}"


class Lines(str):
    """A text of several lines. Any other text is one line: a line end in it came from outside, and is shown."""

    __slots__ = ()

    def __new__(cls, *texts: str | None) -> Lines:
        return super().__new__(
            cls, "\n".join(line for text in texts if text is not None for line in lines_in(text))
        )


def lines_in(text: str) -> list[str]:
    """Return the lines of a text."""
    return text.split("\n") if isinstance(text, Lines) else [text.replace("\n", "\\n")]


# Foreign text


def visible(text: str, keep: str = "") -> str:
    r"""Return ``text`` with its control and invisible characters written out (``\x1b``, ``\u202e``), except ``keep``.

    Everything that prints stays as it is: accents, emoji, letters that run from right to left, the
    backslash itself. What was made visible therefore stays the same when it is made visible again.
    """
    if text.isascii() and text.isprintable():
        return text
    return _NOT_PLAIN(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def without_invisible(text: str) -> str:
    """Return ``text`` without the characters of which nothing is seen."""
    return text if text.isascii() else _NOT_SEEN("", text)


def cut(text: str, limit: int = 500) -> str:
    """Return at most ``limit`` characters of ``text``; three dots at the end say that there was more."""
    return text if len(text) <= limit else text[: max(0, limit - 3)] + "..."[:limit]


def show(text: str, width: int = 60) -> str:
    """Quote text from a file or an argument for a message: cut, and without control characters."""
    return f'"{visible(text[:width])}{"…" if len(text) > width else ""}"'


def in_quotes(text: str) -> bool:
    """Whether a value begins or ends with a quote, which a shell would have taken away."""
    return text[:1] in _QUOTES or text[-1:] in _QUOTES


def without_formula(text: str) -> str:
    """Return ``text`` with a leading apostrophe where a spreadsheet would take it for a formula."""
    return "'" + text if _FORMULA(text) else text


# Secrets


class Redactor:
    """Replaces every secret that was added by ``[redacted]``, in all forms in which one travels: as it is, in base64
    (alone or inside a Basic header), in URLs and inside quoted strings. One a process, shared by all threads.

    A secret of fewer than `_LONG` characters is replaced as a whole word only, and never in a command of ours: nothing
    readable would be left. What becomes JSON is cleaned value by value before, so that keys stay as they are.
    """

    def __init__(self, first: Redactor | None = None) -> None:
        self._first = first  # whose secrets are taken out as well
        self._plain: set[str] = set()
        self._wide: set[str] = set()
        self._cut: set[str] = set()
        self._words: set[str] = set()
        self._sign: re.Pattern[str] | None = None
        self._whole: re.Pattern[str] | None = None
        self._word: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Never let ``secret`` through again, in any of its forms. An empty one is ignored."""
        if not secret:
            return
        raw = secret.encode(errors="surrogatepass")
        cores = {re.escape(core) for core in _base64_cores(raw)}
        spellings = {re.escape(form) for form in _spellings(secret, raw)}
        if len(secret) < _LONG:
            self._words |= spellings
            self._word = re.compile(f"{TYPED.pattern}|{_BEFORE}(?P<word>{_any_of(self._words)}){_AFTER}")
        else:
            self._plain |= spellings
            self._cut |= set(_cut_off(secret))
        self._plain |= cores
        self._wide |= {f"{_BASE64}{core}{_BASE64}" for core in cores}
        if self._plain:
            self._sign = re.compile(_any_of(self._plain | self._cut))
            self._whole = re.compile(_any_of(self._plain | self._wide | self._cut))

    def clean(self, text: str) -> str:
        """Return ``text`` without the secrets."""
        if self._first is not None:
            text = self._first.clean(text)
        # Most text holds none, and a search for that is many times faster than the pattern that takes it out.
        if self._sign is not None and self._whole is not None and self._sign.search(text):
            text = self._whole.sub(REDACTED, text)
        if self._word is not None:
            text = self._word.sub(lambda found: REDACTED if found["word"] else found[0], text)
        return text


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without a user name and password, in which any character may stand."""
    return re.sub(r"^([A-Za-z][\w+.-]*://)?.*@", rf"\g<1>{REDACTED}@", url, flags=re.DOTALL)


def _cut_off(secret: str) -> Iterator[str]:
    """Yield patterns of a secret that was cut before it came here: its beginning before dots, its end after them."""
    signs = [re.escape(sign) for sign in secret]
    begins, ends = "", ""
    for sign in reversed(signs[_SHORTEST_CORE:_MOST_CUT]):
        begins = f"(?:{sign}{begins})?"
    for sign in signs[-_MOST_CUT:-_SHORTEST_CORE]:
        ends = f"(?:{ends}{sign})?"
    yield f"{''.join(signs[:_SHORTEST_CORE])}{begins}(?=\\.\\.\\.|\u2026)"
    yield f"(?:(?<=\\.\\.\\.)|(?<=\u2026)){ends}{''.join(signs[-_SHORTEST_CORE:])}"


def _any_of(forms: set[str]) -> str:
    # The longest first: of two forms that begin alike, the shorter would leave the other's end behind.
    return "|".join(sorted(forms, key=len, reverse=True))


def _spellings(secret: str, raw: bytes) -> set[str]:
    """The secret as it is, as in a URL or a form (either case of %2f), and inside JSON or a Python repr."""
    import json
    from urllib.parse import quote, quote_plus

    encoded = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in encoded}
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret} | encoded | lower | quoted


def _base64_cores(secret: bytes) -> set[str]:
    """What base64 of anything with the secret inside must hold, for each of three alignments."""
    cores = set()
    for offset in range(3):
        text = b2a_base64(b"\0" * offset + secret, newline=False).decode()
        first = (offset * 8 + 5) // 6  # characters that also hold bits of what stands before
        whole = (offset + len(secret)) * 8 // 6  # characters that hold no bit of what follows
        core = text[first:whole]
        if len(core) >= _SHORTEST_CORE:
            cores |= {core, core.translate(str.maketrans("+/", "-_"))}
    return cores
