"""What the commands do that fill, change and show what the sandbox holds: numbers, time, messages and callbacks."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from proxyctl.commands.sandbox.serving import exports, require_loopback
from proxyctl.errors import RefusedError
from proxyctl.identifiers import require_number
from proxyctl.render.shapes import CALLBACK, PHONE_NUMBER, Shape
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.sandbox.context import ACCOUNT_SID, ApiError
from proxyctl.text import counted

_SHOWN = 7  # fields of a callback in the result of a message
_OF_A_MESSAGE = 10  # callbacks at most, and as many of others that may come in between


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
    runtime.out.one(Shape.generic("sandbox", tuple(row), id_field="database"), row)


def reset(runtime: Runtime) -> None:
    """Forget everything, after a yes."""
    held = runtime.sandbox_store.status(runtime.clock.now())
    what = line(Role.BAD("Delete"), " everything in the sandbox  ", Role.FAINT(f"({held.database})"), hang=2)
    counts = f"{counted(held.services, 'Service')}, {counted(held.numbers, 'number')}, {held.in_use} in use"
    question = [what, line(f"  {counts}")]
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


# Messages and callbacks


def send_message(
    runtime: Runtime, sender: str, number: str, text: str, callbacks_to: Sequence[str] = ()
) -> None:
    """Let a person send a text, and print what became of it."""
    from proxyctl.sandbox.behaviour import Sandbox
    from proxyctl.sandbox.callbacks.delivery import Caller, recent

    fields = ("status", "interaction_sid", "session_sid", "callbacks")
    shape = Shape.generic("message", fields, id_field="interaction_sid")
    runtime.out.check(shape)
    country, store = runtime.options.default_country, runtime.sandbox_store
    to = require_number(number, country)
    if ":" not in sender:  # whatsapp:+14155550123 is no phone number
        sender = require_number(sender, country).phone_number or sender
    account = runtime.options.subaccount or ACCOUNT_SID
    caller = Caller(callbacks_to, clock=runtime.clock)
    sandbox = Sandbox(store, clock=runtime.clock, also={account: store}, caller=caller)
    try:
        received = sandbox.receive(sender, to.sid or to.phone_number or number, text, account)
    except ApiError as refusal:
        raise RefusedError(f"the sandbox refused the message: {refusal.message}") from refusal
    with store.reading() as db:
        made = [row for row in recent(db, 2 * _OF_A_MESSAGE) if row["id"] in caller.made]
    shown: Any = [{name: row[name] for name in CALLBACK.fields[:_SHOWN]} for row in reversed(made)]
    if runtime.out.format == "table":
        shown = ", ".join(f"{row['kind']} {row['status'] or row['error']}" for row in made[::-1])
    if not runtime.options.silent:
        runtime.out.one(shape, {**received._asdict(), "callbacks": shown})


def list_callbacks(runtime: Runtime) -> None:
    """Print what was called, and what it answered."""
    from proxyctl.sandbox.callbacks.delivery import recent

    runtime.out.check(CALLBACK)
    with runtime.sandbox_store.reading() as db:
        rows = recent(db, runtime.options.limit)
    runtime.out.rows(CALLBACK, [rows])
