"""What the commands do that fill, change and show what the sandbox holds."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace

from proxyctl.commands.sandbox.serving import exports, require_loopback
from proxyctl.identifiers import require_number
from proxyctl.render.shapes import PHONE_NUMBER, Shape
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime


def fill(
    runtime: Runtime, numbers: int | None, country: str | None, scenario: str | None, seed_number: int | None
) -> None:
    """Make numbers, or a whole scenario, and print them."""
    from proxyctl.sandbox.world.scenarios import seed

    fields = ("sid", "phone_number", "friendly_name", "iso_country", "type", "capabilities")
    shape = Shape.generic("number", (*fields, "service_sid") if scenario is not None else fields)
    shape = replace(shape, maps=PHONE_NUMBER.maps)
    runtime.out.check(shape)
    rows = seed(runtime.sandbox_store, numbers, country, scenario, seed_number, now=runtime.clock.now())
    if not runtime.options.silent:
        runtime.out.rows(shape, [rows])


def make_busy(runtime: Runtime, number: str, sessions: int) -> None:
    """Give a number so many open Sessions, and print it."""
    shape = Shape.generic("number", ("sid", "phone_number", "service_sid", "is_reserved", "in_use"))
    runtime.out.check(shape)
    reference = require_number(number, runtime.options.default_country)
    name = reference.sid or reference.phone_number or number
    row = runtime.sandbox_store.set_in_use(name, sessions, runtime.clock.now())
    if not runtime.options.silent:
        runtime.out.one(shape, row)


def move_clock(runtime: Runtime, when: str | None) -> None:
    """Move the sandbox's time, and print it."""
    from proxyctl.sandbox.world.clock import set_clock

    shape = Shape.generic("time", ("now", "offset"), id_field="now")
    runtime.out.check(shape)
    with runtime.sandbox_store.writing() as db:
        row = set_clock(db, when, runtime.clock.now())
    if when is None or not runtime.options.silent:
        runtime.out.one(shape, row)


def show_status(runtime: Runtime) -> None:
    """Print what there is, and where."""
    row = asdict(runtime.sandbox_store.status(runtime.clock.now()))
    runtime.out.one(Shape.generic("sandbox", tuple(row), plural="sandboxes", id_field="database"), row)


def reset(runtime: Runtime) -> None:
    """Forget everything, after a yes."""
    held = runtime.sandbox_store.status(runtime.clock.now())
    counts = {"Services": held.services, "numbers": held.numbers, "in use now": held.in_use}
    digits = max(len(str(count)) for count in counts.values())
    question = [
        line(Role.BAD("Delete"), " everything in the sandbox  ", Role.FAINT(f"({held.database})"), hang=2),
        *(line(f"  {name:<10}  {count:>{digits}}") for name, count in counts.items()),
    ]
    if runtime.options.dry_run:
        runtime.note(*question, "dry run: nothing was deleted.")
        return
    runtime.confirm(*question)
    runtime.sandbox_store.reset()
    runtime.note("the sandbox is empty.")


def show_exports(runtime: Runtime, host: str, port: int) -> None:
    """Print what a shell has to export for a served sandbox, and for the database of --database."""
    database = runtime.paths.sandbox_file(runtime.options.database) if runtime.options.database else None
    variables = exports(f"http://{require_loopback(host)}:{port}", database)
    runtime.out.text("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
