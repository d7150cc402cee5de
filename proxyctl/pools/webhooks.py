"""A number's own webhooks, which Proxy overwrites when it joins a pool and does not put back when it leaves: what of
them is kept, and what the records of runs say that they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from proxyctl.api.resources import IncomingNumber
from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, Row, kept, not_owned, place
from proxyctl.pools.pool import WEBHOOK, Pool, hinted_service
from proxyctl.state.record import ItemRecord
from proxyctl.writes.plan import Chain, Entry, NoOp, Step
from proxyctl.writes.requests import ADD, REMOVE, RESTORE_WEBHOOKS, SET_WEBHOOKS, Request, same

Settings = Mapping[str, str]

URLS = ("voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url")
METHODS = ("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method")
SIDS = ("voice_application_sid", "sms_application_sid", "trunk_sid")
OVERRIDING = {"voice_url": ("voice_application_sid", "trunk_sid"), "sms_url": ("sms_application_sid",)}
# Where Twilio points a number whose Service is gone.
_DEMO = re.compile(r"https?://demo\.twilio\.com/")


def settings_of(number: IncomingNumber) -> dict[str, str]:
    """Return a number's voice and SMS settings, as the form that sets them takes them: an empty text clears.

    A method or SID that is not set is left out.
    """
    raw = {name: number.text(name) or "" for name in (*URLS, *METHODS, *SIDS)}
    return {name: value for name, value in raw.items() if value or name in URLS}


def is_own(number: IncomingNumber) -> bool:
    """Whether the webhooks are the owner's: not those that Proxy, or the end of a Service, left behind."""
    urls = [url for url in (number.voice_url, number.sms_url) if url]
    left_behind = urls and all(_DEMO.match(url) for url in urls)
    return not left_behind and hinted_service(number) is None


class KeptWebhooks:
    """Finds in the records of runs, newest first, what the webhooks of the numbers ``wanted`` were."""

    def __init__(self, wanted: Iterable[str], *, newest: bool = False) -> None:
        self.newest = newest  # whatever has happened since
        self.wanted = set(wanted)
        self.found: dict[str, Settings] = {}
        self._runs = 0
        self._added: dict[str, int] = {}  # in which run a number joined that kept nothing

    def take(self, records: Sequence[ItemRecord]) -> None:
        """Take in the records of one run."""
        self._runs += 1
        for record in reversed(records):
            names = record.names & self.wanted
            if names:
                self.take_one(record, names)

    def take_one(self, record: ItemRecord, names: frozenset[str]) -> None:
        """Take in what one record says of a number."""
        settings = kept_in(record)
        if record.intent.action == RESTORE_WEBHOOKS.name and record.happened == "yes" and not self.newest:
            self.wanted -= names  # they were put back since
        elif settings is not None:
            self.wanted -= names
            self.found.update(dict.fromkeys(names, settings))
        elif record.done == ADD.name:
            for name in names:
                self._added.setdefault(name, self._runs)
        elif record.done == REMOVE.name and not self.newest:
            # It was out of all pools before it joined again: what was kept before that may be long out of date.
            self.wanted -= {name for name in names if self._added.get(name, self._runs) != self._runs}


def kept_in(record: ItemRecord) -> Settings | None:
    """Return the webhooks that a record keeps."""
    settings = record.intent.webhooks or {}
    return {name: settings[name] for name in (*URLS, *METHODS, *SIDS) if name in settings} or None


def kept_by(records: Iterable[ItemRecord]) -> dict[str, Settings]:
    """Return what the records of one run keep, by SID and by number."""
    found: dict[str, Settings] = {}
    for record in records:
        settings = kept_in(record)
        if settings is not None:
            found |= dict.fromkeys(record.names, settings)
    return found


def set_by_proxy(account_sid: str, service_sid: str) -> Settings:
    """Return the webhooks that Proxy sets when a number joins a Service."""
    root = f"https://webhooks.twilio.com/v1/Accounts/{account_sid}/Proxy/{service_sid}/Webhooks"
    urls = {"voice_url": f"{root}/Call", "sms_url": f"{root}/Message"}
    return {**urls, "voice_method": "POST", "sms_method": "POST"}


def point(
    wanted: Mapping[str, Settings], home: Home, done: str, item: Item, number: IncomingNumber | None
) -> Entry:
    """Decide what of a number's webhooks is not as ``wanted``, by SID; nothing stays that would override a URL."""
    if number is None:
        return NoOp(item, error=not_owned(item, NotFoundError))
    if number.sid not in wanted:
        why = "no webhooks of it were kept" if done == "restored" else f"it is not in the pool of {home.name}"
        return NoOp(item, number.raw, RefusedError(f"{item.input} can't be {done}: {why}."))
    given = wanted[number.sid]
    settings = {**{sid: "" for name in given for sid in OVERRIDING.get(name, ())}, **given}
    changes = {name: new for name, new in settings.items() if not same(new, number.raw.get(name))}
    return point_chain(item, number.raw, changes, home, done) if changes else NoOp(item, number.raw)


def point_chain(item: Item, row: Row, changes: Settings, home: Home, done: str | None = None) -> Chain:
    """Change webhooks of a number; ``row`` is the number as the account has it."""
    about = SET_WEBHOOKS, row["account_sid"], row["sid"], item.input, row["phone_number"]
    before = {name: row.get(name) for name in changes}
    kept_facts = {"service_sid": home.sid, "service": home.name, "version": row.get("date_updated")}
    request = Request(*about, changes, before, kept_facts)
    return Chain(item, (Step(request),), "set webhooks of", done, home.name or "")


def leaves_proxy(chain: Chain) -> bool:
    """Whether a number that points at Proxy is pointed elsewhere."""
    before, wanted = chain.before or {}, chain.steps[0].request.wanted
    return any(WEBHOOK.search(before[name] or "") and not WEBHOOK.search(wanted[name]) for name in before)


def away_from(chain: Chain, pools: Mapping[str, Pool]) -> Chain:
    """Count a number that is pointed away from Proxy as one that its pool loses; ``pools``: by Service SID."""
    step = chain.steps[0]
    for sid, pool in pools.items():
        number = pool.by_sid.get(step.request.sid or "")
        if number is not None and leaves_proxy(chain):
            return replace(chain, steps=(replace(step, frees={place(sid, number.is_reserved): 1}),))
    return chain


# Beside the changes of a pool


def keeping_webhooks(entries: Iterable[Entry], found: Mapping[str, Settings]) -> list[Entry]:
    """Let the history keep the webhooks of numbers that join; ``found``: by SID and by number."""
    changed: list[Entry] = []
    for entry in entries:
        webhooks = webhooks_of(entry, found)
        if isinstance(entry, Chain) and webhooks is not None and entry.change == "add":
            entry = replace(
                entry, steps=tuple(kept(step, {"webhooks": dict(webhooks)}) for step in entry.steps)
            )
        changed.append(entry)
    return changed


def restoring_webhooks(
    entries: Iterable[Entry], found: Mapping[str, Settings], account_sid: str
) -> list[Entry]:
    """Let numbers that leave get their webhooks back; ``found``: by SID and by number."""
    changed: list[Entry] = []
    for entry in entries:
        webhooks = webhooks_of(entry, found)
        if isinstance(entry, Chain) and webhooks is not None and entry.steps[-1].request.verb is REMOVE:
            leaving = entry.steps[-1].request
            # What is to be restored stays in the history until it is.
            steps = tuple(kept(step, {"webhooks": dict(webhooks)}) for step in entry.steps)
            restore = webhooks_step(account_sid, entry.item, leaving, webhooks)
            entry = replace(entry, steps=(*steps, restore), done="removed")
        changed.append(entry)
    return changed


def webhooks_step(account_sid: str, item: Item, known: Request | Item, webhooks: Settings) -> Step:
    """Set the webhooks of a number of the account."""
    kept_facts = {"webhooks": dict(webhooks)}
    request = Request(
        RESTORE_WEBHOOKS,
        account_sid,
        known.sid,
        item.input,
        known.phone_number,
        dict(webhooks),
        kept=kept_facts,
    )
    return Step(request)


def webhooks_of(entry: Entry, found: Mapping[str, Settings]) -> Settings | None:
    """Return the webhooks that are known for the number of an entry."""
    if not isinstance(entry, Chain):
        return None
    request = entry.steps[0].request
    names = (request.sid, request.phone_number, entry.item.phone_number)
    return next((found[name] for name in names if name is not None and name in found), None)
