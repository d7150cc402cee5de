"""What the tests of `pool` share: pool files from a few words, and pools as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import tomli_w

from tests.support import Cli


def pool_file(directory: Path, services: Mapping[str, Mapping[str, object]], name: str = "pool.toml") -> str:
    """Write a pool file; return its path."""
    path = directory / name
    path.write_text(tomli_w.dumps({"version": 1, "services": services}))
    return str(path)


def numbers_of(cli: Cli, service: str) -> dict[str, bool]:
    """The pool of a Service: number to is_reserved."""
    rows = cli.ok("number", "list", service, "-o", "json").json
    return {row["phone_number"]: row["is_reserved"] for row in rows}


def fill(cli: Cli, service: str, numbers: Sequence[str], *, reserved: bool = True) -> None:
    """Create a Service if need be, and add numbers to its pool."""
    cli.ok("service", "create", service, "--if-not-exists", "-o", "ids")
    cli.ok("number", "add", service, *numbers, "--reserved" if reserved else "--unreserved")


def messaging_service(cli: Cli, *sids: str, defers: bool = True) -> str:
    """Make a Messaging Service with these numbers."""
    form = ("FriendlyName=mg", f"UseInboundWebhookOnNumber={str(defers).lower()}")
    path = "/messaging/v1/Services"
    mg: str = cli.ok("api", "POST", path, "-d", form[0], "-d", form[1]).json["sid"]
    for sid in sids:
        cli.ok("api", "POST", f"{path}/{mg}/PhoneNumbers", "-d", f"PhoneNumberSid={sid}")
    return mg
