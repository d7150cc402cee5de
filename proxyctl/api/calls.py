"""One request and its answer as plain values: what is asked can be shown, sent, sent again or looked at
first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from proxyctl.api.endpoint import PREFIXES
from proxyctl.errors import UsageError

Pairs = tuple[tuple[str, str], ...]

_METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_ITEM = re.compile(r"/[A-Z]{2}[0-9a-fA-F]{32}(?=(\.json)?$)")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: method, canonical path, query and form, in order.

    ``expect`` is what a good answer holds: ``"sid"`` for a resource, a list's key, or None for anything.
    ``sid`` is the resource that a good answer is about, and ``good`` the statuses that it may have; left out,
    any resource and any 2xx will do. UsageError where method, path or text can't be sent.
    """

    method: str
    path: str
    params: Pairs = ()
    data: Pairs = ()
    expect: str | None = None
    sid: str | None = None
    good: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise UsageError(f"the method {self.method[:20]} is not known", hint=f"use {', '.join(_METHODS)}")
        _check_path(self.path)
        try:
            "".join(part for pair in self.params + self.data for part in pair).encode()
        except UnicodeEncodeError:
            raise UsageError(f"{self.method} {self.path}: a value is not valid text (UTF-8)") from None

    @classmethod
    def parse(cls, method: str, target: str, data: Iterable[tuple[str, str]] = ()) -> Call:
        """Build a call from what a person typed: ``target`` may carry a query; the data of a GET joins it."""
        path, _, query = target.partition("?")
        params = tuple(parse_qsl(query, keep_blank_values=True))
        method = method.upper()
        if method in ("GET", "DELETE"):
            return cls(method, path, params + tuple(data))
        return cls(method, path, params, tuple(data))

    @property
    def writes(self) -> bool:
        """Does it change anything?"""
        return self.method != "GET"

    @property
    def creates(self) -> bool:
        """Does it add to a collection, so that repeating it may add twice?"""
        return self.method == "POST" and _ITEM.search(self.path) is None

    @property
    def lane(self) -> str:
        """What shares one rate window: a method on a collection, its items included."""
        return f"{self.method} {_ITEM.sub('', self.path)}"

    @property
    def may_repeat(self) -> bool:
        """May it be sent again without looking, when nobody knows whether it was carried out?

        To read, to delete and to update one item comes to the same twice; to add to a collection does not.
        """
        return self.method != "PATCH" and not self.creates

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer (2xx). ``body`` is the decoded JSON, None where there was none; ``duration`` is in
    seconds.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    request_id: str | None = None
    duration: float = 0.0


def form(**fields: str | int | bool | None) -> Pairs:
    """Return form parameters as the API spells them: ``unique_name`` as UniqueName, booleans as true and
    false.

    A field that is None is left out; an empty text is sent, since it clears a value.
    """
    return tuple((_camel(name), _text(value)) for name, value in fields.items() if value is not None)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_path(path: str) -> None:
    """Refuse what names a host, leaves its prefix, or is no path at all."""
    if not path.startswith(PREFIXES):
        raise UsageError(
            f"the path {path[:200]!r} is not one of this API",
            hint=f"a path begins with {', '.join(PREFIXES)} and never names a host",
        )
    if not _PATH.fullmatch(path) or "//" in path or re.search(r"%(?![0-9A-Fa-f]{2})", path):
        raise UsageError(f"the path {path[:200]!r} holds characters that no path of this API has")
    if any(unquote(part) in (".", "..") for part in path.split("/")):
        raise UsageError(f"the path {path[:200]!r} climbs out of its place")
