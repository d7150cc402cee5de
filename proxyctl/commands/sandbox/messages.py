"""A person's message in the sandbox, and the list of the callbacks that were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proxyctl.errors import RefusedError
from proxyctl.identifiers import require_number
from proxyctl.render.shapes import CALLBACK, Shape
from proxyctl.runtime import Runtime
from proxyctl.sandbox.context import ACCOUNT_SID, ApiError

_SHOWN = 7  # fields of a callback in the result of a message
_OF_A_MESSAGE = 10  # callbacks at most, and as many of others that may come in between


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


def list_callbacks(runtime: Runtime, limit: int | None) -> None:
    """Print what was called, and what it answered."""
    from proxyctl.sandbox.callbacks.delivery import recent

    runtime.out.check(CALLBACK)
    with runtime.sandbox_store.reading() as db:
        rows = recent(db, limit)
    runtime.out.rows(CALLBACK, [rows])
