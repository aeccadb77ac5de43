"""What tests of keeping need: approvals, floors, holds, and incidents that are claimed or gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from pipeline.core.approval import Approval, Params, params_digest
from pipeline.core.retention import Bound
from pipeline.vault import tables
from pipeline.vault.holds import Holds
from pipeline.vault.states import state_of
from pipeline.vault.tables_keeping import destruction
from pipeline.vault.vault import Vault

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""A little before everything that the tests' clock says."""

DAY = timedelta(days=1)
BY = "person:ada(p-ada)"


def agreed(act: str, params: Params, *, approvers: Sequence[str] = ("p-eve", "p-bob"), name: str = "a-1") -> Approval:
    """An approval that Ada asked for."""
    return Approval(
        approval_id=name,
        act=act,
        digest=params_digest(act, params),
        requested_by="p-ada",
        approved_by=tuple(approvers),
        requested_at=NOW - DAY,
        expires_at=NOW + DAY,
    )


def bound(rule: str = "US_2258A_H", days: float = 365, started: datetime = NOW) -> Bound:
    return Bound(
        rule=rule, until=started + days * DAY, trigger="ncmec_submitted", trigger_at=started, cite="18 USC 2258A(h)(1)"
    )


def hold_on(
    vault: Vault,
    incidents: Sequence[str],
    *,
    until: datetime | None = NOW + 90 * DAY,
    confidential: bool = False,
    reference: str = "canary-reference",
) -> str:
    return Holds(vault.parts).place(
        incidents,
        kind="US_2703F",
        authority="canary-authority",
        reference=reference,
        reason="canary-reason",
        starts_at=NOW,
        until=until,
        confidential=confidential,
        scope={"account": "canary-scope"},
        by=BY,
        placed_by="p-ada",
    )


def release(vault: Vault, hold_id: str, name: str = "a-1") -> tuple[str, ...]:
    confidential = next(h.confidential for h in Holds(vault.parts).all(legal=True) if h.hold_id == hold_id)
    act = "hold.release_confidential" if confidential else "hold.release"
    approval = agreed(act, {"hold": hold_id, "reason": "canary-settled"}, name=name)
    return Holds(vault.parts).release(hold_id, approval=approval, reason="canary-settled", by=BY)


def change(vault: Vault, incident_id: str, **values: object) -> None:
    """Change an incident's row as an act of somebody else does."""
    with vault.parts.journal.act("os:eve(1001)") as act:
        i = tables.incident
        raised = {"revision": i.c.revision + 1, **values}
        act.tx.execute(update(i).where(i.c.incident_id == incident_id).values(raised))
        act.record("test.change", f"incident:{incident_id}", after=state_of(act.tx, f"incident:{incident_id}"))


def claim(vault: Vault, incident_id: str) -> None:
    """The sweep's first step."""
    change(vault, incident_id, custody="deleting")


def keys_of(vault: Vault, incident_id: str) -> dict[str, str]:
    k = tables.key_ref
    with vault.parts.catalog.read() as tx:
        return {r.party: r.key_id for r in tx.execute(select(k).where(k.c.owner == incident_id))}


def destroy(vault: Vault, incident_id: str, *parties: str) -> None:
    """The sweep's second step; only `parties` if some are named, and then the incident stays."""
    keys = keys_of(vault, incident_id)
    going = parties or tuple(keys)
    if not parties:
        claim(vault, incident_id)
    with vault.parts.journal.act("os:eve(1001)") as act:
        for party in going:
            vault.parts.keys.destroy(keys[party])
            row = {"key_id": keys[party], "incident_id": incident_id, "party": party, "at": act.at}
            row |= {"method": "CE", "reason": "test", "actor": "os:eve(1001)"}
            act.tx.execute(insert(destruction), row)
        act.record("test.destroy", f"incident:{incident_id}", after=state_of(act.tx, f"incident:{incident_id}"))
    if not parties:
        change(vault, incident_id, custody="key_destroyed")


def row(vault: Vault, incident_id: str) -> dict[str, object]:
    i = tables.incident
    with vault.parts.catalog.read() as tx:
        return dict(tx.execute(select(i).where(i.c.incident_id == incident_id)).mappings().one())


def entries(vault: Vault, after: int = 0) -> list[tuple[str, str, str]]:
    """(verb, subject, reason) of the entries beyond `after`."""
    a = tables.audit_event
    with vault.parts.catalog.read() as tx:
        rows = tx.execute(select(a).where(a.c.sequence > after).order_by(a.c.sequence))
        return [(r.verb, r.subject, r.reason) for r in rows]


def last(vault: Vault) -> int:
    """The number of the last entry."""
    a = tables.audit_event
    with vault.parts.catalog.read() as tx:
        return int(tx.execute(select(a.c.sequence).order_by(a.c.sequence.desc()).limit(1)).scalar_one())
