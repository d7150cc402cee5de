"""What `number find` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxyctl.commands.bulk import read_input
from proxyctl.errors import NotFoundError, PartialError

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime


def find(runtime: Runtime, numbers: Sequence[str] | None, file: str | None) -> None:
    """Print which Service holds each number; NotFoundError for one that none holds, PartialError for some."""
    from proxyctl.pools.finding import find_numbers
    from proxyctl.render.shapes import FOUND

    runtime.out.check(FOUND)
    items = read_input(runtime, numbers, file).items
    client = runtime.client
    names = {raw["sid"]: raw.get("unique_name") for page in client.services.list() for raw in page.items}
    found = {each.item: each for each in find_numbers(client, items, list(names))}
    rows = [
        {
            "phone_number": found[item].number.phone_number,
            "sid": found[item].number.sid,
            "service_sid": found[item].service_sid,
            "service": names.get(found[item].service_sid),
        }
        for item in items
        if item in found
    ]
    runtime.out.rows(FOUND, [rows])
    missing = [item for item in items if item not in found]
    if not missing:
        return
    hint = (
        "'proxyctl api GET /2010-04-01/Accounts/AC…/IncomingPhoneNumbers.json' shows the account's numbers."
    )
    if len(items) == 1:
        raise NotFoundError(f"no Service holds {items[0].input}.", hint=hint)
    for item in missing[:20]:
        runtime.say(f"{item.input}: in no pool")
    summary = f"found {len(rows)}, in no pool {len(missing)}"
    if not rows:
        raise NotFoundError(f"{summary}.", hint=hint)
    raise PartialError(f"{summary}.")
