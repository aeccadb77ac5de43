from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.retention.patterns import Pattern, Upheld, find
from tests.unit.retention.cases import DAY, RULES, T0

NOW = T0 + 1000 * DAY
(RULE,) = RULES.patterns
AT_ONCE = replace(RULES, patterns=(replace(RULE, human_confirm=False),))


def upheld(day: int, session: str = "", *, person: str = "p1", appeal: str = "none", confirmed: int = -1) -> Upheld:
    return Upheld(
        person=person,
        incident_id=f"{person}-{day}",
        session=session or f"s{day}",
        decided_at=T0 + day * DAY,
        appeal=appeal,
        pattern_confirmed_at=T0 + confirmed * DAY if confirmed >= 0 else None,
    )


def days(*found: Upheld) -> list[tuple[str, ...]]:
    return [p.incidents for p in find(found, AT_ONCE, NOW)]


def test_three_in_ninety_days_in_three_sessions_are_a_pattern() -> None:
    assert list(find([upheld(0), upheld(40), upheld(90)], AT_ONCE, NOW)) == [
        Pattern(
            person="p1",
            rule="P3IN90",
            last_upheld_at=T0 + 90 * DAY,
            incidents=("p1-0", "p1-40", "p1-90"),
            confirmed=True,
        )
    ]


def test_two_or_three_too_far_apart_or_in_too_few_sessions_are_none() -> None:
    assert days(upheld(0), upheld(40)) == []
    assert days(upheld(0), upheld(40), upheld(91)) == []
    assert days(upheld(0, "s"), upheld(1, "s"), upheld(2, "s"), upheld(3, "t")) == []


def test_two_are_no_pattern_of_three_where_sessions_do_not_matter() -> None:
    rules = replace(AT_ONCE, patterns=(replace(AT_ONCE.patterns[0], min_distinct_sessions=1),))
    same = [upheld(day, "s") for day in (0, 1, 2)]
    assert list(find(same[:2], rules, NOW)) == []
    assert [p.incidents for p in find(same, rules, NOW)] == [("p1-0", "p1-1", "p1-2")]


def test_appeals_that_are_pending_or_were_won_do_not_count() -> None:
    assert days(upheld(0), upheld(1, appeal="pending"), upheld(2)) == []
    assert days(upheld(0), upheld(1, appeal="overturned"), upheld(2)) == []
    assert days(upheld(0), upheld(1, appeal="pending"), upheld(2), upheld(3)) == [("p1-0", "p1-2", "p1-3")]


def test_a_lone_incident_years_later_does_not_belong_to_the_pattern() -> None:
    assert days(upheld(0), upheld(10), upheld(20), upheld(700)) == [("p1-0", "p1-10", "p1-20")]


def test_windows_that_follow_each_other_are_one_pattern_with_the_last_of_them() -> None:
    chain = [upheld(day) for day in (0, 40, 80, 120, 160)]
    (found,) = find(chain, AT_ONCE, NOW)
    assert found.incidents == tuple(f"p1-{day}" for day in (0, 40, 80, 120, 160))
    assert found.last_upheld_at == T0 + 160 * DAY


def test_it_takes_effect_once_a_person_confirmed_it() -> None:
    three = [upheld(0), upheld(1), upheld(2)]
    assert [p.confirmed for p in find(three, RULES, NOW)] == [False]
    assert [p.confirmed for p in find([*three[:2], upheld(2, confirmed=5)], RULES, NOW)] == [True]
    assert [p.confirmed for p in find([*three[:2], upheld(2, confirmed=5)], RULES, T0 + 4 * DAY)] == [False]


def test_people_are_not_mixed_and_nobody_is_everybody() -> None:
    assert days(upheld(0), upheld(1), upheld(2, person="p2"), upheld(3, person="p2")) == []
    assert days(*(upheld(day, person="unknown") for day in range(5))) == []
    both = [*(upheld(day) for day in range(3)), *(upheld(day, person="p2") for day in range(3))]
    assert [p.person for p in find(both, AT_ONCE, NOW)] == ["p1", "p2"]


def test_what_will_be_decided_later_is_not_known_yet() -> None:
    assert list(find([upheld(0), upheld(1), upheld(2)], AT_ONCE, T0 + DAY)) == []


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from("abcde"), st.booleans()), max_size=14))
def test_the_same_is_found_by_looking_at_every_window_in_turn(drawn: list[tuple[int, str, bool]]) -> None:
    theirs = [
        replace(upheld(day, session, appeal="pending" if appealed else "none"), incident_id=f"i{n}")
        for n, (day, session, appealed) in enumerate(drawn)
    ]
    counted = [u for u in theirs if u.appeal == "none"]
    expected: set[str] = set()
    for last in counted:
        window = [u for u in counted if timedelta() <= last.decided_at - u.decided_at <= 90 * DAY]
        if len(window) >= RULE.count and len({u.session for u in window}) >= RULE.min_distinct_sessions:
            expected |= {u.incident_id for u in window}
    found = list(find(theirs, AT_ONCE, NOW))
    assert {i for p in found for i in p.incidents} == expected
    assert len(found) == (1 if expected else 0)
