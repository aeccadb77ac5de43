"""May this session be scanned automatically? Asked before anything is decoded.

The strictest answer for any of the two people holds; what is not known of a person counts as the strictest of all
rules. Looks at no media and at no signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.jurisdiction import may_share, normal
from pipeline.core.recording import UNKNOWN, Participant, Recording
from pipeline.decide.policy import Policy, ScanRule

_Person = tuple[str, frozenset[str]]
_NOBODY: _Person = (UNKNOWN, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """`rule` and `citation` name the first rule that forbids; where it is permitted, the rules that were asked."""

    permitted: bool
    rule: str
    citation: str


def permit(recordings: Sequence[Recording], policy: Policy) -> Permission:
    """Whether `policy` permits scanning the session that `recordings` (all of its streams that are known) belong to.

    A session has two people: where fewer are named, the other one is unknown.
    """
    people = _people(recordings)
    asked: list[ScanRule] = []
    for person in people:
        rules = [r for r in policy.scanning.rules if _covers(r, person[0])]
        if not rules or person[0] == UNKNOWN:
            rules.append(policy.scanning.otherwise)
        if (forbids := next((r for r in rules if not _agrees(r, person)), None)) is not None:
            return Permission(permitted=False, rule=forbids.id, citation=forbids.citation)
        asked += rules
    names = {r.id: r.citation for r in (*policy.scanning.rules, policy.scanning.otherwise) if r in asked}
    return Permission(permitted=True, rule=", ".join(names), citation="; ".join(dict.fromkeys(names.values())))


def _people(recordings: Sequence[Recording]) -> list[_Person]:
    named: dict[str, list[Participant]] = {}
    for recording in recordings:
        for participant in recording.participants:
            named.setdefault(participant.handle, []).append(participant)
    people = [_person(p) for same in named.values() for p in same]
    # Where the recording itself says where it belongs, that place's rules hold for everybody in it as well.
    places = {normal(r.jurisdiction) for r in recordings} - {UNKNOWN}
    people += [(place, purposes) for place in places for _, purposes in (people or [_NOBODY])]
    if len(named) < 2:
        people.append(_NOBODY)
    return sorted(people, key=lambda p: (p[0], sorted(p[1])))


def _person(participant: Participant) -> _Person:
    return normal(participant.jurisdiction), participant.purposes or frozenset()


def _agrees(rule: ScanRule, person: _Person) -> bool:
    return rule.permitted and rule.needs_purposes <= person[1]


def _covers(rule: ScanRule, place: str) -> bool:
    return place == UNKNOWN or any(may_share(code, place) for code in rule.jurisdictions)
