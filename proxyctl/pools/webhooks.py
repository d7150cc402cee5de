"""A number's own webhooks, which Proxy overwrites when it joins a pool and does not put back when it leaves: what of
them is kept, and what the records of runs say that they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from proxyctl.api.models import IncomingNumber
from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, Row, kept, not_owned, place
from proxyctl.pools.pool import DEMO_HOST, WEBHOOK, Pool, host_of, leads_to_proxy
from proxyctl.state.record import ItemRecord, withheld
from proxyctl.writes.guard import TAKE_OVER
from proxyctl.writes.plan import Chain, Entry, NoOp, Step, at_risk
from proxyctl.writes.requests import ADD, REMOVE, RESTORE_WEBHOOKS, SET_WEBHOOKS, Request, same

Settings = Mapping[str, str]

# Calls and messages apart: what says where they go.
CALLS = (
    *("voice_url", "voice_fallback_url", "voice_method", "voice_fallback_method"),
    *("voice_application_sid", "trunk_sid"),
)
MESSAGES = ("sms_url", "sms_fallback_url", "sms_method", "sms_fallback_method", "sms_application_sid")
KINDS = {"voice_url": CALLS, "sms_url": MESSAGES}
OVERRIDING = {url: [name for name in names if name.endswith("_sid")] for url, names in KINDS.items()}


def settings_of(number: IncomingNumber) -> dict[str, str]:
    """Return a number's own voice and SMS settings, as the form that sets them takes them: an empty text clears.

    A method or SID that is not set is left out, and so is all that Proxy, or the end of a Service, left behind.
    """
    kinds = [names for url, names in KINDS.items() if not number.text(url) or users_of(number, url)]
    raw = {name: number.text(name) or "" for names in kinds for name in names}
    return {name: value for name, value in raw.items() if value or name.endswith("_url")}


def users_of(number: IncomingNumber, *kinds: str) -> list[str]:
    """Return which other applications get a number's calls and messages: a URL by host and path, or a SID.

    Proxy and Twilio's demo are none. A fallback URL alone gets nothing, so it does not count.
    """
    users = []
    for url in kinds or KINDS:
        value = number.text(url)
        if value and not is_left_behind(value):
            users.append(place_of(value))
        for name in OVERRIDING[url]:
            if sid := number.text(name):
                users.append(f"{'trunk' if name == 'trunk_sid' else 'application'} {sid}")
    return list(dict.fromkeys(users))


def is_left(number: IncomingNumber) -> bool:
    """Whether a number's URLs are those that Proxy, or the end of a Service, left behind."""
    urls = [url for url in (number.voice_url, number.sms_url) if url]
    return bool(urls) and all(map(is_left_behind, urls))


def is_left_behind(url: str) -> bool:
    """Whether Proxy, or the end of a Service, has set a URL."""
    return leads_to_proxy(url) or host_of(url) == DEMO_HOST


def place_of(url: str) -> str:
    """Return the host and path of a URL: what else it holds may be secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL"
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}" or "a URL"


class KeptWebhooks:
    """Finds in the records of runs, newest first, what the webhooks of the numbers ``wanted`` were."""

    def __init__(self, wanted: Iterable[str], *, newest: bool = False) -> None:
        self.newest = newest  # whatever has been set since
        self.wanted = set(wanted)
        self.found: dict[str, Settings] = {}
        self._known: set[tuple[str, str]] = set()  # names with the kinds of webhooks that are known
        self._pointed: set[tuple[str, str]] = set()  # and those of which it is known who set them last

    def take(self, records: Sequence[ItemRecord]) -> None:
        """Take in the records of one run."""
        for record in reversed(records):
            for name in record.names & self.wanted:
                self.take_one(name, record)

    def take_one(self, name: str, record: ItemRecord) -> None:
        """Take in what one record says of a number."""
        settings, pointed = record.intent.webhooks or {}, pointed_in(record)
        for kind in KINDS:
            key = (name, kind)
            last = kind in pointed and key not in self._pointed
            if last:
                self._pointed.add(key)
            if key in self._known:
                continue
            if last and pointed[kind] and not self.newest:
                self._known.add(key)  # their owner has set them since
            elif kind in settings:
                self._known.add(key)
                own = {each: settings[each] for each in KINDS[kind] if each in settings}
                self.found[name] = {**self.found.get(name, {}), **own}
        if all((name, kind) in self._known for kind in KINDS):
            self.wanted.remove(name)


def pointed_in(record: ItemRecord) -> dict[str, bool]:
    """Return which kinds of a number's webhooks a record has set: whether at their owner's application."""
    if record.done == ADD.name:
        return dict.fromkeys(KINDS, False)
    if record.happened != "yes" or record.intent.action not in (RESTORE_WEBHOOKS.name, SET_WEBHOOKS.name):
        return {}
    after = record.intent.after or {}
    return {
        url: not is_left_behind(after[url] or "") or any(after.get(name) for name in OVERRIDING[url])
        for url in KINDS
        if url in after
    }


def not_kept(what: str, how: str) -> RefusedError:
    """The refusal of what no record has: a value in which the secret stood."""
    text = f"{what} can't {how}: the value held the secret, so it was not recorded."
    return RefusedError(text, hint="Set it by hand if necessary.")


def kept_by(records: Sequence[ItemRecord]) -> dict[str, Settings]:
    """Return what the records of one run keep, by SID and by number."""
    search = KeptWebhooks((name for record in records for name in record.names), newest=True)
    search.take(records)
    return search.found


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
        return NoOp(item, number.raw, RefusedError(f"{item.shown} can't be {done}: {why}."))
    given = wanted[number.sid]
    if withheld(*given.values()):
        return NoOp(item, number.raw, not_kept(f"the webhooks of {item.shown}", f"be {done}"))
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


def joining_webhooks(entries: Iterable[Entry], owned: Mapping[str, IncomingNumber]) -> list[Entry]:
    """Let the history keep the webhooks of numbers that join (``owned``: by SID and by number).

    Those that another application uses are at risk, unless they are as a run has left them: kept already. What gets
    neither calls nor messages does not count.
    """

    def judged(entry: Entry) -> Entry:
        joins = isinstance(entry, Chain) and entry.change == "add"
        number = owned.get(entry.item.name) if joins else None
        if not isinstance(entry, Chain) or number is None:
            return entry
        settings, known = settings_of(number), entry.request.kept.get("webhooks", {}).items()
        if not settings and not known:
            return entry
        entry = replace(entry, steps=tuple(kept(step, {"webhooks": settings}) for step in entry.steps))
        new = [url for url in KINDS if not {(k, v) for k, v in settings.items() if k in KINDS[url]} <= known]
        users = users_of(number, *new) if new else []
        if not users:
            return entry
        text = f"{entry.item.shown} is used by another application: {', '.join(users)}."
        return at_risk(entry, TAKE_OVER, RefusedError(text, hint="A pool replaces its webhooks."))

    return [judged(entry) for entry in entries]


def restoring_webhooks(
    entries: Iterable[Entry], found: Mapping[str, Settings], account_sid: str
) -> list[Entry]:
    """Let numbers that leave get their webhooks back, and those that come back keep them; ``found``: by SID and by
    number.
    """

    def judged(entry: Entry) -> Entry:
        webhooks = webhooks_of(entry, found)
        if not isinstance(entry, Chain) or webhooks is None:
            return entry
        last = entry.steps[-1].request
        leaves = last.verb is REMOVE
        if not leaves and entry.change != "add":
            return entry
        if leaves and withheld(*webhooks.values()):
            error = not_kept(f"the webhooks of {entry.item.shown}", "be restored")
            return NoOp(entry.item, entry.before, error, service=entry.service)
        # What is to be restored stays in the history until it is.
        steps = tuple(kept(step, {"webhooks": dict(webhooks)}) for step in entry.steps)
        if leaves:
            steps = (*steps, webhooks_step(account_sid, entry.item, last, webhooks))
        return replace(entry, steps=steps, done="removed" if leaves else entry.done)

    return list(map(judged, entries))


def webhooks_step(account_sid: str, item: Item, known: Request | Item, webhooks: Settings) -> Step:
    """Set the webhooks of a number of the account."""
    about = (RESTORE_WEBHOOKS, account_sid, known.sid, item.input, known.phone_number)
    return Step(Request(*about, dict(webhooks), kept={"webhooks": dict(webhooks)}))


def webhooks_of(entry: Entry, found: Mapping[str, Settings]) -> Settings | None:
    """Return the webhooks that are known for the number of an entry."""
    if not isinstance(entry, Chain):
        return None
    names = (entry.request.sid, entry.request.phone_number, entry.item.phone_number)
    return next((found[name] for name in names if name is not None and name in found), None)
