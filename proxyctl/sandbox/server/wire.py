"""Requests and answers as values, apart from any HTTP server: what a server or a transport hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_FIELDS_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is raw (percent-encoded, no query); ``headers`` have lower-case names.

    ``base_url`` is the origin that the client used (``http://host:port``): page URLs are built on it.
    ``concurrent`` is the number of requests under way, this one included.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8181"
    concurrent: int = 1

    @classmethod
    def from_wire(
        cls,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        base_url: str,
        *,
        concurrent: int = 1,
    ) -> Request:
        """Build a request from the request line's target and the raw body; unreadable parts never raise."""
        path, _, query = target.partition("?")
        return cls(
            method=method,
            path=path,
            query=parse_pairs(query) if query else [],
            form=parse_pairs(body.decode("utf-8", "surrogateescape")) if body else [],
            headers=headers,
            base_url=base_url,
            concurrent=concurrent,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``body`` is None for a 204; a server adds Content-Length and its own connection headers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | None


def parse_pairs(encoded: str) -> list[tuple[str, str]]:
    """Decode ``a=1&b=2``. Bytes that are not UTF-8 become lone surrogates, which the rules refuse by name.

    Of a form with more than 1000 fields only the first 1000 count: no request has use for more.
    """
    parts = encoded.split("&", _FIELDS_AT_MOST)[:_FIELDS_AT_MOST]
    return parse_qsl("&".join(parts), keep_blank_values=True, errors="surrogateescape")
