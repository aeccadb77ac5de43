"""Destruction: what is due goes, whatever forbids it wins, and nothing of it comes back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ApprovalError, KeyDestroyedError
from pipeline.core.retention import Order, Verdict
from pipeline.vault.decisions import Decisions
from pipeline.vault.destroy import Destroyer, plan_digest
from pipeline.vault.events import Events
from pipeline.vault.floors import Floors
from pipeline.vault.holds import Holds
from pipeline.vault.marks import Marks
from pipeline.vault.orders import Orders
from pipeline.vault.tables_keeping import account_link, involved
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, agreed, bound, change, entries, hold_on, last, release, row
from tests.unit.vault.conftest import CANARIES, Place
from tests.unit.vault.sweeps import (
    LATER,
    REASON,
    bytes_under,
    destructions,
    key_states,
    let_tick,
    plan,
    sealed_in,
    sweep,
)
from tests.unit.vault.test_disclose import OPEN


def record(vault: Vault, incident_id: str, event: str) -> None:
    revision = int(str(row(vault, incident_id)["revision"]))
    Events(vault.parts).record(incident_id, event, NOW, "R-1", revision=revision, floors=(), by=BY)


def test_what_is_due_goes_with_its_keys_its_files_and_its_names(vault: Vault, place: Place) -> None:
    (gone,) = sealed_in(vault, 0, "nudity")
    before = vault.incident(gone)
    done = sweep(vault, gone)
    assert (done.destroyed, done.skipped, done.pause) == ((gone,), (), "")
    assert key_states(vault, gone) == {"destroyed"}
    assert destructions(vault, gone) == [("counterpart", "CE_INCIDENT"), ("subject", "CE_INCIDENT")]
    assert place.files() == [] and len(done.files) == 1
    after = vault.incident(gone)
    assert (after.custody, after.session, after.participant, after.findings) == ("purged", "erased", "erased", ())
    assert {r.content_mac for r in after.records} == {"erased"}
    assert (after.recording_id, after.stream, after.category, after.span) == (
        before.recording_id, before.stream, before.category, before.span
    )  # fmt: skip
    with vault.parts.catalog.read() as tx:
        assert set(tx.execute(select(involved.c.person)).scalars()) == {"erased"}
        assert tx.execute(select(account_link)).all() == []
    for r in before.records:
        with pytest.raises(KeyDestroyedError):
            vault.open_evidence(r.record_id, **OPEN)  # type: ignore[arg-type]
    found = vault.verify()
    assert (found.problems, found.destroyed) == ((), len(before.records))


def test_nothing_of_it_is_left_in_the_clear_or_to_be_matched(vault: Vault, place: Place) -> None:
    """I3: canaries in pictures, accounts, sessions and notes, and the pseudonyms that stood for them."""
    (gone,) = sealed_in(vault, 0, "nudity")
    was, named = vault.incident(gone), row(vault, gone)
    with vault.parts.catalog.read() as tx:
        index = tx.execute(select(account_link.c.account_index)).scalars().first()
    Decisions(vault.parts).decide(
        gone,
        revision=was.revision,
        outcome=Review.UPHELD,
        category="nudity",
        severity=Severity.HIGH,
        retention_class="POLICY_VIOLATION",
        note="CANARY-NOTE-" + "n" * 32,
        floors=(),
        by=BY,
        person_id="p-ada",
    )
    marks = [str(named["session"]), str(named["participant"]), str(index), was.findings[0].score_bucket]
    marks += [r.content_mac for r in was.records]
    assert sweep(vault, gone).destroyed == (gone,)
    kept = bytes_under(place.root)
    assert any(path.name == "catalog.db" for path in kept)
    for canary in (*CANARIES, b"CANARY-NOTE-", *(m.encode() for m in marks)):
        assert [path.name for path, body in kept.items() if canary in body] == [], canary


def test_a_sweep_that_is_run_twice_is_run_once(vault: Vault) -> None:
    """R10, I10: the same plan again destroys nothing and writes down no second destruction."""
    (gone,) = sealed_in(vault, 0, "nudity")
    same = plan(vault, gone)
    assert sweep(vault, of=same).destroyed == (gone,)
    again = sweep(vault, of=same)
    assert (again.destroyed, again.skipped) == ((), ((gone, "its keys were destroyed before"),))
    assert len(destructions(vault, gone)) == 2
    assert [v for v, s, _ in entries(vault) if s == f"incident:{gone}" and v == "incident.destroy"] == [
        "incident.destroy"
    ]


def test_every_destruction_was_announced_in_the_chain_before_a_key_went(vault: Vault) -> None:
    (gone,) = sealed_in(vault, 0, "nudity")
    start = last(vault)
    sweep(vault, gone)
    told = [(v, r) for v, s, r in entries(vault, start) if s == f"incident:{gone}"]
    assert told == [("incident.claim", REASON), ("incident.destroy", REASON), ("incident.purge", "")]


@pytest.mark.parametrize("confidential", [False, True])
def test_what_is_held_stays_although_it_was_planned(vault: Vault, confidential: bool) -> None:
    """I6: and nobody who reads of it learns what keeps it."""
    (kept,) = sealed_in(vault, 0, "nudity")
    hold_on(vault, [kept], until=None, confidential=confidential)
    done = sweep(vault, kept)
    assert (done.destroyed, done.skipped) == ((), ((kept, "something keeps it"),))
    assert key_states(vault, kept) == {"alive"}


def test_with_two_holds_of_which_one_is_released_it_is_still_held(vault: Vault) -> None:
    """R18: holds are unioned."""
    (kept,) = sealed_in(vault, 0, "nudity")
    one, other = hold_on(vault, [kept], until=None), hold_on(vault, [kept], until=None)
    release(vault, one)
    assert sweep(vault, kept).destroyed == ()
    release(vault, other, name="a-2")
    assert sweep(vault, kept).destroyed == (kept,)


def test_a_hold_that_ran_out_keeps_nothing_and_a_renewed_one_does(vault: Vault) -> None:
    short, renewed = sealed_in(vault, 0, "nudity", "drugs")
    hold_on(vault, [short], until=LATER)
    held = hold_on(vault, [renewed], until=LATER - DAY)
    Holds(vault.parts).renew(held, LATER + DAY, reference="R-2", by=BY)
    done = sweep(vault, short, renewed)
    assert (done.destroyed, done.skipped) == ((short,), ((renewed, "something keeps it"),))


def test_what_changed_since_it_was_planned_waits_for_another_plan(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    old = plan(vault, kept)
    change(vault, kept)
    assert sweep(vault, of=old).skipped == ((kept, "it was changed since it was planned: plan anew"),)


@pytest.mark.parametrize("review", ["open", "under_review"])
def test_what_nobody_decided_on_goes_only_if_plan_and_sweep_allow_it(vault: Vault, review: str) -> None:
    """I16: the REVIEW hold; a severe one never goes unreviewed."""
    common, severe = sealed_in(vault, 0, "nudity", "weapon")
    for incident_id in (common, severe):
        change(vault, incident_id, review=review)
    change(vault, severe, severity=4)
    reason = "nobody has decided on it"
    assert dict(sweep(vault, common, severe).skipped) == {common: reason, severe: reason}
    let_tick(vault)
    marked = plan(vault, common, severe, unreviewed=True)
    refused = Destroyer(vault.parts).carry_out(marked, now=LATER, actor=BY, allow_unreviewed=False)
    assert refused.destroyed == ()
    done = sweep(vault, common, severe, unreviewed=True)
    assert (done.destroyed, done.unreviewed, done.skipped) == ((common,), 1, ((severe, reason),))


@pytest.mark.parametrize("opens", ["suspected_minor", "escalated"])
def test_a_report_that_is_outstanding_keeps_it_until_the_receipt(vault: Vault, opens: str) -> None:
    """I16: the REPORT hold."""
    (kept,) = sealed_in(vault, 0, "nudity")
    record(vault, kept, opens)
    ((_, why),) = sweep(vault, kept).skipped
    assert "a report on it is outstanding" in why
    record(vault, kept, "ncmec_submitted")
    record(vault, kept, opens)
    assert sweep(vault, kept).destroyed == ()
    record(vault, kept, "nca_reported")
    assert sweep(vault, kept).destroyed == (kept,)


def test_what_was_upheld_as_severe_waits_for_a_receipt_too(vault: Vault) -> None:
    """I16."""
    (kept,) = sealed_in(vault, 0, "weapon")
    change(vault, kept, severity=4)
    assert sweep(vault, kept).destroyed == ()
    record(vault, kept, "ncmec_submitted")
    assert sweep(vault, kept).destroyed == (kept,)


def test_an_open_appeal_keeps_it_until_the_answer(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    record(vault, kept, "appeal_received")
    assert sweep(vault, kept).skipped == ((kept, "an appeal is open: it waits for the answer"),)
    record(vault, kept, "appeal_decided")
    assert sweep(vault, kept).destroyed == (kept,)


def test_a_floor_keeps_it_unless_an_order_to_destroy_waives_it(vault: Vault) -> None:
    """I1: an order to destroy waives floors and never holds; a person's request waives nothing."""
    asked, ordered, held = sealed_in(vault, 0, "nudity", "drugs", "weapon")
    for incident_id in (asked, ordered, held):
        Floors(vault.parts).write_down(incident_id, [bound(days=500)], by=BY)
    hold_on(vault, [held], until=None)
    orders = Orders(vault.parts)
    orders.add([asked], Order.ERASURE, NOW, "accepted", "r-1", by=BY)
    said = {"incidents": sorted([ordered, held]), "authority": "FBI", "reference": "L-1"}
    orders.add([ordered, held], Order.DESTROY, NOW, "FBI", "L-1", by=BY, approval=agreed("order.destroy", said))
    done = sweep(vault, asked, ordered, held)
    until = (NOW + 500 * DAY).date()
    assert done.destroyed == (ordered,)
    assert dict(done.skipped) == {asked: f"it has to stay until {until}", held: "something keeps it"}


def test_nothing_goes_while_destruction_is_paused(vault: Vault) -> None:
    """R16: after a restore it is paused until two people confirmed the holds."""
    (due,) = sealed_in(vault, 0, "nudity")
    pause = Marks(vault.parts).pause("restored from a backup", by=BY)
    done = sweep(vault, due)
    assert done.destroyed == () and "restored from a backup" in done.pause and key_states(vault, due) == {"alive"}
    Marks(vault.parts).end_pause(pause, approval=agreed("restore.accept", {"pause": pause}), by=BY)
    assert sweep(vault, due).destroyed == (due,)


def test_nothing_goes_at_a_time_that_no_accepted_tick_reaches(vault: Vault) -> None:
    """I11: time that is not known destroys nothing."""
    (due,) = sealed_in(vault, 0, "nudity")
    done = Destroyer(vault.parts).carry_out(plan(vault, due), now=LATER, actor=BY, allow_unreviewed=False)
    assert (done.destroyed, done.skipped) == ((), ()) and "let the clock tick first" in done.pause


def test_an_approval_is_for_exactly_the_incidents_that_go(vault: Vault) -> None:
    one, other = sealed_in(vault, 0, "nudity", "drugs")
    let_tick(vault)
    said = {"plan": plan_digest([one]), "count": 1}
    destroyer, approval = Destroyer(vault.parts), agreed("sweep.large", said)

    def carry_out(*incidents: str) -> tuple[str, ...]:
        going = plan(vault, *incidents)
        return destroyer.carry_out(going, now=LATER, actor=BY, allow_unreviewed=False, approval=approval).destroyed

    with pytest.raises(ApprovalError, match="other parameters"):
        carry_out(one, other)
    assert key_states(vault, one) == {"alive"}
    assert carry_out(one) == (one,)
    with pytest.raises(ApprovalError, match="used before"):
        carry_out(one)


def test_a_sweep_is_written_down_with_its_counts(vault: Vault) -> None:
    gone, held, clash, kept = sealed_in(vault, 0, "nudity", "drugs", "weapon", "other")
    verdicts = {gone: Verdict.DESTROY, held: Verdict.HELD, clash: Verdict.CONFLICT, kept: Verdict.KEEP}
    done = sweep(vault, of=[d for i, v in verdicts.items() for d in plan(vault, i, verdict=v)])
    assert (done.destroyed, done.held, done.conflicts, done.kept) == ((gone,), 1, 1, 1)
    assert Destroyer(vault.parts).destroyed_since(NOW) == 1 and Destroyer(vault.parts).destroyed_since(LATER) == 0
    assert vault.verify().problems == ()
