"""What the writing commands of `service` do: create, update and delete, each recorded in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from proxyctl.commands import way_back
from proxyctl.commands.writing import recorded, show_calls
from proxyctl.completion.remembering import forget_service, remember_service
from proxyctl.errors import RefusedError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.pools.pool import Pool
    from proxyctl.runtime import Runtime

NAME_TAKEN = 80602


def create(runtime: Runtime, name: str, settings: Mapping[str, str], *, if_not_exists: bool) -> None:
    """Create a Service and print it; with ``if_not_exists`` print the one that has the name already."""
    from proxyctl.render.shapes import SERVICE

    runtime.out.check(SERVICE)
    runtime.guard_writes()
    services = runtime.client.services
    fields = {"unique_name": name, **settings}
    existing = services.named(name) if if_not_exists else None
    if existing is not None:
        show_existing(runtime, existing, settings)
        return
    if runtime.options.dry_run:
        show_calls(runtime, [services.create_call(**fields)])
        return
    try:
        with recorded(runtime, "create_service", before=None) as record:
            service = services.create(**fields)
            record.done(service.raw, service_sid=service.sid)
    except RefusedError as error:
        existing = services.named(name) if if_not_exists and is_taken(error) else None
        if existing is None:
            raise
        show_existing(runtime, existing, settings)
        return
    remember_service(runtime, service.raw)
    runtime.out.one(SERVICE, service.raw)


def is_taken(error: RefusedError) -> bool:
    """Whether the name was refused because a Service has it: one that was made since we looked."""
    return error.problem is not None and error.problem.code == NAME_TAKEN


def show_existing(runtime: Runtime, existing: Service, settings: Mapping[str, str]) -> None:
    """Print a Service that was there already, and say where it is not as it was wanted."""
    from proxyctl.render.shapes import SERVICE

    note_differences(runtime, existing, settings)
    runtime.out.one(SERVICE, existing.raw)


def note_differences(runtime: Runtime, existing: Service, settings: Mapping[str, str]) -> None:
    """Say where a Service that exists is not as the options would have made it."""
    runtime.note(f"Service {existing.unique_name} exists already ({existing.sid}); it was left as it is.")
    for field, wanted in settings.items():
        there = existing.raw.get(field)
        there = "" if there is None else str(there)
        if there != wanted:
            runtime.note(
                f"  {field} is {there or 'empty'}, not {wanted or 'empty'}: 'proxyctl service update' changes it."
            )


def update(runtime: Runtime, name: str, settings: Mapping[str, str]) -> None:
    """Change the settings that were given, and print the Service."""
    from proxyctl.render.shapes import SERVICE

    runtime.out.check(SERVICE)
    runtime.guard_writes()
    services = runtime.client.services
    service = services.find(name)
    if runtime.options.dry_run:
        show_calls(runtime, [services.update_call(service.sid, **settings)])
        return
    with (
        runtime.lock(service.sid),
        recorded(runtime, "update_service", before=service.raw, service=service) as record,
    ):
        updated = services.update(service.sid, **settings)
        record.done(updated.raw)
    remember_service(runtime, updated.raw)
    runtime.out.one(SERVICE, updated.raw)


def delete(runtime: Runtime, name: str) -> None:
    """Show what deleting would end, ask for the unique name, save a way back, and delete."""
    from proxyctl.pools.pool import look_at_pool

    runtime.guard_writes()
    services = runtime.client.services
    service = services.find(name)
    if runtime.options.dry_run:
        show_calls(runtime, [services.delete_call(service.sid)])
        return
    with runtime.lock(service.sid):
        pool = look_at_pool(runtime.client, service.sid)
        runtime.confirm(blast_radius(runtime, service, pool), typed=service.unique_name or service.sid)
        saved = way_back.save_service(runtime, service, pool)
        with recorded(runtime, "delete_service", before=service.raw, service=service) as record:
            services.delete(service.sid)
            record.done(None)
    forget_service(runtime, service.sid)
    runtime.note(f"deleted Service {service.unique_name} ({service.sid}).")
    if saved is not None:
        runtime.note(
            f"saved to {saved}: '{way_back.restoring(saved)}' makes a Service of this name, with its settings and "
            "numbers, again; it gets another SID, and has no Sessions."
        )


def blast_radius(runtime: Runtime, service: Service, pool: Pool) -> str:
    """Say what goes with a Service: its numbers, of them in use, its open Sessions, and what is lost for good."""
    in_use = sum(1 for number in pool.by_sid.values() if number.in_use)
    sessions = 0
    for page in runtime.client.sessions(service.sid).list():
        sessions += sum(1 for raw in page.items if raw.get("status") in ("open", "in-progress"))
    profile = runtime.profile
    captives = way_back.captives_text(runtime, pool.by_sid)
    return (
        f"This deletes Service {service.unique_name} ({service.sid}) "
        f"of account {profile.account_sid} (profile {profile.name}):\n"
        f"  Numbers that become free: {len(pool.by_sid)} ({in_use} of them in use). "
        f"Open Sessions that end: {sessions}.{captives}\n"
        "  The Message and Call SIDs of its Interactions can't be found through Proxy afterwards."
    )
