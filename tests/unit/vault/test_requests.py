"""Requests: one after the other step, one decision, and a name that goes when nobody needs it any more."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.core.errors import KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.core.evidence import Party
from pipeline.core.retention import Outcome, RequestKind
from pipeline.vault.requests import ACCEPTED, REFUSED, Requests
from pipeline.vault.tables_keeping import account_link
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, claim, destroy, last, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import tampering

ACCOUNT = "canary-account"


def ask(vault: Vault, kind: RequestKind = RequestKind.ERASURE, account: str = ACCOUNT) -> str:
    return Requests(vault.parts).add(kind, account, received_at=NOW, due_at=NOW + 30 * DAY, by=BY)


def verify(vault: Vault, request_id: str) -> None:
    Requests(vault.parts).verify_identity(request_id, at=NOW, by=BY)


def decide(vault: Vault, request_id: str, decision: str = ACCEPTED) -> None:
    Requests(vault.parts).decide(request_id, decision, "GDPR 17", by=BY, person_id="p-ada")


def close(vault: Vault, request_id: str) -> None:
    Requests(vault.parts).close(request_id, by=BY)


def links(vault: Vault) -> int:
    with vault.parts.catalog.read() as tx:
        return len(tx.execute(select(account_link)).all())


def test_a_request_goes_from_receipt_to_its_end_and_every_step_is_written_down(sealed: Vault) -> None:
    request_id, requests = ask(sealed), Requests(sealed.parts)
    view = requests.get(request_id)
    assert (view.kind, view.state, view.decision, view.verified_at) == (RequestKind.ERASURE, "received", "", None)
    assert (view.received_at, view.due_at) == (NOW, NOW + 30 * DAY)
    assert requests.account(request_id) == ACCOUNT
    verify(sealed, request_id)
    decide(sealed, request_id)
    view = requests.get(request_id)
    assert (view.state, view.decision, view.ground, view.decided_by) == ("decided", ACCEPTED, "GDPR 17", "p-ada")
    close(sealed, request_id)
    assert (requests.get(request_id).state, requests.get(request_id).closed_at is not None) == ("done", True)
    assert [view.request_id for view in requests.all()] == [request_id]
    assert sealed.verify().problems == ()
    assert not sealed.orphans()


def test_no_step_is_skipped_or_done_twice_and_there_is_one_decision(sealed: Vault) -> None:
    request_id = ask(sealed)
    for too_early in (decide, close):
        with pytest.raises(TransitionError, match="is received"):
            too_early(sealed, request_id)
    verify(sealed, request_id)
    with pytest.raises(TransitionError, match="is verified"):
        verify(sealed, request_id)
    decide(sealed, request_id)
    for again in (ACCEPTED, REFUSED):
        with pytest.raises(TransitionError, match="is decided"):
            decide(sealed, request_id, again)
    with pytest.raises(TransitionError, match="accepted or refused"):
        decide(sealed, request_id, "perhaps")
    close(sealed, request_id)
    for late in (verify, decide, close):
        with pytest.raises(TransitionError, match="is done"):
            late(sealed, request_id)
    with pytest.raises(TransitionError, match="was closed"):
        Requests(sealed.parts).note(request_id, [], by=BY)


def test_a_stranger_s_request_can_be_refused_and_never_accepted(sealed: Vault) -> None:
    request_id = ask(sealed)
    decide(sealed, request_id, REFUSED)
    close(sealed, request_id)
    assert Requests(sealed.parts).get(request_id).decision == REFUSED


def test_nobody_s_request_and_no_request_are_refused(sealed: Vault) -> None:
    for nobody in ("unknown", " "):
        with pytest.raises(WatchkeepError, match="somebody's"):
            ask(sealed, account=nobody)
    with pytest.raises(WatchkeepError, match="there is no request feed"):
        Requests(sealed.parts).get("feed")
    assert Requests(sealed.parts).all() == ()


def test_the_account_lies_nowhere_in_the_clear_and_is_destroyed_when_the_request_is_closed(
    sealed: Vault, place: Place
) -> None:
    request_id = ask(sealed, account="canary-asker")
    verify(sealed, request_id)
    decide(sealed, request_id)
    for path in place.root.rglob("*"):
        assert not path.is_file() or b"canary-asker" not in path.read_bytes(), path
    close(sealed, request_id)
    with pytest.raises(KeyDestroyedError):
        Requests(sealed.parts).account(request_id)


def test_both_parties_of_an_incident_are_found_by_their_account(sealed: Vault) -> None:
    ids = sorted(view.incident_id for view in sealed.incidents())
    assert Requests(sealed.parts).incidents_of(ACCOUNT) == tuple((i, Party.SUBJECT) for i in ids)
    assert Requests(sealed.parts).incidents_of("somebody else") == ()
    assert Requests(sealed.parts).incidents_of("unknown") == ()


def test_what_became_of_each_incident_is_noted_in_order(sealed: Vault) -> None:
    first = sealed.incidents()[0].incident_id
    request_id, requests = ask(sealed), Requests(sealed.parts)
    requests.note(request_id, [(first, Party.SUBJECT, Outcome.DEFERRED, "held")], by=BY)
    requests.note(request_id, [(first, Party.SUBJECT, Outcome.ERASED, "GDPR 17(1)(b)")], by=BY)
    items = requests.get(request_id).items
    assert [(i.incident_id, i.party, i.outcome, i.ground) for i in items] == [
        (first, Party.SUBJECT, Outcome.DEFERRED, "held"),
        (first, Party.SUBJECT, Outcome.ERASED, "GDPR 17(1)(b)"),
    ]
    assert sealed.verify().problems == ()


def test_restricting_reaches_what_is_there_once_and_is_no_error_for_what_is_gone(sealed: Vault) -> None:
    ids = [view.incident_id for view in sealed.incidents()]
    destroy(sealed, ids[0])
    claim(sealed, ids[1])
    requests = Requests(sealed.parts)
    gone, before = row(sealed, ids[0]), last(sealed)
    for _ in range(2):
        requests.restrict(ids, "GDPR 18(1)(b)", BY)
    assert row(sealed, ids[0]) == gone
    now = row(sealed, ids[1])
    assert (now["restricted"], now["revision"], now["custody"]) == (True, 3, "deleting")
    assert last(sealed) == before + 1


def test_what_leads_to_a_person_stays_as_long_as_evidence_or_a_request_needs_it(sealed: Vault) -> None:
    assert links(sealed) == 1  # the subject of what was sealed
    first, second = ask(sealed, account="stranger"), ask(sealed, RequestKind.ACCESS, account="stranger")
    assert links(sealed) == 2
    for request_id in (first, second):
        verify(sealed, request_id)
        decide(sealed, request_id)
    close(sealed, first)
    assert links(sealed) == 2
    close(sealed, second)
    assert links(sealed) == 1
    known = ask(sealed, account=ACCOUNT)
    decide(sealed, known, REFUSED)
    close(sealed, known)
    assert links(sealed) == 1


@pytest.mark.parametrize(("decision", "kept"), [(ACCEPTED, 2), (REFUSED, 1)])
def test_a_withdrawal_is_remembered_for_ever_unless_it_was_refused(sealed: Vault, decision: str, kept: int) -> None:
    request_id = ask(sealed, RequestKind.WITHDRAWAL, "stranger")
    verify(sealed, request_id)
    decide(sealed, request_id, decision)
    close(sealed, request_id)
    assert links(sealed) == kept


def test_a_crash_between_the_key_and_the_commit_leaves_a_request_that_can_be_closed(sealed: Vault) -> None:
    request_id = ask(sealed)
    decide(sealed, request_id, REFUSED)
    sealed.parts.keys.destroy(f"request-{request_id}")
    assert sealed.verify().problems == ()
    close(sealed, request_id)
    assert Requests(sealed.parts).get(request_id).state == "done"


def test_a_request_that_somebody_edits_is_seen(sealed: Vault, place: Place) -> None:
    request_id = ask(sealed)
    with tampering(place) as db:
        db.execute("UPDATE request SET due_at = '2099-01-01T00:00:00.000000Z'")
    (problem,) = sealed.verify().problems
    assert f"request:{request_id}" in problem
