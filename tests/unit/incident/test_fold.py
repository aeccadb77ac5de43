"""Decisions fold into incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.decision import Action, Decision, Finding, Incident, Severity
from pipeline.core.media import NS, Span
from pipeline.core.recording import UNKNOWN, Identity, Layout, Part, Participant, Recording, Region
from pipeline.incident.fold import fold
from tests.unit.decide.cases import policy, seen

AT = datetime(2026, 11, 22, tzinfo=UTC)
SURE = Participant(handle="ann", identity=Identity.VERIFIED)
OTHER = Participant(handle="bob", identity=Identity.VERIFIED)
GAP = 30 * NS


def recording(*people: Participant, layout: Layout = Layout.SINGLE) -> Recording:
    regions = tuple(Region(handle=p.handle, x=0, y=0, width=1, height=1) for p in people)
    return Recording(
        parts=(Part(uri="a"), Part(uri="b", offset_ns=60 * NS)),
        recording_id="rec",
        session_id="ses",
        participants=people,
        layout=layout,
        regions=regions if layout is Layout.COMPOSITE else (),
    )


def finding(
    start: float, end: float, category: str = "nudity", action: Action = Action.REVIEW, name: str = "r"
) -> Finding:
    return Finding(
        rule=name,
        category=category,
        severity=Severity.MEDIUM,
        action=action,
        span=Span(start_ns=round(start * NS), end_ns=round(end * NS)),
        signals=(seen(start),),
    )


def decision(*findings: Finding) -> Decision:
    return Decision(stream_id="str", findings=findings, policy=policy().ref)


def folded(*findings: Finding, of: Recording | None = None, gap_ns: int = GAP) -> tuple[Incident, ...]:
    return fold(
        decision(*findings), of or recording(SURE), installation_key=b"k" * 32, opened_at=AT, merge_gap_ns=gap_ns
    )


def test_findings_of_a_category_within_the_gap_are_one_incident_across_parts_and_rules() -> None:
    (incident,) = folded(finding(55, 58), finding(61, 70, name="other"), finding(99.9, 101))
    assert incident.span == Span(start_ns=55 * NS, end_ns=101 * NS)
    assert [f.rule for f in incident.findings] == ["r", "other", "r"]
    assert (incident.session_id, incident.stream_id, incident.participant) == ("ses", "str", "ann")
    assert incident.opened_at == AT


def test_beyond_the_gap_or_of_another_category_it_is_another_incident() -> None:
    found = folded(finding(0, 10), finding(40, 41), finding(5, 6, "hate"))
    assert [(i.category, i.span.start_ns // NS) for i in found] == [("nudity", 0), ("hate", 5), ("nudity", 40)]
    assert len({i.incident_id for i in found}) == 3


def test_a_long_finding_is_not_forgotten_behind_a_short_one() -> None:
    assert len(folded(finding(0, 100), finding(10, 11), finding(120, 121))) == 1


def test_the_strongest_action_and_the_highest_severity_stand() -> None:
    severe = replace(finding(5, 6, action=Action.ESCALATE), severity=Severity.HIGH)
    (incident,) = folded(finding(0, 1, action=Action.RECORD), severe, finding(8, 9))
    assert (incident.action, incident.severity) == (Action.ESCALATE, Severity.HIGH)


@pytest.mark.parametrize(
    ("people", "layout", "handle", "identity"),
    [
        ((), Layout.SINGLE, UNKNOWN, Identity.UNKNOWN),
        ((SURE,), Layout.SINGLE, "ann", Identity.VERIFIED),
        ((Participant(handle="x"),), Layout.SINGLE, "x", Identity.UNKNOWN),
        ((OTHER, SURE), Layout.SINGLE, "ann | bob", Identity.AMBIGUOUS),
        ((OTHER, SURE), Layout.COMPOSITE, "ann | bob", Identity.AMBIGUOUS),
        ((SURE,), Layout.COMPOSITE, "ann", Identity.AMBIGUOUS),
    ],
)
def test_whom_it_shows_is_carried_with_its_certainty_and_doubt_never_acts(
    people: tuple[Participant, ...], layout: Layout, handle: str, identity: Identity
) -> None:
    (incident,) = folded(finding(0, 1, action=Action.INTERRUPT), of=recording(*people, layout=layout))
    assert (incident.participant, incident.identity) == (handle, identity)
    assert incident.action is (Action.INTERRUPT if identity is Identity.VERIFIED else Action.REVIEW)


def test_weakening_an_automatic_action_leaves_a_stronger_human_one() -> None:
    (incident,) = folded(finding(0, 1, action=Action.INTERRUPT), finding(2, 3, action=Action.ESCALATE), of=recording())
    assert incident.action is Action.ESCALATE


def test_an_id_tells_installations_recordings_streams_and_places_apart() -> None:
    base = folded(finding(0, 1))[0].incident_id
    elsewhere = fold(
        decision(finding(0, 1)), recording(SURE), installation_key=b"x" * 32, opened_at=AT, merge_gap_ns=GAP
    )
    assert base == folded(finding(0, 9))[0].incident_id
    others = [elsewhere, folded(finding(1, 2)), folded(finding(0, 1, "hate"))]
    others.append(folded(finding(0, 1), of=replace(recording(SURE), recording_id="other")))
    assert base not in {i.incident_id for found in others for i in found}


findings = st.lists(
    st.builds(
        lambda start, long, category, name: finding(start, start + long, category, name=name),
        st.integers(0, 200),
        st.integers(1, 60),
        st.sampled_from(["nudity", "hate"]),
        st.sampled_from(["r1", "r2"]),
    ),
    max_size=12,
)


@given(findings, st.randoms(use_true_random=False), st.integers(0, 60))
def test_folding_again_or_in_another_order_changes_nothing(found: list[Finding], chance: object, gap: int) -> None:
    again = [*found, *found]
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert folded(*again, gap_ns=gap * NS) == folded(*found, gap_ns=gap * NS)


@given(findings, st.integers(0, 60))
def test_every_finding_is_in_one_incident_and_incidents_of_a_category_lie_apart(found: list[Finding], gap: int) -> None:
    incidents = folded(*found, gap_ns=gap * NS)
    held = [f for i in incidents for f in i.findings]
    assert set(held) == set(found)
    assert len(held) == len(set(found))
    for one, other in combinations(incidents, 2):
        assert one.category != other.category or not one.span.overlaps(other.span, gap_ns=gap * NS)
