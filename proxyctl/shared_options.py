"""What was asked for on the command line, before environment and config have their say."""

from __future__ import annotations

from typing import NamedTuple

FORMATS = ("table", "tsv", "json", "jsonl", "csv", "ids")


class SharedOptions(NamedTuple):
    """The options that several commands share; a command that does not take one leaves it at its default."""

    profile: str | None = None
    sandbox: bool = False
    verbose: int = 0
    quiet: bool = False
    timeout: float = 60.0
    retries: int = 4
    color: str = "auto"
    output: str | None = None
    fields: str | None = None
    no_header: bool = False
    dry_run: bool = False
    yes: bool = False
    confirm_profile: str | None = None
    no_history: bool = False
    lock_wait: float = 0.0
    default_country: str | None = None
    rate: float | None = None
    concurrency: int | None = None
    max_errors: int | None = None
    deadline: float | None = None
    failed_to: str | None = None
    allow: list[str] | None = None
