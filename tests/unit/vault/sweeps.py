"""What tests of destruction need: a clock that ticked, plans, and evidence of which nothing is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from pipeline.core.errors import KeyDestroyedError
from pipeline.core.retention import Disposition, Verdict
from pipeline.vault.destroy import Destroyer, Swept
from pipeline.vault.marks import Marks
from pipeline.vault.tables_keeping import destruction
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, change, keys_of, row
from tests.unit.vault.conftest import drafts, incident, recording, seal_one, span

LATER = NOW + 400 * DAY
"""A day on which everything here is due."""

REASON = "it is due since 2027-06-01 and goes with a coming sweep unless something keeps it"
_FAR = timedelta(days=10_000)


def let_tick(vault: Vault, now: datetime = LATER) -> None:
    assert Marks(vault.parts).tick(now, max_backward=timedelta(minutes=5), max_forward=_FAR) == ""


def plan(
    vault: Vault, *incidents: str, unreviewed: bool = False, verdict: Verdict = Verdict.DESTROY
) -> list[Disposition]:
    """What retention would say of incidents as they are now."""
    return [
        Disposition(
            incident_id=i,
            revision=int(str(row(vault, i)["revision"])),
            verdict=verdict,
            reason=REASON,
            due_at=NOW,
            unreviewed=unreviewed,
        )
        for i in incidents
    ]


def sweep(vault: Vault, *incidents: str, of: Sequence[Disposition] = (), unreviewed: bool = False) -> Swept:
    """A sweep on the day LATER of these incidents, or of the plan `of`."""
    let_tick(vault)
    going = of or plan(vault, *incidents, unreviewed=unreviewed)
    return Destroyer(vault.parts).carry_out(going, now=LATER, actor=BY, allow_unreviewed=unreviewed)


def sealed_in(vault: Vault, number: int, *categories: str) -> tuple[str, ...]:
    """Upheld incidents in one file of a recording of their own."""
    of, at = recording(number), span(1, 2)
    pairs = [(incident(of, at, category=category), drafts(at)) for category in categories]
    ids = seal_one(vault, of, pairs, conclusion=f"sweep-{number}")
    for incident_id in ids:
        change(vault, incident_id, review="upheld", decided_at="2026-11-22T12:30:00.000000Z")
    return ids


def key_states(vault: Vault, incident_id: str) -> set[str]:
    """Of the incident's keys: "alive" or "destroyed", each once."""
    return {state_of_key(vault, key_id) for key_id in keys_of(vault, incident_id).values()}


def state_of_key(vault: Vault, key_id: str) -> str:
    try:
        return "alive" if vault.parts.keys.exists(key_id) else "missing"
    except KeyDestroyedError:
        return "destroyed"


def destructions(vault: Vault, incident_id: str) -> list[tuple[str, str]]:
    """(party, method) of each key's end on record."""
    d = destruction
    with vault.parts.catalog.read() as tx:
        rows = tx.execute(select(d).where(d.c.incident_id == incident_id).order_by(d.c.party))
        return [(r.party, r.method) for r in rows]


def bytes_under(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
