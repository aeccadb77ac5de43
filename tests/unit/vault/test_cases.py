"""Incidents as retention sees them: times, classes, states; nobody's name."""

from __future__ import annotations

import pytest

from pipeline.core.clock import utc_parse
from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.errors import WatchkeepError
from pipeline.core.retention import Case, Order, Override
from pipeline.vault.cases import CONFIDENTIAL, Cases
from pipeline.vault.decisions import Decisions
from pipeline.vault.destroy import Destroyer
from pipeline.vault.events import Events
from pipeline.vault.floors import Floors
from pipeline.vault.orders import Orders
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, agreed, bound, change, hold_on, row
from tests.unit.vault.sweeps import let_tick, plan, sealed_in, sweep


def tell(vault: Vault, incident_id: str, kind: str, days: int = 0) -> None:
    revision = int(str(row(vault, incident_id)["revision"]))
    Events(vault.parts).record(incident_id, kind, NOW + days * DAY, f"R-{days}", revision=revision, floors=(), by=BY)


def decide(vault: Vault, incident_id: str, outcome: Review) -> None:
    Decisions(vault.parts).decide(
        incident_id,
        revision=int(str(row(vault, incident_id)["revision"])),
        outcome=outcome,
        category="nudity",
        severity=Severity.HIGH,
        retention_class="POLICY_VIOLATION",
        note="",
        floors=(),
        by=BY,
        person_id="p-ada",
    )


def test_each_incident_has_its_own_events_holds_floors_overrides_and_orders(vault: Vault) -> None:
    first, second, third = sorted(sealed_in(vault, 0, "nudity", "drugs", "weapon"))
    for incident_id, days in ((third, 1), (first, 2), (first, 1)):
        tell(vault, incident_id, "notified", days)
    ended, kept = hold_on(vault, [first, third], until=NOW + DAY), hold_on(vault, [first], until=None)
    Floors(vault.parts).write_down(third, [bound(days=9), bound("DSA_20", 5)], by=BY)
    until = "2026-12-01T00:00:00.000000Z"
    said = {"incident": third, "rule": "DSA_20", "until": until, "ground": "court"}
    Floors(vault.parts).override(
        third, "DSA_20", utc_parse(until), "court", approval=agreed("floor.override", said), by=BY
    )
    Orders(vault.parts).add([second], Order.ERASURE, NOW, "accepted", "r-1", by=BY)
    cases = {case.incident_id: case for case in Cases(vault.parts).all()}
    assert list(cases) == [first, second, third]
    assert [(e.kind, e.at, e.reference) for e in cases[first].events] == [
        ("notified", NOW + 2 * DAY, "R-2"), ("notified", NOW + DAY, "R-1")
    ]  # fmt: skip
    assert [len(cases[i].events) for i in (second, third)] == [0, 1]
    assert [h.hold_id for h in cases[first].holds] == [ended, kept] and cases[second].holds == ()
    (hold,) = cases[third].holds
    assert (hold.kind, hold.until, hold.authority, hold.reference) == ("US_2703F", NOW + DAY, "", "")
    assert [(f.rule, f.until) for f in cases[third].floors] == [
        ("DSA_20", NOW + 5 * DAY), ("US_2258A_H", NOW + 9 * DAY)
    ]  # fmt: skip
    (override,) = cases[third].overrides
    assert isinstance(override, Override) and (override.rule, override.ground) == ("DSA_20", "court")
    assert [(o.order, o.ground) for o in cases[second].orders] == [(Order.ERASURE, "accepted")]
    for case in cases.values():
        assert Cases(vault.parts).one(case.incident_id) == case


def test_a_case_names_nobody(vault: Vault) -> None:
    (incident_id,) = sealed_in(vault, 0, "nudity")
    case = Cases(vault.parts).one(incident_id)
    assert "canary" not in repr(case)
    assert isinstance(case, Case) and len(case.subject) == 32
    assert (case.review, case.custody, case.severity, case.jurisdiction) == (
        Review.UPHELD, Custody.ACTIVE, Severity.HIGH, "NL"
    )  # fmt: skip


def test_of_a_confidential_hold_only_its_times_are_told(vault: Vault) -> None:
    (incident_id,) = sealed_in(vault, 0, "nudity")
    hold_on(vault, [incident_id], confidential=True)
    (hold,) = Cases(vault.parts).one(incident_id).holds
    assert (hold.confidential, hold.kind, hold.until) == (True, CONFIDENTIAL, NOW + 90 * DAY)
    assert "US_2703F" not in repr(hold) and "canary" not in repr(hold)


def test_each_hold_is_opened_once_however_many_incidents_it_keeps(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sealed_in(vault, 0, "nudity", "drugs", "weapon")
    hold_on(vault, ids)
    opened: list[str] = []
    really = type(vault.parts.keys).unwrap

    def watched(keys: object, key_id: str, wrapped: bytes) -> bytes:
        opened.append(key_id)
        return really(keys, key_id, wrapped)  # type: ignore[arg-type]

    monkeypatch.setattr(type(vault.parts.keys), "unwrap", watched)
    assert sum(len(case.holds) for case in Cases(vault.parts).all()) == 3
    assert opened == ["holds"]


def test_what_was_destroyed_is_among_them_and_is_nobodys(vault: Vault) -> None:
    gone, kept = sealed_in(vault, 0, "nudity", "drugs")
    sweep(vault, gone)
    cases = {case.incident_id: case for case in Cases(vault.parts).all()}
    assert (cases[gone].custody, cases[gone].subject, cases[gone].session) == (
        Custody.KEY_DESTROYED, "erased", "erased"
    )  # fmt: skip
    assert cases[kept].custody is Custody.ACTIVE
    assert [u.incident_id for u in Cases(vault.parts).upheld()] == [kept]


def test_an_unknown_incident_and_the_beginning_of_one(vault: Vault) -> None:
    ids = sorted(sealed_in(vault, 0, "nudity", "drugs"))
    with pytest.raises(WatchkeepError, match="no incident"):
        Cases(vault.parts).one("00" * 16)
    assert Cases(vault.parts).beginning(ids[0][:20]) == (ids[0],)
    assert Cases(vault.parts).beginning("") == tuple(ids)
    assert Cases(vault.parts).beginning("zz") == ()


def test_upheld_incidents_come_by_person_with_what_became_of_appeals(vault: Vault) -> None:
    stands, pending, lost, won, never = sealed_in(vault, 0, "nudity", "drugs", "weapon", "threat", "spam")
    change(vault, never, review="open", decided_at="")
    for incident_id in (stands, pending, lost, won):
        decide(vault, incident_id, Review.UPHELD)
    for incident_id in (pending, lost, won):
        tell(vault, incident_id, "appeal_received")
    tell(vault, lost, "appeal_decided")
    decide(vault, won, Review.DISMISSED)
    tell(vault, stands, "pattern_confirmed")
    found = list(Cases(vault.parts).upheld())
    assert {u.incident_id: u.appeal for u in found} == {
        stands: "none", pending: "pending", lost: "none", won: "overturned"
    }  # fmt: skip
    assert len({u.person for u in found}) == 1 and len({u.session for u in found}) == 1
    assert [u.incident_id for u in found if u.pattern_confirmed_at] == [stands]


def test_a_reader_of_cases_stands_in_nobodys_way(vault: Vault) -> None:
    """A plan is carried out while its cases are still being read."""
    one, other = sorted(sealed_in(vault, 0, "nudity", "drugs"))
    let_tick(vault)
    going = plan(vault, one, other)
    reading = Cases(vault.parts).all()
    assert next(reading).incident_id == one
    done = Destroyer(vault.parts).carry_out(going, now=NOW + 400 * DAY, actor=BY, allow_unreviewed=False)
    assert len(done.destroyed) == 2
    assert next(reading).custody is Custody.ACTIVE  # one snapshot
