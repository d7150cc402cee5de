"""Selection against brute force, and what has to hold after any sequence of requests."""

from __future__ import annotations

import random
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.sandbox.world.seed import seed_numbers
from proxyctl.sandbox.world.selection import Number, Settings, choose, country_of
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Ask

# Each phone number with its country; the first three are of two areas.
PHONE_NUMBERS = {
    "+14155550100": "US",
    "+14155550101": "US",
    "+12125550100": "US",
    "+14165550100": "CA",
    "+447400000001": "GB",
    "+4915112345678": "DE",
}
# People, with the countries whose numbers they may get.
PEOPLE = {
    "+14157770001": {"US"},
    "+12127770001": {"US"},
    "+14167770001": {"CA"},
    "+12687640001": {"AG", "US"},  # Antigua
    "+447400000009": {"GB", "GG", "IM", "JE"},
    "+441481234567": {"GB", "GG", "IM", "JE"},  # Guernsey
    "+4915112345679": {"DE"},
    "+33612345678": {"FR"},
}
LEVELS = ("country", "area-code", "overlay")
MODES = (
    ("voice-and-message", False),
    ("voice-and-message", True),
    ("voice-only", True),
    ("message-only", True),
)
_NUMBERS = st.sampled_from(sorted(PHONE_NUMBERS))
_POOL = st.lists(
    st.builds(
        lambda phone, voice, sms, reserved, load: Number(
            "PN", phone, PHONE_NUMBERS[phone], voice, sms, reserved, load
        ),
        *(_NUMBERS, st.booleans(), st.booleans(), st.booleans()),
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda number: number.phone_number,
)
_SETTINGS = st.builds(
    lambda level, behaviour, mode: Settings(level, behaviour, *mode),
    st.sampled_from(LEVELS),
    st.sampled_from(("prefer-sticky", "avoid-sticky")),
    st.sampled_from(MODES),
)


def allowed(number: Number, person: str, held: Collection[str], wanted: Settings) -> bool:
    """Whether the documents let ``person`` get the number."""
    level, mode, given_ = wanted.geo_match_level, wanted.mode, wanted.mode_given
    same_area = number.phone_number[:5] == person[:5] or not person.startswith("+1") or level != "area-code"
    capable = {
        "voice-only": number.voice,
        "message-only": number.sms,
        "voice-and-message": number.voice and number.sms if given_ else number.voice or number.sms,
    }[mode]
    return (
        number.iso_country in PEOPLE.get(person, {"US"})
        and same_area
        and capable
        and not number.is_reserved
        and number.phone_number not in held
    )


@settings(max_examples=100)
@given(_POOL, st.sampled_from(sorted(PEOPLE)), st.sets(_NUMBERS), st.sets(_NUMBERS), _SETTINGS)
def test_it_refuses_exactly_when_brute_force_finds_no_number(
    pool: list[Number], person: str, held: set[str], past: set[str], wanted: Settings
) -> None:
    fitting = [number for number in pool if allowed(number, person, held, wanted)]
    found = choose(pool, person, held, held | past, wanted)
    if not fitting:
        assert found in (80201, 80202, 80203, 80205, 80206, 80207, 80208)
        return
    assert found in fitting and isinstance(found, Number)
    if wanted.mode == "voice-and-message":
        fitting = [number for number in fitting if number.voice and number.sms] or fitting
    sticky = wanted.number_selection_behavior == "prefer-sticky"
    fitting = [number for number in fitting if (number.phone_number in past) is sticky] or fitting
    assert found in fitting
    assert found.load == min(number.load for number in fitting)


def test_each_step_has_its_refusal() -> None:
    us = Number("PN", "+14155550100", "US", True, True, False)
    person, other = "+14157770001", "+12127770001"
    by_area, voice = Settings("area-code"), Settings(mode="voice-only", mode_given=True)
    both = Settings(mode_given=True)
    silent, dumb = us._replace(voice=False), us._replace(sms=False)
    for pool, identifier, held, wanted, code in (
        ([], person, (), Settings(), 80205),
        ([us], "+33612345678", (), Settings(), 80203),
        ([us], other, (), by_area, 80206),
        ([silent], person, (), voice, 80201),
        ([silent], person, (), both, 80201),
        ([dumb], person, (), both, 80202),
        ([dumb, silent], person, (), both, 80202),
        ([us._replace(is_reserved=True)], person, (us.phone_number,), Settings(), 80207),
        ([us], person, (us.phone_number,), Settings(), 80208),
    ):
        assert choose(pool, identifier, held, held, wanted) == code


def test_who_can_be_reached() -> None:
    for identifier in (
        "+15551234567",
        "4157770001",
        "+1415777",
        "+0",
        "whatsapp:+14157770001",
        "+1" * 90,
        "",
    ):
        assert country_of(identifier) is None


class Draw:
    """Random requests to one Service, each followed by a check of all that has to hold."""

    def __init__(self, ask: Ask, seed: int) -> None:
        self.ask = ask
        self.random = random.Random(seed)
        self.level = self.random.choice(("country", "area-code"))
        behaviour = self.random.choice(("prefer-sticky", "avoid-sticky"))
        self.service = ask.service(GeoMatchLevel=self.level, NumberSelectionBehavior=behaviour)
        self.numbers = [
            *seed_numbers(ask.store, 4, "US", seed),
            *seed_numbers(ask.store, 2, "GB", seed, type="local"),
        ]
        area = self.numbers[0]["phone_number"][:5]
        self.people = [f"{area}7770001", f"{area}7770002", "+12127770001", "+447400000009"]
        for row in self.numbers[:5]:
            ask.post(f"{self.service}/PhoneNumbers", Sid=row["sid"])

    def session(self) -> str:
        """The path of some Session, or of one that isn't there."""
        rows = self.ask.get(f"{self.service}/Sessions?PageSize=100").body["sessions"]
        return f"{self.service}/Sessions/{self.random.choice([row['sid'] for row in rows] or ['KC'])}"

    def step(self) -> None:
        draw, ask = self.random, self.ask
        number = draw.choice(self.numbers)
        pool = f"{self.service}/PhoneNumbers"
        kind = draw.randrange(16)
        if kind < 3:
            mode = {"Mode": draw.choice(MODES)[0]} if draw.random() < 0.5 else {}
            ask.post(f"{self.service}/Sessions", **mode, **({"Ttl": "100"} if kind else {}))
        elif kind < 7:
            self.join(self.session(), draw.choice(self.people))
        elif kind == 7:
            ask.join(self.session(), draw.choice(self.people), ProxyIdentifierSid=number["sid"])
        elif kind == 8:
            rows = ask.get(f"{self.session()}/Participants").body.get("participants", [])
            for row in rows[:1]:
                ask.delete(row["url"])
        elif kind < 11:
            ask.post(self.session(), Status=draw.choice(("closed", "in-progress")))
        elif kind == 11:
            ask.delete(self.session())
        elif kind == 12:
            ask.post(f"{pool}/{number['sid']}", IsReserved=draw.choice(("true", "false")))
        elif kind == 13:
            ask.clock.sleep(draw.choice((1, 60)))
        elif kind == 14:
            ask.delete(f"{pool}/{number['sid']}")
            ask.post(pool, Sid=draw.choice(self.numbers)["sid"])
        else:
            rows = ask.get(pool).body["phone_numbers"]
            if rows:
                ask.store.set_in_use(draw.choice(rows)["sid"], draw.randrange(3), ask.clock.now())

    def join(self, session: str, person: str) -> None:
        """Let the pool choose, and compare with every number that it might have chosen."""
        ask = self.ask
        mode = ask.get(session).body.get("mode")
        with ask.store.reading() as db:
            rows = db.execute(
                "SELECT mode_given FROM sessions WHERE sid = ?", (session.rpartition("/")[2],)
            ).fetchall()
            held = {
                row[0]
                for row in db.execute(
                    "SELECT proxy_identifier FROM participants WHERE is_active = 1 AND identifier = ?",
                    (person,),
                )
            }
        wanted = Settings(self.level, mode=mode or "", mode_given=bool(rows and rows[0][0]))
        pool = [
            Number(
                *(row["sid"], row["phone_number"], row["iso_country"]),
                *(row["capabilities"][f"{kind}_inbound"] for kind in ("voice", "sms")),
                row["is_reserved"],
            )
            for row in ask.get(f"{self.service}/PhoneNumbers").body["phone_numbers"]
        ]
        answer = ask.join(session, person)
        if answer.status == 201 or 80200 < answer.body["code"] < 80300:
            fitting = (
                {number.sid for number in pool if allowed(number, person, held, wanted)} if mode else set()
            )
            assert (answer.status == 201) is bool(fitting)
            assert answer.status != 201 or answer.body["proxy_identifier_sid"] in fitting

    def check(self) -> None:
        pool = self.ask.get(f"{self.service}/PhoneNumbers").body["phone_numbers"]  # does what is due
        with self.ask.store.reading() as db:
            rows = db.execute(
                "SELECT participants.*, status FROM participants JOIN sessions ON sessions.id = session_id"
            ).fetchall()
            orphans = db.execute(
                "SELECT count(*) FROM participants WHERE session_id NOT IN (SELECT id FROM sessions)"
            ).fetchone()[0]
        active = [row for row in rows if row["status"] != "closed" and row["date_deleted"] is None]
        assert [row["id"] for row in rows if row["is_active"]] == [row["id"] for row in active]
        pairs = [(row["identifier"], row["proxy_identifier"]) for row in active]
        assert len(pairs) == len(set(pairs))
        assert orphans == 0
        for row in pool:
            holders = {one["session_id"] for one in active if one["proxy_identifier_sid"] == row["sid"]}
            assert row["in_use"] == len(holders)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_sequence_pairs_are_unique_and_in_use_is_what_a_recount_finds(
    store: Store, ask: Ask, seed: int
) -> None:
    draw = Draw(ask, seed)
    for _ in range(120):
        draw.step()
        draw.check()
    assert store.status(ask.clock.now()).sessions == sum(
        row["status"] != "closed"
        for page in ask.pages(f"{draw.service}/Sessions")
        for row in page["sessions"]
    )
