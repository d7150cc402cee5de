"""Which requests go wrong: by probability, by seed, by script."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from proxyctl.errors import UsageError
from proxyctl.sandbox.server.faults import FAULTS, NAMES, Act, FaultPlan, Scripted

POST = ("POST", "/v1/Services/KS1/PhoneNumbers")
GET = ("GET", "/v1/Services/KS1/PhoneNumbers")


def test_probabilities_are_about_right_and_repeat_with_the_seed() -> None:
    plan, again = (FaultPlan.parse(["429=0.1", "reset-after=0.05"], seed=7) for _ in range(2))
    decided = [plan.decide(*POST) for _ in range(10_000)]
    names = Counter(fault.name if fault else "none" for fault in decided)
    assert 900 < names["429"] < 1100
    assert 400 < names["reset-after"] < 600
    assert names["none"] == 10_000 - names["429"] - names["reset-after"]
    assert [again.decide(*POST) for _ in range(10_000)] == decided


def test_another_seed_is_another_run() -> None:
    one, two = (FaultPlan.parse(["500=0.5"], seed=seed) for seed in (1, 2))
    assert [one.decide(*POST) for _ in range(100)] != [two.decide(*POST) for _ in range(100)]


@pytest.mark.parametrize(("rate", "expected"), [("0", 0), ("1", 50), ("1.0", 50), ("0.0", 0)])
def test_never_and_always(rate: str, expected: int) -> None:
    plan = FaultPlan.parse([f"html={rate}"])
    assert sum(plan.decide(*POST) is not None for _ in range(50)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_name_works(name: str) -> None:
    fault = FaultPlan.parse([f"{name}=1"], seed=1).decide(*POST)
    assert fault is not None
    assert fault.name.startswith(name)
    assert fault.after == (name.endswith("-after") or name.startswith(("truncate", "empty", "garbage")))


def test_the_names_that_the_help_shows_are_all_there() -> None:
    promised = "429 500 503 html reset reset-after timeout timeout-after truncate 500-after empty garbage"
    assert set(promised.split()) <= set(NAMES)


@pytest.mark.parametrize(
    "rate", ["", "=", "=x", "=-0.1", "=1.1", "=nan", "=inf", "=1e309", "=0.1=0.1", "=50%"]
)
def test_a_bad_probability_is_a_usage_error(rate: str) -> None:
    with pytest.raises(UsageError, match="probability from 0 to 1"):
        FaultPlan.parse([f"429{rate}"])


def test_an_unknown_name_lists_the_known_ones_and_guesses() -> None:
    with pytest.raises(UsageError, match="unknown fault 'rest-after'") as caught:
        FaultPlan.parse(["rest-after=0.1"])
    assert caught.value.hint is not None
    assert "Did you mean reset-after?" in caught.value.hint
    assert all(name in caught.value.hint for name in NAMES)


def test_a_hostile_name_is_shown_harmless() -> None:
    with pytest.raises(UsageError) as caught:
        FaultPlan.parse(["\x1b[31m\u202e=0.1"])
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("items", [["429=0.6", "500=0.6"], ["429=0.6", "429=0.6"]])
def test_more_than_always_is_refused(items: list[str]) -> None:
    with pytest.raises(UsageError, match="above 1"):
        FaultPlan.parse(items)


def test_rates_can_be_kept_to_writes() -> None:
    plan = FaultPlan({"500": 1.0}, methods={"POST"})
    assert plan.decide(*GET) is None
    assert plan.decide(*POST) is FAULTS["500"]


SERVICES = ("POST", "/v1/Services")


@pytest.mark.parametrize(
    ("script", "calls", "hit"),
    [
        (
            Scripted("reset-after", method="POST", path="/PhoneNumbers$", first=3),
            [POST, GET, POST, SERVICES, POST, POST],
            [4],
        ),
        (Scripted("html", first=2, times=None), [POST] * 5, [1, 2, 3, 4]),
        (Scripted("404", method="GET", times=2), [GET] * 4, [0, 1]),
    ],
)
def test_a_script_counts_what_matches_once_for_some_times_or_for_ever(
    script: Scripted, calls: list[tuple[str, str]], hit: list[int]
) -> None:
    plan = FaultPlan(script=[script])
    decided = [plan.decide(*call) for call in calls]
    assert {index: fault.name for index, fault in enumerate(decided) if fault} == dict.fromkeys(
        hit, script.fault
    )


def test_a_script_goes_before_the_probabilities_and_may_act_without_a_fault() -> None:
    acted: list[str] = []
    plan = FaultPlan(
        {"500": 1.0},
        script=[Scripted("reset"), Scripted(first=2, action=lambda: acted.append("other actor"))],
    )
    assert [plan.decide(*POST), plan.decide(*POST)] == [FAULTS["reset"], FAULTS["500"]]
    assert acted == ["other actor"]


def test_a_script_with_an_unknown_fault_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="unknown fault"):
        FaultPlan(script=[Scripted("explode")])


def test_problems_have_the_shape_of_the_api() -> None:
    problems = [fault for fault in FAULTS.values() if fault.act is Act.ANSWER and "html" not in fault.name]
    assert len(problems) >= 10
    for fault in problems:
        body = json.loads(fault.body)
        assert set(body) == {"code", "message", "more_info", "status"}
        assert body["status"] == fault.status
