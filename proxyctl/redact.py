"""The one sieve that every log line, error and crash report passes, so that no secret leaves the process.

It knows the forms in which a secret travels: as it is, in base64 (alone or inside a Basic header), in URLs
and inside quoted strings.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
_BASE64 = r"[A-Za-z0-9+/_=-]{0,200}"  # bounded, or a long word would take quadratic time
_SHORTEST_CORE = 6  # a shorter piece of base64 would meet ordinary words


class Redactor:
    """Replaces every secret that was added by ``[redacted]``. One a process, shared by all threads."""

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._wide: set[str] = set()
        self._sign: re.Pattern[str] | None = None
        self._whole: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Never let ``secret`` through again, in any of its forms. An empty one is ignored."""
        if not secret:
            return
        raw = secret.encode(errors="surrogatepass")
        cores = {re.escape(core) for core in _base64_cores(raw)}
        self._plain |= {re.escape(form) for form in _spellings(secret, raw)} | cores
        self._wide |= {f"{_BASE64}{core}{_BASE64}" for core in cores}
        self._sign, self._whole = _any_of(self._plain), _any_of(self._plain | self._wide)

    def clean(self, text: str) -> str:
        """Return ``text`` without the secrets."""
        # Most text holds none, and a search for that is many times faster than the pattern that takes it out.
        if self._sign is None or self._whole is None or not self._sign.search(text):
            return text
        return self._whole.sub(REDACTED, text)


def _any_of(forms: set[str]) -> re.Pattern[str]:
    # The longest first: of two forms that begin alike, the shorter would leave the other's end behind.
    return re.compile("|".join(sorted(forms, key=len, reverse=True)))


def _spellings(secret: str, raw: bytes) -> set[str]:
    """The secret as it is, as in a URL or a form (either case of %2f), and inside JSON or a Python repr."""
    encoded = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in encoded}
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret} | encoded | lower | quoted


def _base64_cores(secret: bytes) -> set[str]:
    """What base64 of anything with the secret inside must hold, for each of three alignments."""
    cores = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret).decode()
        first = (offset * 8 + 5) // 6  # characters that also hold bits of what stands before
        whole = (offset + len(secret)) * 8 // 6  # characters that hold no bit of what follows
        core = text[first:whole]
        if len(core) >= _SHORTEST_CORE:
            cores |= {core, core.translate(str.maketrans("+/", "-_"))}
    return cores
