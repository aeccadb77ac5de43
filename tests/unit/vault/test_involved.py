"""Who is involved: opaque persons of both parties; what they asked for holds for what is sealed afterwards, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.core.decision import Incident
from pipeline.core.errors import SealError
from pipeline.core.evidence import Draft, Party
from pipeline.core.recording import UNKNOWN, Participant, Recording
from pipeline.core.retention import Outcome, RequestKind
from pipeline.vault.destroy import Destroyer
from pipeline.vault.involved import account_index
from pipeline.vault.requests import ACCEPTED, REFUSED, Requests
from pipeline.vault.tables_keeping import account_link, involved
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, change, entries, hold_on, last, row
from tests.unit.vault.conftest import INSTALLATION_KEY, POLICY, Place, draft, drafts, incident, recording, span
from tests.unit.vault.sweeps import let_tick

THEM = Recording(
    parts=recording(1).parts,
    recording_id="22" * 16,
    session_id="canary-session",
    stream_id="canary-stream-2",
    participants=(Participant(handle="other", account="canary-other"),),
    legal_basis="LEGIT_INTEREST",
)
CONSENTED = recording(legal_basis="CONSENT")


def conclude(
    vault: Vault,
    of: Recording,
    pairs: Sequence[tuple[Incident, Sequence[Draft]]] | Iterator[tuple[Incident, Sequence[Draft]]] = (),
    *,
    counterpart: Recording | None = THEM,
    name: str = "c1",
) -> tuple[str, ...]:
    given = pairs or [(incident(of, span(1, 2)), drafts(span(1, 2)))]
    return vault.conclude(name, "run-1", of, given, policy=POLICY, counterpart=counterpart, merge_gap_ns=0)


def ask(vault: Vault, kind: RequestKind, account: str = "canary-account", *, verified: bool = True) -> str:
    requests = Requests(vault.parts)
    request_id = requests.add(kind, account, received_at=NOW, due_at=NOW + 30 * DAY, by=BY)
    if verified:
        requests.verify_identity(request_id, at=NOW, by=BY)
    return request_id


def decide(vault: Vault, request_id: str, decision: str) -> None:
    Requests(vault.parts).decide(request_id, decision, "", by=BY, person_id="p-ada")


def people(vault: Vault, incident_id: str) -> dict[str, str]:
    with vault.parts.catalog.read() as tx:
        rows = tx.execute(select(involved).where(involved.c.incident_id == incident_id))
        return {r.party: r.person for r in rows}


def test_both_parties_are_opaque_persons_and_the_same_account_is_the_same_person(vault: Vault, place: Place) -> None:
    (first,) = conclude(vault, recording())
    (second,) = conclude(vault, recording(3), name="c2", counterpart=None)
    known = people(vault, first)
    assert len({known["subject"], known["counterpart"], UNKNOWN}) == 3
    assert people(vault, second) == {"subject": known["subject"], "counterpart": UNKNOWN}
    assert Requests(vault.parts).incidents_of("canary-other") == ((first, Party.COUNTERPART),)
    with vault.parts.catalog.read() as tx:
        index = {r.person: r.account_index for r in tx.execute(select(account_link))}
    assert index[known["subject"]] == account_index(INSTALLATION_KEY, "canary-account")
    for path in place.root.rglob("*"):
        assert not path.is_file() or b"canary-other" not in path.read_bytes(), path
    assert vault.verify().problems == ()


def test_several_people_on_one_side_are_nobody_in_particular(vault: Vault) -> None:
    crowd = replace(THEM, participants=(*THEM.participants, Participant(handle="third", account="canary-third")))
    (found,) = conclude(vault, recording(), counterpart=crowd)
    assert people(vault, found)["counterpart"] == UNKNOWN


def test_the_others_in_a_picture_of_several_are_counterparts(vault: Vault) -> None:
    whole = recording()
    of = replace(whole, participants=(*whole.participants, *THEM.participants))
    (found,) = conclude(vault, of, counterpart=None)
    assert Requests(vault.parts).incidents_of("canary-other") == ((found, Party.COUNTERPART),)


def test_who_was_unknown_becomes_known_and_who_is_known_stays(vault: Vault) -> None:
    (found,) = conclude(vault, recording(), counterpart=None)
    was = people(vault, found)
    again = [(incident(recording(), span(1, 3), rule="other"), (draft(span(2, 3)),))]
    assert conclude(vault, recording(), again, name="c2") == (found,)
    now = people(vault, found)
    assert now["subject"] == was["subject"]
    assert (was["counterpart"], now["counterpart"] != UNKNOWN) == (UNKNOWN, True)
    other = replace(THEM, participants=(Participant(handle="other", account="canary-third"),))
    once_more = [(incident(recording(), span(1, 4), rule="third"), (draft(span(3, 4)),))]
    assert conclude(vault, recording(), once_more, counterpart=other, name="c3") == (found,)
    assert people(vault, found) == now
    assert vault.verify().problems == ()


def test_who_was_erased_is_not_involved_again_by_a_rescan(vault: Vault) -> None:
    (found,) = conclude(vault, recording())
    change(vault, found, review="upheld", decided_at="2026-11-22T12:30:00.000000Z")
    let_tick(vault)
    Destroyer(vault.parts).erase_party(found, Party.COUNTERPART, reason="asked", by=BY)
    again = [(incident(recording(), span(1, 3), rule="other"), (draft(span(2, 3)),))]
    assert conclude(vault, recording(), again, name="c2") == (found,)
    assert people(vault, found)["counterpart"] == "erased"
    assert Requests(vault.parts).incidents_of("canary-other") == ()


@pytest.mark.parametrize(
    "kind", [RequestKind.ERASURE, RequestKind.WITHDRAWAL, RequestKind.UNDER_13, RequestKind.RESTRICTION]
)
def test_r4_what_is_sealed_while_a_request_is_open_is_restricted_and_the_request_knows(
    vault: Vault, kind: RequestKind
) -> None:
    theirs = ask(vault, kind, "canary-other", verified=False)
    (found,) = conclude(vault, recording())
    (item,) = Requests(vault.parts).get(theirs).items
    assert (item.incident_id, item.party, item.outcome) == (found, Party.COUNTERPART, Outcome.RESTRICTED)
    assert row(vault, found)["restricted"] is True
    assert vault.verify().problems == ()


def test_r4_what_an_incident_gains_while_a_request_is_accepted_restricts_it(vault: Vault) -> None:
    (found,) = conclude(vault, recording())
    request_id = ask(vault, RequestKind.ERASURE)
    decide(vault, request_id, ACCEPTED)
    for name, second in (("c2", 3), ("c3", 4)):
        more = [(incident(recording(), span(1, second), rule=name), (draft(span(second - 1, second)),))]
        assert conclude(vault, recording(), more, name=name) == (found,)
    assert row(vault, found)["restricted"] is True
    assert len(Requests(vault.parts).get(request_id).items) == 1
    assert vault.verify().problems == ()


def test_what_was_refused_done_or_only_asked_to_be_told_restricts_nothing(vault: Vault) -> None:
    refused, done = ask(vault, RequestKind.ERASURE), ask(vault, RequestKind.ERASURE)
    ask(vault, RequestKind.ACCESS)
    ask(vault, RequestKind.ERASURE, "somebody else")
    decide(vault, refused, REFUSED)
    decide(vault, done, ACCEPTED)
    Requests(vault.parts).close(done, by=BY)
    (found,) = conclude(vault, recording())
    assert row(vault, found)["restricted"] is False


@pytest.mark.parametrize("ended", [False, True])
def test_i8_after_a_withdrawal_nothing_that_rests_on_consent_is_sealed(vault: Vault, place: Place, ended: bool) -> None:
    request_id = ask(vault, RequestKind.WITHDRAWAL)
    if ended:
        decide(vault, request_id, ACCEPTED)
        Requests(vault.parts).close(request_id, by=BY)
    before, keys = last(vault), vault.parts.keys.ids()
    found = incident(CONSENTED, span(1, 2))
    assert conclude(vault, CONSENTED, [(found, drafts(span(1, 2)))]) == ()
    assert vault.concluded("c1") == ()
    assert (vault.incidents(), place.files(), vault.parts.keys.ids()) == ((), [], keys)
    refusal = ("incident.refused", f"incident:{found.incident_id}", "it rests on a consent that was withdrawn")
    assert entries(vault, before)[0] == refusal
    assert vault.verify().problems == ()


def test_i8_what_an_incident_would_gain_on_a_withdrawn_consent_is_refused_too(vault: Vault) -> None:
    (found,) = conclude(vault, CONSENTED)
    was = vault.incident(found)
    ask(vault, RequestKind.WITHDRAWAL)
    more = [(incident(CONSENTED, span(1, 9), rule="other"), (draft(span(8, 9)),))]
    assert conclude(vault, CONSENTED, more, name="c2") == ()
    assert vault.incident(found) == was


def test_i8_a_withdrawal_ends_consent_alone_and_is_not_believed_before_it_is_verified(vault: Vault) -> None:
    ask(vault, RequestKind.WITHDRAWAL)
    (other_basis,) = conclude(vault, recording())
    assert row(vault, other_basis)["restricted"] is True
    ask(vault, RequestKind.WITHDRAWAL, "canary-second", verified=False)
    person = replace(CONSENTED.participants[0], account="canary-second")
    of = replace(CONSENTED, recording_id="33" * 16, participants=(person,))
    (unverified,) = conclude(vault, of, name="c2", counterpart=None)
    assert row(vault, unverified)["restricted"] is True


def test_i8_a_refused_withdrawal_ends_nothing(vault: Vault) -> None:
    decide(vault, ask(vault, RequestKind.WITHDRAWAL), REFUSED)
    (found,) = conclude(vault, CONSENTED)
    assert row(vault, found)["restricted"] is False


def test_i8_of_a_counterpart_who_withdrew_nothing_is_sealed_and_the_subject_s_side_is(vault: Vault) -> None:
    ask(vault, RequestKind.WITHDRAWAL, "canary-other")
    (found,) = conclude(vault, recording(), counterpart=replace(THEM, legal_basis="CONSENT"))
    assert {r.party for r in vault.incident(found).records} == {Party.SUBJECT}


def test_i8_a_withdrawal_while_evidence_is_being_sealed_commits_nothing(vault: Vault) -> None:
    of = CONSENTED

    def meanwhile() -> Iterator[tuple[Incident, Sequence[Draft]]]:
        ask(vault, RequestKind.WITHDRAWAL)
        yield incident(of, span(1, 2)), drafts(span(1, 2))

    with pytest.raises(SealError, match="conclude it again"):
        conclude(vault, of, meanwhile())
    assert (vault.incidents(), conclude(vault, of)) == ((), ())
    assert vault.remove_orphans().files


def test_a_hold_placed_while_evidence_is_being_added_does_not_disturb_it(vault: Vault) -> None:
    of = recording()
    (found,) = conclude(vault, of)

    def meanwhile() -> Iterator[tuple[Incident, Sequence[Draft]]]:
        hold_on(vault, [found])
        yield incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),)

    assert conclude(vault, of, meanwhile(), name="c2") == (found,)
    assert row(vault, found)["revision"] == 3
    assert vault.verify().problems == ()
