"""What is due and kept is restricted, conflicts are rows, and one party can be erased alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.core.errors import DisclosureError, HeldError, KeyDestroyedError, TransitionError
from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition, Verdict
from pipeline.vault.destroy import Destroyer
from pipeline.vault.floors import Floors
from pipeline.vault.tables_keeping import conflict, involved
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, bound, change, hold_on, row
from tests.unit.vault.sweeps import destructions, key_states, let_tick, plan, sealed_in, sweep
from tests.unit.vault.test_disclose import OPEN


def clash(vault: Vault, incident_id: str, floor: str = "US_2258A_H", ceiling: str = "EU_NIICS_12M") -> Disposition:
    (d,) = plan(vault, incident_id, verdict=Verdict.CONFLICT)
    return replace(d, floors=(bound(floor, 400),), ceilings=(bound("LATER", 500), bound(ceiling, 300)))


def conflicts(vault: Vault, incident_id: str) -> list[tuple[str, str, bool]]:
    with vault.parts.catalog.read() as tx:
        rows = tx.execute(select(conflict).where(conflict.c.incident_id == incident_id).order_by(conflict.c.number))
        return [(r.floor_rule, r.ceiling_rule, r.ended_at == "") for r in rows]


def test_what_is_due_and_held_is_restricted_once(vault: Vault) -> None:
    (held,) = sealed_in(vault, 0, "nudity")
    destroyer = Destroyer(vault.parts)
    assert destroyer.apply_verdicts(plan(vault, held, verdict=Verdict.HELD), actor=BY).restricted == (held,)
    revision = row(vault, held)["revision"]
    assert destroyer.apply_verdicts(plan(vault, held, verdict=Verdict.HELD), actor=BY).restricted == ()
    assert (row(vault, held)["restricted"], row(vault, held)["revision"]) == (True, revision)
    with pytest.raises(DisclosureError, match="is restricted"):
        vault.open_evidence(vault.incident(held).records[0].record_id, **OPEN)  # type: ignore[arg-type]
    assert vault.verify().problems == ()


def test_what_is_kept_or_goes_is_not_restricted(vault: Vault) -> None:
    one, other = sealed_in(vault, 0, "nudity", "drugs")
    going = plan(vault, one) + plan(vault, other, verdict=Verdict.KEEP)
    assert not any(Destroyer(vault.parts).apply_verdicts(going, actor=BY).restricted)


def test_a_floor_above_a_ceiling_is_an_open_conflict_with_restricted_access(vault: Vault) -> None:
    """I15: visible until it is settled; the keep side wins."""
    (kept,) = sealed_in(vault, 0, "nudity")
    destroyer = Destroyer(vault.parts)
    done = destroyer.apply_verdicts([clash(vault, kept)], actor=BY)
    assert (done.opened, done.ended, done.restricted) == ((kept,), (), (kept,))
    assert conflicts(vault, kept) == [("US_2258A_H", "EU_NIICS_12M", True)] and row(vault, kept)["restricted"]
    assert destroyer.apply_verdicts([clash(vault, kept)], actor=BY).opened == ()
    done = destroyer.apply_verdicts([clash(vault, kept, floor="UK_OSA_R8")], actor=BY)
    assert (done.opened, done.ended) == ((kept,), (kept,))
    assert conflicts(vault, kept)[1:] == [("UK_OSA_R8", "EU_NIICS_12M", True)]
    assert destroyer.apply_verdicts([], actor=BY).ended == (kept,)
    assert not any(is_open for *_, is_open in conflicts(vault, kept)) and row(vault, kept)["restricted"]
    assert vault.verify().problems == ()


def test_a_verdict_on_what_changed_since_restricts_nothing_and_ends_no_conflict(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    destroyer = Destroyer(vault.parts)
    destroyer.apply_verdicts([clash(vault, kept)], actor=BY)
    old = clash(vault, kept, floor="UK_OSA_R8")
    change(vault, kept)
    done = destroyer.apply_verdicts([old], actor=BY)
    assert not any((done.restricted, done.opened, done.ended))
    assert conflicts(vault, kept) == [("US_2258A_H", "EU_NIICS_12M", True)]


def test_the_counterpart_is_erased_and_the_subject_stays_open(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    let_tick(vault)
    destroyer = Destroyer(vault.parts)
    for _ in range(2):
        destroyer.erase_party(kept, Party.COUNTERPART, reason="request r-1", by=BY)
    assert destructions(vault, kept) == [("counterpart", "CE_PARTY")] and key_states(vault, kept) == {
        "alive", "destroyed"
    }  # fmt: skip
    for r in vault.incident(kept).records:
        if r.party is Party.COUNTERPART:
            assert r.content_mac == "erased"
            with pytest.raises(KeyDestroyedError):
                vault.open_evidence(r.record_id, **OPEN)  # type: ignore[arg-type]
        else:
            assert vault.open_evidence(r.record_id, **OPEN) is not None  # type: ignore[arg-type]
    assert row(vault, kept)["custody"] == "active" and vault.verify().problems == ()
    with vault.parts.catalog.read() as tx:
        people = {r.party: r.person for r in tx.execute(select(involved))}
    assert people["counterpart"] == "erased" != people["subject"]
    hold_on(vault, [kept], until=None)  # what is left can still be held
    assert Destroyer(vault.parts).resume(actor=BY).destroyed == ()


def test_what_keeps_an_incident_keeps_both_parties_of_it(vault: Vault) -> None:
    held, floored, undecided = sealed_in(vault, 0, "nudity", "drugs", "weapon")
    let_tick(vault)
    hold_on(vault, [held], until=None)
    Floors(vault.parts).write_down(floored, [bound(days=500)], by=BY)
    change(vault, undecided, review="open")
    refusals = {
        held: (HeldError, "something keeps it"),
        floored: (TransitionError, "it has to stay until"),
        undecided: (TransitionError, "nobody has decided"),
    }
    for incident_id, (error, words) in refusals.items():
        with pytest.raises(error, match=words):
            Destroyer(vault.parts).erase_party(incident_id, Party.COUNTERPART, reason="r", by=BY)
        assert key_states(vault, incident_id) == {"alive"}
    with pytest.raises(TransitionError, match="goes with its subject"):
        Destroyer(vault.parts).erase_party(held, Party.SUBJECT, reason="r", by=BY)


def test_a_party_is_erased_at_the_clocks_mark_and_not_before(vault: Vault) -> None:
    """I11: before the clock ticked, no floor has passed."""
    (kept,) = sealed_in(vault, 0, "nudity")
    Floors(vault.parts).write_down(kept, [bound(days=1)], by=BY)
    with pytest.raises(TransitionError, match="it has to stay until"):
        Destroyer(vault.parts).erase_party(kept, Party.COUNTERPART, reason="r", by=BY)
    let_tick(vault)
    Destroyer(vault.parts).erase_party(kept, Party.COUNTERPART, reason="r", by=BY)
    assert destructions(vault, kept) == [("counterpart", "CE_PARTY")]


def test_an_incident_that_was_erased_in_part_goes_whole_later(vault: Vault) -> None:
    (gone,) = sealed_in(vault, 0, "nudity")
    let_tick(vault)
    Destroyer(vault.parts).erase_party(gone, Party.COUNTERPART, reason="r", by=BY)
    assert sweep(vault, gone).destroyed == (gone,)
    assert destructions(vault, gone) == [("counterpart", "CE_PARTY"), ("subject", "CE_INCIDENT")]
    assert vault.verify().problems == ()
