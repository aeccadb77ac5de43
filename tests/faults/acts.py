"""The acts that are made to fail, each on a copy of one vault, and what has to be true after any failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.core.errors import KeyDestroyedError
from pipeline.vault.destroy import Destroyer
from pipeline.vault.holds import Holds
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, hold_on, row
from tests.unit.vault.conftest import Place, drafts, incident, recording, seal_one, span
from tests.unit.vault.sweeps import LATER, key_states, let_tick, plan, sealed_in
from tests.unit.vault.test_disclose import OPEN
from tests.unit.vault.test_preserve import preserve

SEALED = "nth-write"
"""The conclusion that the act `seal` makes."""


def make(root: Path) -> None:
    """Two incidents that are due, one of which shares its file with a held one; a letter that waits for its copies."""
    with Place(root).open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        _, held = sealed_in(vault, 0, "nudity", "drugs")
        sealed_in(vault, 1, "weapon")
        sealed_in(vault, 2, "violence")
        hold_on(vault, [held], until=None)
        hold_on(vault, [], until=None, reference="letter")
        let_tick(vault)


def of(vault: Vault, category: str) -> str:
    return next(v.incident_id for v in vault.incidents() if v.category == category)


def letter(vault: Vault) -> str:
    return next(h.hold_id for h in Holds(vault.parts).all(legal=True) if h.reference == "letter")


def _seal(vault: Vault) -> None:
    new = recording(7)
    seal_one(vault, new, [(incident(new, span(1, 2)), drafts(span(1, 2)))], conclusion=SEALED)


def _hold(vault: Vault) -> None:
    hold_on(vault, [of(vault, "violence")], until=None, reference="new")


def _sweep(vault: Vault) -> None:
    going = plan(vault, of(vault, "nudity"), of(vault, "drugs"), of(vault, "weapon"))
    Destroyer(vault.parts).carry_out(going, now=LATER, actor=BY, allow_unreviewed=False)


def _preserve(vault: Vault) -> None:
    preserve(vault, letter(vault), number=8)


ACTS: dict[str, Callable[[Vault], None]] = {"seal": _seal, "hold": _hold, "sweep": _sweep, "preserve": _preserve}


def look(place: Place, act: str, *, done: bool) -> str:
    """What the failed act left, once the vault was opened anew and mended; `done` if the act said that it was done.

    "all" or "nothing"; an AssertionError for anything between, and for anything that is lost.
    """
    with place.open() as vault:
        Destroyer(vault.parts).resume(actor=BY)
        vault.remove_orphans()
        found = vault.verify()
        assert found.problems == () and not vault.orphans()
        for category in ("drugs", "violence"):
            assert _opened(vault, of(vault, category)) == 5, category
        holds = {h.reference: h for h in Holds(vault.parts).all(legal=True)}
        assert holds["canary-reference"].incidents == (of(vault, "drugs"),)
        left = _LOOKS[act](vault)
        assert left == "all" or not done, act
        vault.begin_run("run-2", "os:ada(1000)")  # and the next act goes through
        (more,) = seal_one(vault, (other := recording(9)), [(incident(other, span(1, 2)), drafts(span(1, 2)))],
                           conclusion="after", run="run-2")  # fmt: skip
        assert _opened(vault, more) == 5
        return left


def _opened(vault: Vault, incident_id: str) -> int:
    records = vault.incident(incident_id).records
    return sum(vault.open_evidence(r.record_id, **OPEN) is not None for r in records)  # type: ignore[arg-type]


def _looked_seal(vault: Vault) -> str:
    ids = vault.concluded(SEALED)
    there = [v for v in vault.incidents() if v.recording_id == recording(7).recording_id]
    assert len(there) == (ids is not None)
    if ids is None:
        return "nothing"
    assert ids == (there[0].incident_id,) and _opened(vault, ids[0]) == 5
    return "all"


def _looked_hold(vault: Vault) -> str:
    placed = [h for h in Holds(vault.parts).all(legal=True) if h.reference == "new"]
    if not placed:
        return "nothing"
    (hold,) = placed
    target = of(vault, "violence")
    assert hold.incidents == (target,)
    kept = Destroyer(vault.parts).carry_out(plan(vault, target), now=LATER, actor=BY, allow_unreviewed=False)
    assert kept.destroyed == () and key_states(vault, target) == {"alive"}
    return "all"


def _looked_sweep(vault: Vault) -> str:
    states = set()
    for category in ("nudity", "weapon"):
        gone = of(vault, category)
        custody, keys = row(vault, gone)["custody"], key_states(vault, gone)
        assert (custody == "active", keys) in ((True, {"alive"}), (False, {"destroyed"})), (category, custody, keys)
        states.add(custody == "active")
        if custody == "active":
            assert _opened(vault, gone) == 5
        else:
            for record in vault.incident(gone).records:
                try:
                    vault.open_evidence(record.record_id, **OPEN)  # type: ignore[arg-type]
                except KeyDestroyedError:
                    continue
                raise AssertionError(f"{category} was opened")
    _sweep(vault)
    assert {row(vault, of(vault, c))["custody"] for c in ("nudity", "weapon")} <= {"key_destroyed", "purged"}
    assert row(vault, of(vault, "weapon"))["custody"] == "purged"
    assert vault.verify().problems == ()
    return "nothing" if True in states else "all"


def _looked_preserve(vault: Vault) -> str:
    hold = next(h for h in Holds(vault.parts).all(legal=True) if h.reference == "letter")
    if not hold.incidents:
        return "nothing"
    (kept,) = hold.incidents
    assert len(vault.incident(kept).records) == 5 and key_states(vault, kept) == {"alive"}
    gone = Destroyer(vault.parts).carry_out(plan(vault, kept), now=LATER, actor=BY, allow_unreviewed=False)
    assert gone.destroyed == ()
    return "all"


_LOOKS: dict[str, Callable[[Vault], str]] = {
    "seal": _looked_seal,
    "hold": _looked_hold,
    "sweep": _looked_sweep,
    "preserve": _looked_preserve,
}
