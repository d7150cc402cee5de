"""What a callback says about an interaction, and which callbacks an interaction is owed."""

from __future__ import annotations

import sqlite3

from proxyctl.sandbox.context import Context


def announce(context: Context, interaction: sqlite3.Row) -> None:
    """Owe the Service's callback for each status of ``interaction``, in order."""
