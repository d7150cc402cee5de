"""Reading the history back, for runs that go on with what earlier ones did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxyctl.bulk.records import ItemRecord
    from proxyctl.runtime import Runtime


class Search(Protocol):
    """Something looked for in the records: the names still ``wanted``, and what takes in the items of a run."""

    wanted: set[str]

    def take(self, records: Sequence[ItemRecord]) -> None: ...


def read_back(runtime: Runtime, search: Search) -> None:
    """Show ``search`` the runs on this account, newest first, until all that it wants is found."""
    if not search.wanted:
        return
    for run in runtime.history.runs():
        if run.account_sid == runtime.profile.account_sid:
            search.take(runtime.history.show(run.id).items)
        if not search.wanted:
            return
