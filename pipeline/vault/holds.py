"""Holds: orders and expectations that forbid destruction while they are active; many per incident.

What a hold is about lies sealed, and who may not know of a confidential one finds nothing of it in entries either.
Refuses to know who may place one, and which incidents an order means.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import TransitionError, WatchkeepError
from pipeline.vault.approved import spend
from pipeline.vault.audit import Act
from pipeline.vault.hidden import hidden
from pipeline.vault.hold_words import unwrap_words, wrap_words
from pipeline.vault.marks import clock_mark
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables_keeping import hold, hold_change, hold_item
from pipeline.vault.touch import batches, prove_alive, still_there, touch

RELEASE = "hold.release"
RELEASE_CONFIDENTIAL = "hold.release_confidential"
ATTEST = "attest"
"""The change by which somebody said that a hold without an end is still needed."""
"""The act that two people have to approve."""

SEALED_ACT = "sealed.act"
"""The verb of every entry about a confidential hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChange:
    """A renewal ("renew") to `until`, or the release ("release"): why, by which reference, and who wrote it down."""

    what: str
    until: datetime | None
    reference: str
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A hold with its words opened; `until` is None until it is released. `scope` holds JSON values."""

    hold_id: str
    kind: str
    authority: str
    reference: str
    reason: str
    scope: Mapping[str, object]
    starts_at: datetime
    until: datetime | None
    confidential: bool
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    release_approval: str
    incidents: tuple[str, ...] = field(repr=False)
    changes: tuple[HoldChange, ...] = ()

    def active(self, now: datetime) -> bool:
        """True until it was released or has run out; an order that begins later protects from its receipt on."""
        return self.released_at is None and (self.until is None or now < self.until)


class Holds:
    """Placing, renewing and releasing holds; each in one transaction with what it changes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def place(  # noqa: PLR0913
        self,
        incidents: Sequence[str],
        *,
        kind: str,
        authority: str,
        reference: str,
        reason: str,
        starts_at: datetime,
        until: datetime | None,
        confidential: bool,
        by: str,
        placed_by: str,
        scope: Mapping[str, object] | None = None,
    ) -> str:
        """Place a hold and return its id; `placed_by` is a person's id, `scope` says in JSON values what was asked for.

        Every key of every incident is proved to be alive first. Raises KeyDestroyedError that names what is gone,
        WatchkeepError for an unknown incident or a hold that would have ended before; nothing is placed then.
        """
        hold_id = secrets.token_hex(16)
        words = {"kind": kind, "authority": authority, "reference": reference, "reason": reason, "scope": scope or {}}
        with self._parts.journal.act(by) as act:
            if until is not None and until <= max(starts_at, trusted(act.tx, act.at)):
                raise WatchkeepError(f"a hold until {utc_text(until)} would protect nothing: give a later end")
            row = {
                "hold_id": hold_id,
                "starts_at": utc_text(starts_at),
                "until": _text(until),
                "confidential": confidential,
                "details": wrap_words(act.tx, self._parts.keys, words),
                "placed_at": act.at,
                "placed_by": placed_by,
                "released_at": "",
                "release_approval": "",
            }
            act.tx.execute(insert(hold), row)
            self._protect(act, hold_id, incidents, sealed=confidential, verb="hold.place")
        return hold_id

    def attach(self, hold_id: str, incidents: Sequence[str], *, by: str) -> None:
        """Put more incidents under a hold; those that it keeps already change nothing.

        Raises as `place`, and TransitionError for a hold that has ended.
        """
        with self._parts.journal.act(by) as act:
            row = active_hold(act.tx, hold_id, act.at)
            kept = set(act.tx.execute(select(hold_item.c.incident_id).where(hold_item.c.hold_id == hold_id)).scalars())
            if more := [i for i in incidents if i not in kept]:
                self._protect(act, hold_id, more, sealed=row.confidential, verb="hold.attach")

    def renew(self, hold_id: str, until: datetime | None, *, reference: str, by: str, reason: str = "") -> None:
        """Move the end of an active hold to a later time (None: until it is released); attest one that has no end.

        Raises TransitionError for one that has ended, and for a time that is not later; KeyDestroyedError if anything
        under it is gone.
        """
        with self._parts.journal.act(by) as act:
            row = active_hold(act.tx, hold_id, act.at)
            attested = row.until == "" and until is None
            if not attested and (row.until == "" or (until is not None and utc_text(until) <= row.until)):
                end = row.until or "its release"
                raise TransitionError(f"hold {hold_id} lasts until {end}: it can only be renewed to a later time")
            incidents = items(act.tx, hold_id)
            prove_alive(act.tx, self._parts.keys, incidents)
            if not attested:
                act.tx.execute(update(hold).where(hold.c.hold_id == hold_id).values(until=_text(until)))
            what = ATTEST if attested else "renew"
            self._change(act, hold_id, what, _text(until), {"reference": reference, "reason": reason}, by)
            _entries(act, hold_id, incidents, "hold.renew", sealed=row.confidential)

    def release(self, hold_id: str, *, approval: Approval, reason: str, by: str) -> tuple[str, ...]:
        """End a hold by agreement of two people (act "hold.release" {hold, reason}, or RELEASE_CONFIDENTIAL).

        Raises ApprovalError, and TransitionError for one that was released before.
        """
        with self._parts.journal.act(by) as act:
            row = _row(act.tx, hold_id)
            if row.released_at:
                raise TransitionError(f"hold {hold_id} was released at {row.released_at}")
            name = RELEASE_CONFIDENTIAL if row.confidential else RELEASE
            spend(act, approval, name, {"hold": hold_id, "reason": reason})
            ended = {"released_at": act.at, "release_approval": approval.approval_id}
            act.tx.execute(update(hold).where(hold.c.hold_id == hold_id).values(ended))
            self._change(act, hold_id, "release", row.until, {"reference": approval.approval_id, "reason": reason}, by)
            incidents = items(act.tx, hold_id)
            there = still_there(act.tx, incidents)  # one that ran out before its release may have kept nothing since
            _entries(act, hold_id, there, RELEASE, sealed=row.confidential, recall=False)
        return tuple(incidents)

    def all(self, *, legal: bool) -> tuple[HoldView, ...]:
        """All holds in the order in which they were placed; without `legal` no confidential one."""
        with self._parts.catalog.read() as tx:
            return self._views(tx, None, legal=legal)

    def of(self, incident_id: str, *, legal: bool) -> tuple[HoldView, ...]:
        """The holds of one incident, ended ones included, in order; without `legal` no confidential one."""
        with self._parts.catalog.read() as tx:
            return self._views(tx, incident_id, legal=legal)

    def remark(self, hold_id: str, reason: str, *, by: str) -> None:
        """Why its release is asked, sealed: of a confidential hold that stands nowhere else."""
        with self._parts.journal.act(by) as act:
            row = _row(act.tx, hold_id)  # one that ran out is released, too
            if row.released_at:
                raise TransitionError(f"hold {hold_id} was released at {row.released_at}")
            self._change(act, hold_id, "ask", row.until, {"reference": "", "reason": reason}, by)
            hold_entry(act, hold_id, "hold.remark", sealed=row.confidential)

    def hidden(self) -> frozenset[str]:
        """Incidents whose being there tells of a confidential hold: preserved, and under no other one."""
        with self._parts.catalog.read() as tx:
            return frozenset(tx.execute(hidden()).scalars())

    def _protect(self, act: Act, hold_id: str, incidents: Sequence[str], *, sealed: bool, verb: str) -> None:
        prove_alive(act.tx, self._parts.keys, incidents)
        for ids in batches(incidents):
            act.tx.execute(insert(hold_item), [{"hold_id": hold_id, "incident_id": i} for i in ids])
        _entries(act, hold_id, incidents, verb, sealed=sealed)

    def _change(self, act: Act, hold_id: str, what: str, until: str, words: Mapping[str, object], by: str) -> None:
        details = wrap_words(act.tx, self._parts.keys, words)
        row = {"hold_id": hold_id, "what": what, "until": until, "details": details, "at": act.at, "by": by}
        act.tx.execute(insert(hold_change), row)

    def _views(self, tx: Connection, incident_id: str | None, *, legal: bool) -> tuple[HoldView, ...]:
        query = select(hold).order_by(hold.c.number)
        if not legal:
            query = query.where(~hold.c.confidential)
        if incident_id is not None:
            query = query.where(
                hold.c.hold_id.in_(select(hold_item.c.hold_id).where(hold_item.c.incident_id == incident_id))
            )
        return tuple(self._view(tx, row) for row in tx.execute(query).all())

    def _view(self, tx: Connection, row: Any) -> HoldView:
        words = unwrap_words(self._parts.keys, row.details)
        changes = select(hold_change).where(hold_change.c.hold_id == row.hold_id).order_by(hold_change.c.number)
        return HoldView(
            hold_id=row.hold_id,
            kind=words["kind"],
            authority=words["authority"],
            reference=words["reference"],
            reason=words["reason"],
            scope=words["scope"],
            starts_at=utc_parse(row.starts_at),
            until=_time(row.until),
            confidential=row.confidential,
            placed_at=utc_parse(row.placed_at),
            placed_by=row.placed_by,
            released_at=_time(row.released_at),
            release_approval=row.release_approval,
            incidents=tuple(items(tx, row.hold_id)),
            changes=tuple(self._changed(change) for change in tx.execute(changes)),
        )

    def _changed(self, row: Any) -> HoldChange:
        words = unwrap_words(self._parts.keys, row.details)
        return HoldChange(
            what=row.what,
            until=_time(row.until),
            reference=words["reference"],
            reason=words["reason"],
            at=utc_parse(row.at),
            by=row.by,
        )


def active_hold(tx: Connection, hold_id: str, at: str) -> Any:
    """The row of a hold that is active at `at`; TransitionError if it has ended, WatchkeepError if there is none."""
    row = _row(tx, hold_id)
    if row.released_at or (row.until and utc_parse(row.until) <= trusted(tx, at)):
        raise TransitionError(f"hold {hold_id} ended at {row.released_at or row.until}: place a new one")
    return row


def trusted(tx: Connection, at: str) -> datetime:
    """`at`, but never before the clock's mark: with that time the sweep compares the ends of holds."""
    return max(utc_parse(at), clock_mark(tx))


def items(tx: Connection, hold_id: str) -> list[str]:
    """The incidents under a hold, by id."""
    query = select(hold_item.c.incident_id).where(hold_item.c.hold_id == hold_id)
    return list(tx.execute(query.order_by(hold_item.c.incident_id)).scalars())


def hold_entry(act: Act, hold_id: str, verb: str, *, sealed: bool) -> None:
    """The entry of the hold's own row; of a confidential one it says no more than that something was done."""
    subject = f"{'sealed' if sealed else 'hold'}:{hold_id}"
    act.record(SEALED_ACT if sealed else verb, subject, after=state_of(act.tx, subject))


def _entries(act: Act, hold_id: str, incidents: Sequence[str], verb: str, *, sealed: bool, recall: bool = True) -> None:
    hold_entry(act, hold_id, verb, sealed=sealed)
    touch(act, incidents, SEALED_ACT if sealed else verb, reason="" if sealed else hold_id, recall=recall)


def _row(tx: Connection, hold_id: str) -> Any:
    row = tx.execute(select(hold).where(hold.c.hold_id == hold_id)).first()
    if row is None:
        raise WatchkeepError(f"there is no hold {hold_id}: see watchkeep hold list")
    return row


def _text(at: datetime | None) -> str:
    return "" if at is None else utc_text(at)


def _time(text: str) -> datetime | None:
    return utc_parse(text) if text else None
