"""What several reading commands are asked for in the same words: which Services, and which capabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.commands.values import did_you_mean, shown
from proxyctl.errors import UsageError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.render.shapes import Shape
    from proxyctl.runtime import Runtime


def chosen_services(runtime: Runtime, names: Sequence[str], *, all_services: bool) -> list[Service]:
    """Return the Services that were named, each once, or all of the account; sorted by unique name."""
    from proxyctl.pools.reading import list_services_by_name

    if bool(names) == all_services:
        raise UsageError(
            "name the Services, or give --all."
            if not names
            else "--all and named Services exclude each other.",
            hint="'proxyctl service list' shows what there is.",
        )
    if all_services:
        found = list(list_services_by_name(runtime.reader).values())
    else:
        found = [runtime.reader.service(name) for name in names]
    by_sid = {service.sid: service for service in found}
    return sorted(by_sid.values(), key=lambda service: service.unique_name or service.sid)


def check_capabilities(names: Sequence[str], rows: Sequence[Mapping[str, Any]], shape: Shape) -> None:
    """Refuse a capability that is none: a typo would silently choose nothing."""
    from proxyctl.pools.filters import MEDIA, capability_key

    known = dict.fromkeys((*MEDIA, *shape.maps["capabilities"]))
    for row in rows:
        capabilities = row.get("capabilities")
        known.update(dict.fromkeys(capabilities if isinstance(capabilities, dict) else ()))
    for name in names:
        if capability_key(name) not in known:
            raise UsageError(
                f"--capability: there is no {shown(name)}.{did_you_mean(capability_key(name), list(known))}",
                hint=f"Known are {', '.join(known)}.",
            )
