"""Bars in eighths of a column, so that 0.1 % and 10 % differ."""

from __future__ import annotations

from proxyctl.roles import Piece, Role

EIGHTHS = " ▏▎▍▌▋▊▉"
MARK = "╎"


def bar(
    share: float, fill: Role | None, width: int, rest: str = "─", mark: float | None = None
) -> list[Piece]:
    """Return a bar that is empty only at 0, and full only at 1; ``mark`` is the share that has a mark."""
    eighths = round(share * width * 8)
    eighths = 0 if share <= 0 else width * 8 if share >= 1 else min(width * 8 - 1, max(1, eighths))
    whole, part = divmod(eighths, 8)
    filled = "█" * whole + (EIGHTHS[part] if part else "")
    left = rest * (width - len(filled))
    if mark is not None and (place := int(mark * width) - len(filled)) >= 0:
        left = left[:place] + MARK + left[place + 1 :]
    return [Piece(filled, fill), Role.FAINT(left)]
