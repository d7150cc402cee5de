"""How amounts are said to people: counts of things, and durations. Stated once."""

from __future__ import annotations


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return ``1 number``, ``12 numbers``; ``things`` is the plural where no s makes it."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


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
