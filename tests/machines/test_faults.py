"""Rows of the fault matrix over the whole of an installation: each says first which one it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from pipeline.core.decision import Review
from pipeline.core.errors import KeyDestroyedError, SealError
from pipeline.core.evidence import Draft
from pipeline.core.retention import RequestKind, Verdict
from pipeline.custody import decisions, events, holds, requests, sweep
from pipeline.custody.holds import Ordered
from pipeline.vault import tables
from pipeline.vault.marks import Marks
from pipeline.vault.parquet import EvidenceFile
from pipeline.vault.rule_sets import RuleSets
from tests.machines.model import canary
from tests.machines.rulebook import VARIANTS
from tests.machines.scene import Scene
from tests.machines.sealing import POLICY, SPAN, drafts, pairs, recording
from tests.machines.world import LAW, PRIVACY, World
from tests.unit.vault.power import PowerCutError

ANN, BOB = "acct-ann-7f3c9b", "acct-bob-51d0e2"
ACTOR = "os:machine(1)"
FAR = timedelta(days=36_500)


@pytest.fixture
def world() -> Iterator[World]:
    opened = World(memory=True)
    yield opened
    opened.close()


def seal(world: World, number: int = 1, *categories: str) -> str:
    """The first of the incidents of a recording of Ann with Bob."""
    of = recording(number, ANN, BOB, basis="LEGIT_INTEREST", jurisdiction="US")
    names = {category: f"i{number}{category}" for category in categories or ("nudity",)}
    run_id = world.begin_run()
    return world.vault.conclude(f"c{number}", run_id, of, list(pairs(of, names)), policy=POLICY)[0]


def pass_days(world: World, days: int) -> None:
    world.clock.at += timedelta(days=days)
    Marks(world.vault.parts).tick(world.clock.now(), max_backward=FAR, max_forward=FAR)


def uphold(world: World, incident_id: str, category: str) -> None:
    decisions.decide(world.desk, incident_id, outcome=Review.UPHELD, category=category, note="seen", by=LAW)


def judged(world: World, incident_id: str) -> Verdict:
    desk = world.desk
    return desk.judge(desk.case(incident_id), world.clock.at).verdict


def cut_at(world: World, moment: int) -> bool:
    """Seal with the power failing at one moment; True if it failed."""
    world.fuse.light(moment)
    try:
        seal(world)
    except PowerCutError:
        world.reopen()
        return True
    world.fuse.put_out()
    return False


def test_a_crash_between_the_file_and_its_row_leaves_noise_that_is_removed(world: World) -> None:
    """R5: at every moment of a sealing; what lies there without a row opens with no key afterwards."""
    moment, cuts = 1, 0
    while cut_at(world, moment):
        cuts += 1
        moment += 1
        known = world.vault.concluded("c1") is not None
        assert bool(world.vault.orphans()) <= (not known), "rows point at it"
        stray = world.vault.remove_orphans()
        for key_id in stray.keys:
            with pytest.raises(KeyDestroyedError):
                world.keys.exists(key_id)
        assert not world.vault.orphans()
        assert world.vault.verify().problems == ()
        if known:
            break
    assert cuts > 8
    assert len(world.vault.incident(seal(world)).records) == 3


def test_rows_and_their_entry_are_there_together_or_not_at_all(world: World) -> None:
    """R6: the entry is in the transaction of the rows; after it only the head may lag, and the next act signs it."""
    incident_id = seal(world)
    scene = Scene(world)
    before = scene.entries()
    outcomes = set()
    for moment in range(1, 8):
        world.fuse.light(moment)
        try:
            events.record(world.desk, incident_id, "notified", at=world.clock.at, reference="", by=LAW)
        except PowerCutError:
            world.reopen()
        world.fuse.put_out()
        rows = len(world.desk.case(incident_id).events)
        told = [r for r in scene.rows(select(tables.audit_event.c.verb)) if r.verb == "event.record"]
        assert len(told) == 2 * rows  # of the event, and of the incident that it changed
        outcomes.add(rows)
        assert world.vault.verify().problems == ()
    assert len(outcomes) > 1
    assert scene.entries() > before


def test_without_its_key_store_nothing_is_sealed_and_nothing_is_spooled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R11: the caller keeps the bytes and tries again; no plaintext lies anywhere in between."""

    def unreachable(_: str) -> None:
        raise SealError("the key store cannot be reached: try again")

    with monkeypatch.context() as patch:
        patch.setattr(world.keys, "create", unreachable)
        for _ in range(3):
            with pytest.raises(SealError, match="cannot be reached"):
                seal(world)
    assert world.vault.incidents() == ()
    assert not world.vault.orphans()
    assert world.blobs.names() == []
    bodies = {d.body: "evidence" for d in drafts("i1nudity", "stream")}
    assert world.grep(bodies) == []
    assert len(world.vault.incident(seal(world)).records) == 3


def test_a_file_of_the_vault_is_never_written_again(world: World) -> None:
    """R15: nothing is compacted, so nothing races: the bytes are as they were sealed until the file is unlinked."""
    incident_id = seal(world, 1, "nudity", "threat")
    (name,) = world.blobs.names()
    before = world.digest()[name]
    ordered = Ordered(kind="LITIGATION", authority="a", reference="r", reason="why", received_at=world.clock.at)
    hold_id = holds.place(world.desk, ordered, [incident_id], by=LAW).hold_id
    for incident in world.vault.incidents():
        decisions.decide(
            world.desk, incident.incident_id, outcome=Review.DISMISSED, category="nudity", note="no", by=LAW
        )
    pass_days(world, 30)
    assert len(sweep.sweep(world.desk, actor=ACTOR).destroyed) == 1
    assert world.digest()[name] == before, "a neighbour went, and the file stays as it is"
    agreed = Scene(world).agreed(holds.RELEASE, {"hold": hold_id, "reason": "over"})
    holds.release(world.desk, hold_id, reason="over", agreed=agreed)
    assert sweep.sweep(world.desk, actor=ACTOR).files == 1
    assert world.blobs.names() == []


def test_shorter_rules_move_no_floor_that_was_written_down(world: World) -> None:
    """R17: they count for what comes after them; what is here keeps its floor until two people move it."""
    old = seal(world, 1, "minor_sexual_content")
    uphold(world, old, "minor_sexual_content")
    events.record(world.desk, old, "ncmec_submitted", at=world.clock.at, reference="r1", by=LAW)
    before = world.desk.case(old).floors
    shorter = replace(VARIANTS[1], csam="P3M", us_floor="P3M", name="much-shorter")
    agreed = Scene(world).agreed(
        "rules.change", {"sha256": shorter.rules().sha256, "name": "x", "body": shorter.text()}
    )
    RuleSets(world.vault.parts).change("x", shorter.text(), approval=agreed.approval, by=ACTOR)
    world.variant = shorter
    new = seal(world, 2, "minor_sexual_content")
    uphold(world, new, "minor_sexual_content")
    events.record(world.desk, new, "ncmec_submitted", at=world.clock.at, reference="r2", by=LAW)
    pass_days(world, 120)
    assert sweep.sweep(world.desk, actor=ACTOR).destroyed == (new,)
    assert set(before) <= set(world.desk.case(old).floors)
    pass_days(world, 260)
    assert sweep.sweep(world.desk, actor=ACTOR).destroyed == (old,)


def test_each_record_keeps_the_policy_under_which_it_was_collected(world: World) -> None:
    """R19: a policy that is published in the middle of a chat counts for what is captured after it, and for no more."""
    of = recording(1, ANN, BOB, basis="LEGIT_INTEREST", jurisdiction="US")
    later = replace(of, participants=tuple(replace(p, policy_version="2027-01") for p in of.participants))
    names = {"nudity": "i1"}
    run_id = world.begin_run()
    (incident_id,) = world.vault.conclude("c1", run_id, of, list(pairs(of, names)), policy=POLICY)
    ((incident, (first, *_)),) = pairs(later, names)
    second: Draft = replace(first, position="2", body=canary("second"))
    stricter = replace(POLICY, version="2", sha256="cd" * 32)
    world.vault.conclude("c2", run_id, later, [(incident, [first, second])], policy=stricter, merge_gap_ns=SPAN.end_ns)
    told = {}
    with world.vault.parts.catalog.read() as tx:
        files = tx.execute(select(tables.evidence_file)).all()
        records = tx.execute(select(tables.evidence_record)).all()
    for file in files:
        key = world.keys.unwrap(file.key_id, file.wrapped_key)
        with world.blobs.open(file.name) as source:
            opened = EvidenceFile(source, name=file.name, file_id=file.file_id, file_key=key)
            for record in records:
                if record.file_id == file.file_id:
                    row = opened.row(record.row)
                    told[record.record_id] = (record.party, row.privacy_policy_version, row.policy_version)
    assert {v for v in told.values() if v[0] == "subject"} == {("subject", "2026-11", "1"), ("subject", "2027-01", "2")}
    assert len(told) == 4
    assert world.vault.incident(incident_id).revision == 2


def test_a_submission_without_an_answer_starts_nothing_and_ends_nothing(world: World) -> None:
    """R22: only a receipt with its reference counts as a report."""
    incident_id = seal(world, 1, "minor_sexual_content")
    uphold(world, incident_id, "minor_sexual_content")
    for _ in range(2):
        events.record(world.desk, incident_id, "ncmec_submit_unknown", at=world.clock.at, reference="", by=LAW)
    case = world.desk.case(incident_id)
    assert case.floors == ()
    desk = world.desk
    assert "REPORT" in desk.judge(case, world.clock.at + timedelta(days=5000)).kept_by
    pass_days(world, 5000)
    assert sweep.sweep(world.desk, actor=ACTOR).destroyed == ()
    with pytest.raises(Exception, match="receipt"):
        events.record(world.desk, incident_id, "ncmec_submitted", at=world.clock.at, reference=" ", by=LAW)
    events.record(world.desk, incident_id, "ncmec_submitted", at=world.clock.at, reference="r1", by=LAW)
    assert {f.rule for f in world.desk.case(incident_id).floors} == {"US_2258A_H", "CSAM_US"}


def test_a_child_found_while_a_letter_holds_stays_restricted_and_in_conflict(world: World) -> None:
    """R23: what the law demands stays, nobody but legal looks, and people are told that they have to settle it."""
    incident_id = seal(world, 1, "minor_sexual_content")
    uphold(world, incident_id, "minor_sexual_content")
    events.record(world.desk, incident_id, "ncmec_submitted", at=world.clock.at, reference="r1", by=LAW)
    ordered = Ordered(kind="US_2703F", authority="FBI", reference="r", reason="why", received_at=world.clock.at)
    holds.place(world.desk, ordered, [incident_id], by=LAW)
    view = requests.add(world.desk, RequestKind.UNDER_13, ANN, received_at=world.clock.at, by=PRIVACY)
    requests.verify_identity(world.desk, view.request_id, by=PRIVACY)
    requests.decide(world.desk, view.request_id, "accepted", ground="COPPA", by=PRIVACY)
    desk = world.desk
    done = requests.carry_out(desk, requests.accepted(desk, view.request_id), by=LAW)
    assert [(i.incident_id, i.outcome.value) for i in done.items] == [(incident_id, "restricted")]
    assert world.vault.incident(incident_id).restricted
    pass_days(world, 4)
    swept = sweep.sweep(world.desk, actor=ACTOR)
    assert swept.destroyed == ()
    assert judged(world, incident_id) is Verdict.CONFLICT
    assert any(i == incident_id and "settle it" in words for i, words in swept.plan.told.alarms)
