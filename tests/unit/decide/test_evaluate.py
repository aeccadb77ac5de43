"""What a policy makes of signals."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.decision import Action, Decision, Severity
from pipeline.core.media import NS, Span
from pipeline.core.signal import Match, ModelRef, Score, Signal
from pipeline.decide.evaluate import decide, matters
from pipeline.decide.policy import Combine, Policy, Unless
from tests.unit.decide.cases import heard, policy, rule, second, seen, signals

BANG = rule(
    id="bang",
    category="gunfire_or_explosion",
    detector="ear",
    labels=frozenset({"ear.shot", "ear.blast"}),
    combine=Combine.SUM,
    at_least=0.5,
    votes=1,
    unless=Unless(labels=frozenset({"ear.rocket"}), combine=Combine.SUM, at_least=0.3),
)
BOTH = policy(rule(alone_at_least=0.95), BANG)


def on(found: list[Score], terms: Policy | None = None) -> Decision:
    return decide(found, terms or policy(), stream_id="s")


def spans(decision: Decision) -> list[Span]:
    return [f.span for f in decision.findings]


def test_two_frames_within_the_window_fire_and_the_finding_spans_them() -> None:
    (finding,) = on([seen(3), seen(9), seen(5, 0.2)]).findings
    assert finding.span == Span(start_ns=3 * NS, end_ns=10 * NS)
    assert [s.span for s in finding.signals] == [second(3), second(9)]


def test_one_frame_or_two_too_far_apart_do_not_fire() -> None:
    assert spans(on([seen(3)])) == []
    assert spans(on([seen(3), seen(13.001)])) == []
    assert len(spans(on([seen(3), seen(13)]))) == 1


def test_a_lone_vote_between_two_runs_belongs_to_neither() -> None:
    terms = policy(rule(votes=3, within_ns=4 * NS))
    decision = on([seen(t) for t in (0, 1, 2, 10, 20, 22, 24)], terms)
    assert spans(decision) == [second(0, 3), second(20, 5)]


def test_a_still_picture_gives_one_vote_and_fires_only_at_the_higher_bar() -> None:
    still = [seen(0, 0.9), *(seen(t, 0.9, repeats=0) for t in range(1, 30))]
    assert spans(on(still)) == []
    assert spans(on(still, policy(rule(alone_at_least=0.9)))) == [second(0, 30)]
    assert spans(on(still, policy(rule(repeats_count=True)))) == [second(0, 30)]


def test_a_picture_that_stands_still_after_it_fired_lengthens_the_finding_but_adds_no_signal() -> None:
    (finding,) = on([seen(0), seen(1), *(seen(t, repeats=1) for t in range(2, 20))]).findings
    assert finding.span == second(0, 20)
    assert len(finding.signals) == 2


def test_gunshot_and_explosion_add_up_on_one_window() -> None:
    window = [heard(0, "ear.shot", 0.2), heard(0, "ear.blast", 0.3)]
    assert len(spans(on(window, policy(BANG)))) == 1
    apart = [heard(0, "ear.shot", 0.2), heard(0.48, "ear.blast", 0.3)]
    assert spans(on(apart, policy(BANG))) == []


@pytest.mark.parametrize(("rocket", "fires"), [(0.29, True), (0.5, True), (0.51, False), (1.0, False)])
def test_a_look_alike_silences_a_window_only_where_it_is_likelier(rocket: float, fires: bool) -> None:
    window = [heard(0, "ear.shot", 0.5), heard(0, "ear.rocket", rocket)]
    assert bool(spans(on(window, policy(BANG)))) is fires


def test_two_versions_of_a_model_do_not_add_up() -> None:
    one = heard(0, "ear.shot", 0.3)
    two = replace(one, model=ModelRef(name="ear", version="2", sha256="b" * 64))
    assert spans(on([one, two], policy(BANG))) == []


def test_a_frame_sampled_on_both_sides_of_a_line_is_one_vote() -> None:
    assert spans(on([seen(60), seen(60, 0.9, repeats=55)])) == []
    assert len(spans(on([seen(55), seen(60, 0.9, repeats=55), seen(60)]))) == 1


def test_a_detector_that_failed_is_named_and_what_it_did_say_still_counts() -> None:
    decision = decide([seen(0), seen(1)], policy(), stream_id="s", degraded=("ear", "eye", "ear"))
    assert decision.degraded == ("ear", "eye")
    assert len(decision.findings) == 1
    assert decide([], policy(), stream_id="s", degraded=("eye",)).degraded == ("eye",)


def test_a_match_of_a_bank_that_no_rule_asks_for_changes_nothing() -> None:
    match = Match(span=second(0), label="x", bank="b", entry="e", algorithm="pdq", distance=3, threshold=31)
    found: list[Signal] = [match, seen(0), seen(1)]
    assert decide(found, policy(), stream_id="s") == on([seen(0), seen(1)])


def test_a_rule_cannot_let_one_frame_decide_a_severe_action() -> None:
    for change in ({"votes": 1}, {"alone_at_least": 0.9}, {"repeats_count": True}):
        for weight in ({"severity": Severity.SEVERE}, {"action": Action.INTERRUPT}, {"action": Action.ESCALATE}):
            with pytest.raises(ValueError, match="one frame"):
                rule(**change, **weight)
            assert rule(**change, **weight, single_frame_ok=True).one_frame_decides


@given(signals(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_and_the_cutting_of_signals_make_no_difference(found: list[Score], chance: object, size: int) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    chunks = [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
    overlapping = [s for chunk in reversed(chunks) for s in (*chunk, *chunk[:1])]
    assert on(overlapping, BOTH) == on(found, BOTH)


@given(signals())
def test_repeats_never_make_or_break_a_vote(found: list[Score]) -> None:
    with_repeats, without = on(found, BOTH), on([s for s in found if s.repeats is None], BOTH)
    assert {f.signals for f in with_repeats.findings} == {f.signals for f in without.findings}
    assert len(with_repeats.findings) == len(without.findings)


@given(signals(), st.sampled_from([0.3, 0.6, 0.8]), st.sampled_from([0.0, 0.1, 0.2]), st.integers(1, 4))
def test_a_higher_threshold_never_finds_more(found: list[Score], low: float, more: float, votes: int) -> None:
    def voters(at_least: float) -> set[Signal]:
        decision = on(found, policy(rule(at_least=at_least, votes=votes)))
        return {s for f in decision.findings for s in f.signals}

    assert voters(low + more) <= voters(low)


@given(signals(), st.integers(1, 4))
def test_more_votes_asked_never_find_more(found: list[Score], votes: int) -> None:
    def voters(asked: int) -> set[Signal]:
        return {s for f in on(found, policy(rule(votes=asked))).findings for s in f.signals}

    assert voters(votes + 1) <= voters(votes)


@given(signals())
def test_every_finding_has_the_votes_that_its_rule_asks_for(found: list[Score]) -> None:
    for finding in on(found, policy(rule(votes=3, within_ns=5 * NS))).findings:
        times = [s.span.start_ns for s in finding.signals]
        assert len(times) >= 3
        assert all(b - a <= 5 * NS for a, b in pairwise(times))


@given(signals())
def test_forgetting_what_no_rule_could_count_changes_no_decision(found: list[Score]) -> None:
    places: dict[object, list[Score]] = {}
    for score in dict.fromkeys(found):
        places.setdefault((score.span, score.model), []).append(score)
    kept = [s for scores in places.values() if matters(scores, BOTH) for s in scores]
    assert on(kept, BOTH) == on(found, BOTH)
