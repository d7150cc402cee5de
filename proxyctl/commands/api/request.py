"""What `api` does: send one request as it is, or read a list page by page, and print what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from proxyctl.api.resources import MESSAGING_SERVICES, SERVICES, Call
from proxyctl.commands.run import Job, carry_out, finish_one, heading
from proxyctl.errors import AuthenticationError, UsageError
from proxyctl.input.items import Item
from proxyctl.render.shape import check_fields, pick, to_json
from proxyctl.render.shapes import Shape
from proxyctl.runtime import Runtime
from proxyctl.writes.plan import Chain, Plan, Step
from proxyctl.writes.requests import raw_request


def send(runtime: Runtime, method: str, path: str, data: Sequence[str] | None, *, paginate: bool) -> None:
    """Send the request, and print the answer."""
    fields = runtime.out.fields
    call = Call.parse(method, path, [pair(text) for text in data or ()])
    if paginate and call.writes:
        raise UsageError("--paginate goes with GET only.")
    if paginate:
        print_items(runtime, call)
    elif call.writes:
        write(runtime, call, fields)
    else:
        print_body(runtime, runtime.access.reader.request(call).body, fields, sent=False)


def pair(text: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"-d {text!r} is not KEY=VALUE.", hint="Write -d IsReserved=true.")
    return key, value


def write(runtime: Runtime, call: Call, fields: tuple[str, ...] | None) -> None:
    """Carry a write out as every write, and print its answer; on another account than the profile's with a warning."""
    runtime.access.client.owner.any_account = True
    expected = runtime.profile.account_sid
    runtime.guard_account(expected)
    if not runtime.options.dry_run and (account := account_of(runtime, call)) != expected:
        runtime.guard_account(account)
    plan = Plan((Chain(Item(str(call), None, None), (Step(raw_request(call)),)),))
    if call.method == "DELETE":
        plan = plan.asking(lambda _: [heading(runtime, "Send", str(call))])
    report = carry_out(runtime, Job("api", [], lambda: plan, "sent", single=True))
    finish_one(runtime, report, lambda end: print_body(runtime, end.seen, fields, sent=True))


def account_of(runtime: Runtime, call: Call) -> str:
    """Return the account that a write is for: that of its path, or that of the credentials, which one Service shows."""
    named = re.match("/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})", call.path)
    if named is not None:
        return named[1]
    reader = runtime.access.reader.apart()
    with suppress(AuthenticationError):  # a key that may do this one thing, perhaps
        if call.path.startswith("/messaging/"):
            reader.request(MESSAGING_SERVICES.list(page_size=1))
        else:
            reader.request(SERVICES.list(page_size=1))
    return runtime.data_account


def print_body(runtime: Runtime, body: Any, fields: tuple[str, ...] | None, *, sent: bool) -> None:
    """Print the answer as JSON: on one line where jsonl was asked for, and of it only ``fields``.

    An unknown field is an error, unless something was written: then it is null.
    """
    if sent and (body is None or runtime.options.silent):
        return
    if fields is not None and isinstance(body, dict):
        if not sent:
            check_fields(fields, Shape.generic("answer", ()), [body])
        body = pick(body, fields)
    runtime.out.text(to_json(body, indent=runtime.format != "jsonl"))
    runtime.out.flush()


def print_items(runtime: Runtime, call: Call) -> None:
    """Print the items of all pages as one array, as the pages arrive."""
    items: Iterator[list[Any]] = (page.items for page in runtime.access.reader.pages(call))
    shown = runtime.options.output if runtime.options.output in ("jsonl", "csv", "tsv", "ids") else "json"
    shape = Shape.generic("item", ("sid",))
    runtime.output(shown, runtime.options.fields).rows(shape, items)
