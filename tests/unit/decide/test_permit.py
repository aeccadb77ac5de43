"""Where scanning is permitted: the strictest answer for any of the two people."""

from __future__ import annotations

import pytest

from pipeline.core.jurisdiction import is_jurisdiction, may_share, normal
from pipeline.core.recording import UNKNOWN, Part, Participant, Recording
from pipeline.decide.permit import Permission, permit
from pipeline.decide.policy import Scanning, ScanRule
from tests.unit.decide.cases import policy


def scan_rule(name: str, *places: str, permitted: bool = True, needs: tuple[str, ...] = ()) -> ScanRule:
    return ScanRule(
        id=name,
        jurisdictions=frozenset(places),
        permitted=permitted,
        needs_purposes=frozenset(needs),
        citation=f"cite {name}",
    )


def ask(people: list[Participant], *rules: ScanRule, otherwise: bool = True, place: str = UNKNOWN) -> Permission:
    streams = [Recording(parts=(Part(uri="x"),), participants=(p,), jurisdiction=place) for p in people]
    scanning = Scanning(rules=rules, otherwise=scan_rule("otherwise", permitted=otherwise))
    nobody = Recording(parts=(Part(uri="x"),), jurisdiction=place)
    return permit(streams or [nobody], policy(scanning=scanning))


def person(handle: str, place: str = UNKNOWN, *purposes: str) -> Participant:
    return Participant(handle=handle, jurisdiction=place, purposes=frozenset(purposes) or None)


EU_OFF = scan_rule("eu", "EU", permitted=False)


def test_a_refusal_names_rule_and_citation() -> None:
    assert ask([person("a", "NL"), person("b", "US")], EU_OFF) == Permission(
        permitted=False, rule="eu", citation="cite eu"
    )


@pytest.mark.parametrize(
    ("places", "permitted"),
    [
        (("US", "US-CA"), True),
        (("US", "EU"), False),
        (("EEA", "US"), False),
        (("GB", "NO"), True),
        (("el", "US"), False),
        (("US", UNKNOWN), False),
        (("US", "somewhere"), False),
        (("US",), False),
        ((), False),
    ],
)
def test_the_strictest_of_both_holds_and_unknown_is_strictest(places: tuple[str, ...], permitted: bool) -> None:
    people = [person(f"p{i}", place) for i, place in enumerate(places)]
    assert ask(people, EU_OFF).permitted is permitted


def test_an_unknown_person_is_also_one_whom_no_rule_covers() -> None:
    both = [person("a", "US"), person("b", "US")]
    assert ask(both, scan_rule("us", "US"), otherwise=False).permitted
    assert not ask([both[0], person("b")], scan_rule("us", "US"), otherwise=False).permitted


def test_the_place_of_the_recording_counts_beside_its_people() -> None:
    both = [person("a", "US"), person("b", "US")]
    assert ask(both, EU_OFF).permitted
    assert not ask(both, EU_OFF, place="DE").permitted


def test_a_purpose_must_be_agreed_to_by_everybody_and_unknown_is_no_agreement() -> None:
    consent = scan_rule("consent", "EU", needs=("DETECT",))
    agreed = person("a", "NL", "DETECT", "OTHER")
    assert ask([agreed, person("b", "FR", "DETECT")], consent).permitted
    assert ask([agreed, person("b", "US")], consent).permitted
    assert not ask([agreed, person("b", "FR", "OTHER")], consent).permitted
    assert not ask([agreed, person("b", "FR")], consent).permitted


def test_a_permission_names_the_rules_that_were_asked() -> None:
    answer = ask([person("a", "NL"), person("b", "US")], scan_rule("eu", "EU"), scan_rule("uk", "GB"))
    assert answer == Permission(permitted=True, rule="eu, otherwise", citation="cite eu; cite otherwise")


def test_one_person_under_two_handles_of_two_streams_is_two_people() -> None:
    assert ask([person("a", "US"), person("a", "US")], EU_OFF).permitted is False


def test_codes_are_told_apart() -> None:
    assert [normal(t) for t in ("uk", "EL", "us-ca", "EEA", "Holland", "")] == [
        "GB",
        "GR",
        "US-CA",
        "EEA",
        *[UNKNOWN] * 2,
    ]
    assert is_jurisdiction("US-CA") and not is_jurisdiction("us") and not is_jurisdiction("*")
    assert may_share("US", "US-CA") and may_share("US-CA", "US") and not may_share("US-CA", "US-NY")
    assert may_share("EU", "NL") and may_share("EEA", "EU") and not may_share("EU", "NO")
