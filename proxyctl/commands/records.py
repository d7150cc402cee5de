"""Reading the history back, for runs that go on with what earlier ones did."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from proxyctl.errors import NotFoundError, OutputError

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime
    from proxyctl.state.record import ItemRecord


class Search(Protocol):
    """Something looked for in the records: the names still ``wanted``, and what takes in the items of a run."""

    wanted: set[str]

    def take(self, records: Sequence[ItemRecord]) -> None: ...


def read_back(runtime: Runtime, search: Search) -> None:
    """Show ``search`` the runs on this account, newest first, until all that it wants is found.

    OutputError where the history can't be read, unless --no-history goes without.
    """
    try:
        for run in runtime.history.runs() if search.wanted else ():
            if run.account_sid == runtime.profile.account_sid:
                with suppress(NotFoundError):  # another process has rotated it away meanwhile
                    search.take(runtime.history.show(run.id).items)
            if not search.wanted:
                return
    except OutputError as error:
        if not runtime.options.no_history:
            raise
        runtime.warn(f"what earlier runs did is not known: {error.message}")
