"""What is exported and read again is the same, whatever a Service is called and holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.errors import AnswerError
from proxyctl.pools.desired import World, decide_file
from proxyctl.pools.export import head, service_text
from proxyctl.pools.pool import Pool
from proxyctl.pools.poolfile import CLEARABLE, LONGEST_NAME, parse_pool_file
from proxyctl.writes.plan import Chain
from tests.pools.rows import PATIENT, SERVICE, pool_of

ACCOUNT = "AC" + "0" * 32
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST_NAME).filter(str.strip)
texts = st.sampled_from(["", None, "https://example.com/?q=\u00fc", 'a"b\\n', "\U0001f600"])


@PATIENT
@given(
    names,
    st.fixed_dictionaries({"default_ttl": st.integers(0, 86_400), **dict.fromkeys(CLEARABLE, texts)}),
    st.dictionaries(st.integers(0, 9), st.booleans()),
    st.sampled_from([{"sid": SERVICE}, {"create": True}, {"sid": SERVICE, "only_missing": True}, {}]),
)
def test_exporting_and_applying_again_changes_nothing(
    name: str, settings: dict[str, object], flags: dict[int, bool | None], marks: dict[str, object]
) -> None:
    service = Service({"sid": SERVICE, "unique_name": name, **settings})
    pool = pool_of(flags)
    whole = head(ACCOUNT) + service_text(service, pool, marks)[0]
    found = parse_pool_file(whole.encode(), "pool.toml", Path("/nowhere"))
    assert found.account_sid == ACCOUNT
    (wanted,) = found.services
    assert {field: getattr(wanted, field) for field in marks} == marks
    assert dict(wanted.settings) == {
        field: value for field, value in settings.items() if value not in ("", None)
    }
    entries = decide_file(found.services, World({name: service}, {name: pool}), prune=True)
    assert not any(isinstance(entry, Chain) or entry.error for entry in entries)

    portable = head(None) + service_text(service, None, {})[0]
    again = parse_pool_file(portable.encode(), "pool.toml", Path("/nowhere"))
    assert again.account_sid is None and SERVICE not in portable and ACCOUNT not in portable
    assert [(one.sid, one.numbers, one.settings) for one in again.services] == [(None, None, wanted.settings)]


def test_what_an_answer_calls_a_number_stands_in_no_file_unless_it_is_a_sid() -> None:
    pool = Pool(SERVICE)
    pool.add(PhoneNumber({"sid": 'PN1"]\n[services.x]', "phone_number": "no number"}))
    with pytest.raises(AnswerError):
        service_text(Service({"sid": SERVICE}), pool, {})
