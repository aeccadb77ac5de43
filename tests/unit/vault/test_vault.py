"""Concluding a recording: once, whole, attached to what stands, and nothing of it readable on disk."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import update

from pipeline.core.decision import Custody, Incident, PolicyRef, Review, Severity
from pipeline.core.errors import FencedError, SealError, WatchkeepError
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.ids import content_mac, keyed_id
from pipeline.core.media import NS
from pipeline.core.recording import UNKNOWN, Identity
from pipeline.vault import tables
from pipeline.vault.provenance import terms
from pipeline.vault.states import state_of
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import (
    CANARIES,
    INSTALLATION_KEY,
    JPEG,
    MASTER,
    Place,
    draft,
    drafts,
    incident,
    recording,
    seal_one,
    span,
)


def test_an_incident_is_listed_with_its_findings_and_records(sealed: Vault) -> None:
    nudity, weapon = sealed.incidents()
    assert (nudity.category, weapon.category) == ("nudity", "weapon")
    assert (nudity.severity, nudity.review, nudity.custody) == (Severity.HIGH, Review.OPEN, Custody.ACTIVE)
    assert (nudity.span, nudity.revision, nudity.identity) == (span(1, 2), 1, Identity.VERIFIED)
    assert (nudity.jurisdiction, nudity.legal_basis) == ("NL", "LEGIT_INTEREST")
    (found,) = nudity.findings
    assert (found.rule, found.score_bucket, found.labels) == ("nudity", "0.9-1.0", ("opennsfw.nsfw",))
    assert sorted((r.party, r.kind, r.size) for r in nudity.records) == sorted(
        (d.party, d.kind, len(d.body)) for d in drafts(span(1, 2))
    )
    assert sealed.incident(nudity.incident_id) == nudity
    with pytest.raises(WatchkeepError, match="no incident"):
        sealed.incident("00" * 16)


def test_records_can_be_compared_between_runs_by_their_content_macs(sealed: Vault) -> None:
    frame = next(r for r in sealed.incidents()[0].records if (r.kind, r.party) == (Kind.FRAME, Party.SUBJECT))
    assert frame.content_mac == content_mac(INSTALLATION_KEY, hashlib.sha256(JPEG).digest())


def test_each_party_of_an_incident_has_a_key_of_its_own(sealed: Vault) -> None:
    owners: dict[str, set[tuple[str, str]]] = {}
    for view in sealed.incidents():
        for record in view.records:
            owners.setdefault(record.key_id, set()).add((view.incident_id, record.party))
    assert len(owners) == 4
    assert all(len(whose) == 1 for whose in owners.values())


def test_one_conclusion_is_one_file_under_an_opaque_name(sealed: Vault, place: Place) -> None:
    (file,) = place.files()
    assert file.parent.name == file.name[:2]
    assert {r.file for v in sealed.incidents() for r in v.records} == {f"{file.parent.name}/{file.name}"}


def test_nothing_under_home_or_keys_can_be_read(sealed: Vault, place: Place) -> None:
    found = [
        (path, canary)
        for path in place.root.rglob("*")
        if path.is_file()
        for canary in (*CANARIES, MASTER, INSTALLATION_KEY)
        if canary in path.read_bytes()
    ]
    assert found == []
    assert (place.home / "catalog/catalog.db-wal").exists()  # it was looked into, too


def test_names_in_the_catalog_are_pseudonyms_and_the_unknown_stays_unknown(sealed: Vault) -> None:
    (nudity, _) = sealed.incidents()
    assert nudity.participant == keyed_id(INSTALLATION_KEY, "pseudonym/participant", "canary-handle")
    of = replace(recording(1), session_id=UNKNOWN)
    new = replace(incident(of, span(1, 2)), session_id=UNKNOWN)
    seal_one(sealed, of, [(new, drafts(span(1, 2)))], conclusion="c2")
    assert sealed.incident(new.incident_id).session == UNKNOWN


def test_concluding_twice_is_concluding_once(sealed: Vault, place: Place) -> None:
    was, files = sealed.incidents(), place.files()
    of = recording()
    again = seal_one(sealed, of, iter([(incident(of, span(50, 51)), drafts(span(50, 51)))]))  # type: ignore[arg-type]
    assert again == sealed.concluded("c1") == tuple(v.incident_id for v in was)
    assert (sealed.incidents(), place.files()) == (was, files)


def test_a_recording_without_incidents_is_concluded_without_a_file(vault: Vault, place: Place) -> None:
    assert vault.concluded("c1") is None
    assert seal_one(vault, recording(), []) == ()
    assert vault.concluded("c1") == ()
    assert place.files() == []
    assert vault.verify().problems == ()
    assert not vault.orphans()


def test_a_rescan_attaches_what_is_new_and_seals_nothing_twice(sealed: Vault) -> None:
    of, was = recording(), sealed.incidents()[0]
    newer = replace(incident(of, span(4, 9), rule="nudity-strict"), severity=Severity.MEDIUM)
    policy = PolicyRef(name="video-chat", version="2", sha256="99" * 32)
    ids = seal_one(sealed, of, [(newer, (*drafts(span(1, 2)), draft(span(4, 5))))], conclusion="c2", policy=policy)
    assert ids == (was.incident_id,)
    now = sealed.incident(was.incident_id)
    assert (now.revision, now.span, now.severity) == (2, span(1, 9), Severity.HIGH)
    assert [(f.rule, f.revision, f.policy.version) for f in now.findings] == [
        ("nudity", 1, "1"),
        ("nudity-strict", 2, "2"),
    ]
    assert set(was.records) < set(now.records)
    assert len(now.records) == len(was.records) + 1
    assert len(sealed.incidents()) == 2
    keys = {r.key_id for r in now.records if r.party is Party.SUBJECT}
    assert len(keys) == 1  # the new file's rows lie under the incident's key
    assert sealed.verify().problems == ()


def test_a_rescan_that_finds_the_same_changes_no_incident(sealed: Vault, place: Place) -> None:
    of, was = recording(), sealed.incidents()
    same = [(incident(of, span(1, 2)), drafts(span(1, 2)))]
    assert seal_one(sealed, of, same, conclusion="c2") == (was[0].incident_id,)
    assert sealed.incidents() == was
    assert len(place.files()) == 1


@pytest.mark.parametrize(("start", "attached"), [(6.9, True), (7, False)])
def test_the_merge_gap_decides_what_is_the_same_incident(sealed: Vault, start: float, attached: bool) -> None:
    of = recording()
    at = span(start, start + 1)
    seal_one(sealed, of, [(incident(of, at), drafts(at))], conclusion="c2")
    assert len(sealed.incidents()) == (2 if attached else 3)


def test_in_a_composite_what_one_person_did_never_attaches_to_the_others_incident(vault: Vault) -> None:
    of = recording()

    def both(start: float, end: float) -> list[tuple[Incident, tuple[Draft, ...]]]:
        views = [replace(incident(of, span(start, end)), stream_id=f"canary-stream#{who}") for who in ("a", "b")]
        return [(replace(v, incident_id=keyed_id(MASTER, v.stream_id, start)), drafts(span(start, end))) for v in views]

    a, b = seal_one(vault, of, both(1, 2))
    assert seal_one(vault, of, reversed(both(3, 4)), conclusion="c2") == (b, a)  # type: ignore[arg-type]
    assert [v.revision for v in vault.incidents()] == [2, 2]


def test_what_was_told_of_a_person_is_in_the_clear_only_as_a_code(vault: Vault) -> None:
    (person,) = recording().participants
    told = replace(person, policy_version="as told to anna@example.net", purposes=frozenset({"DETECT", "sue Anna B."}))
    said = terms(incident(recording(), span(1, 2)), recording(participants=(told,)), Party.SUBJECT)
    assert (said["privacy_policy_version"], said["purposes"]) == (UNKNOWN, ["DETECT", UNKNOWN])


def test_another_category_or_recording_never_attaches(sealed: Vault) -> None:
    for of, category in ((recording(), "drugs"), (recording(1), "nudity")):
        pairs = [(incident(of, span(1, 2), category=category), drafts(span(1, 2)))]
        seal_one(sealed, of, pairs, conclusion=f"c-{category}")
    assert len(sealed.incidents()) == 4


def decide(vault: Vault, incident_id: str, **changes: str | bool) -> None:
    """What the next issue's reviewing does: change the row, with its audit entry, in one act."""
    with vault._journal.act("os:eve(1001)") as act:
        row = update(tables.incident).where(tables.incident.c.incident_id == incident_id)
        act.tx.execute(row.values(**changes))
        subject = f"incident:{incident_id}"
        act.record("test.decide", subject, after=state_of(act.tx, subject))


def test_a_decided_incident_gains_findings_but_is_not_reopened_and_nothing_is_sealed(
    sealed: Vault, place: Place
) -> None:
    of, was = recording(), sealed.incidents()[0]
    decide(sealed, was.incident_id, review="dismissed")
    pairs = [(incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),))]
    assert seal_one(sealed, of, pairs, conclusion="c2") == (was.incident_id,)
    now = sealed.incident(was.incident_id)
    assert (now.review, now.span, now.records) == (Review.DISMISSED, was.span, was.records)
    assert [f.rule for f in now.findings] == ["nudity", "other"]
    assert len(place.files()) == 1
    assert sealed.verify().problems == ()


def test_what_is_near_a_closed_incident_and_an_open_one_is_the_open_one(sealed: Vault) -> None:
    of, was = recording(), sealed.incidents()[0]
    (later,) = seal_one(sealed, of, [(incident(of, span(11, 12)), drafts(span(11, 12)))], conclusion="c2")
    decide(sealed, was.incident_id, review="dismissed")
    pairs = [(incident(of, span(4, 9), rule="other"), (draft(span(8, 9)),))]
    assert seal_one(sealed, of, pairs, conclusion="c3") == (later,)
    assert span(8, 9) in [r.span for r in sealed.incident(later).records]


def test_nothing_is_added_to_a_destroyed_incident(sealed: Vault) -> None:
    of, was = recording(), sealed.incidents()[0]
    for custody in ("deleting", "key_destroyed"):
        decide(sealed, was.incident_id, custody=custody)
    pairs = [(incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),))]
    assert seal_one(sealed, of, pairs, conclusion="c2") == (was.incident_id,)
    now = sealed.incident(was.incident_id)
    assert (now.findings, now.records, now.revision) == (was.findings, was.records, was.revision)


def test_only_the_run_that_began_last_may_conclude(sealed: Vault) -> None:
    of = recording(1)
    pairs = [(incident(of, span(1, 2)), drafts(span(1, 2)))]
    sealed.begin_run("run-2", "os:ada(1000)")
    sealed.begin_run("run-2", "os:ada(1000)")
    with pytest.raises(FencedError):
        seal_one(sealed, of, pairs, conclusion="c2", run="run-1")
    with pytest.raises(FencedError):
        sealed.begin_run("run-1", "os:ada(1000)")
    assert sealed.concluded("c2") is None
    seal_one(sealed, of, pairs, conclusion="c2", run="run-2")


def test_a_run_that_is_overtaken_while_it_seals_commits_nothing(vault: Vault, place: Place) -> None:
    of = recording()

    def overtaken() -> object:
        yield incident(of, span(1, 2)), drafts(span(1, 2))
        with place.open() as other:
            other.begin_run("run-2", "os:bob(1001)")

    with pytest.raises(FencedError):
        seal_one(vault, of, overtaken())  # type: ignore[arg-type]
    assert vault.incidents() == ()
    left = vault.orphans()
    assert (len(left.files), len(left.keys)) == (1, 3)
    assert vault.verify().problems == ()


def test_two_conclusions_of_one_recording_at_once_end_as_one_after_the_other(vault: Vault, place: Place) -> None:
    of = recording()
    pairs = [(incident(of, span(1, 2)), drafts(span(1, 2)))]

    def overtaken() -> object:
        yield pairs[0]
        with place.open() as other:
            seal_one(other, of, pairs, conclusion="c2")

    with pytest.raises(SealError, match="conclude it again"):
        seal_one(vault, of, overtaken())  # type: ignore[arg-type]
    was = vault.incidents()
    assert seal_one(vault, of, pairs) == (was[0].incident_id,)
    assert vault.incidents() == was


def test_a_long_gap_merges_nothing_within_one_recording(vault: Vault) -> None:
    of = recording()
    pairs = [(incident(of, at), drafts(at)) for at in (span(1, 2), span(20, 21))]
    assert len(seal_one(vault, of, pairs, merge_gap_ns=5 * NS)) == 2
