"""The clock's mark and the pauses of destruction.

Trusted time never falls behind the last accepted tick; the vault's creation counts as the first one. A clock that went
back, or far ahead, pauses destruction until two people say that it is right. Evidence comes in whatever the clock says.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import TransitionError
from pipeline.vault.approved import spend
from pipeline.vault.audit import SYSTEM, Act
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables import audit_event
from pipeline.vault.tables_keeping import pause, tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Destruction is paused since `at` (UTC text) for `reason`."""

    pause_id: str
    reason: str
    at: str


class Marks:
    """The clock's ticks and the pauses of one vault."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def tick(self, now: datetime, *, max_backward: timedelta, max_forward: timedelta, by: str = SYSTEM) -> str:
        """Write down what the clock says; "" if it is accepted, else why destruction pauses."""
        with self._parts.journal.act(by) as act:
            last, mark = _last(act.tx), clock_mark(act.tx)
            refused = _refusal(now, mark, max_backward, max_forward)
            at = now if refused else max(now, mark)
            if last is not None and (last.reason, last.at) == (refused, utc_text(at)):
                return refused  # it says what it said before
            if refused or last is None or not last.accepted or at > mark:
                _write(act, at, accepted=not refused, reason=refused)
            return refused

    def accept(self, approval: Approval, *, by: str) -> None:
        """Two people found that the clock is right now (act clock.accept, {at_day}); it is the mark from now on."""
        with self._parts.journal.act(by) as act:
            spend(act, approval, "clock.accept", {"at_day": act.at[:10]})
            _write(act, utc_parse(act.at), accepted=True, reason=f"accepted with approval {approval.approval_id}")

    def now(self, wall: datetime) -> datetime:
        """Trusted time: `wall`, but never before the mark."""
        with self._parts.catalog.read() as tx:
            return max(wall, clock_mark(tx))

    def pause(self, reason: str, *, by: str) -> str:
        """Destroy nothing from now on; the id of the pause."""
        pause_id = secrets.token_hex(8)
        with self._parts.journal.act(by) as act:
            row = {"pause_id": pause_id, "reason": reason, "at": act.at, "ended_at": "", "approval_id": ""}
            act.tx.execute(insert(pause), row)
            subject = f"pause:{pause_id}"
            act.record("sweep.pause", subject, reason=reason, after=state_of(act.tx, subject))
        return pause_id

    def end_pause(self, pause_id: str, *, approval: Approval, by: str) -> None:
        """Two people found that destruction may go on (act restore.accept, {pause}).

        Raises TransitionError if there is no such open pause.
        """
        with self._parts.journal.act(by) as act:
            spend(act, approval, "restore.accept", {"pause": pause_id})
            change = update(pause).where(pause.c.pause_id == pause_id, pause.c.ended_at == "")
            if not act.tx.execute(change.values(ended_at=act.at, approval_id=approval.approval_id)).rowcount:
                raise TransitionError(f"there is no open pause {pause_id}: see watchkeep sweep")
            subject = f"pause:{pause_id}"
            act.record("sweep.resume", subject, reason=approval.approval_id, after=state_of(act.tx, subject))

    def refused(self) -> str:
        """Why the clock's last tick was not accepted, or ""."""
        with self._parts.catalog.read() as tx:
            last = _last(tx)
            return str(last.reason) if last is not None and not last.accepted else ""

    def open_pauses(self) -> tuple[Pause, ...]:
        """Pauses that nobody ended, in the order in which they began."""
        with self._parts.catalog.read() as tx:
            return open_pauses(tx)


def open_pauses(tx: Connection) -> tuple[Pause, ...]:
    """As `Marks.open_pauses`."""
    query = select(pause.c.pause_id, pause.c.reason, pause.c.at).where(pause.c.ended_at == "")
    return tuple(Pause(**row) for row in tx.execute(query.order_by(pause.c.at, pause.c.pause_id)).mappings())


def clock_mark(tx: Connection) -> datetime:
    """The time of the last accepted tick, or of the vault's creation."""
    query = select(tick.c.at).where(tick.c.accepted).order_by(tick.c.number.desc()).limit(1)
    at = tx.execute(query).scalar() or tx.execute(select(audit_event.c.at).where(audit_event.c.sequence == 1)).scalar()
    return utc_parse(str(at))


def why_paused(tx: Connection, now: datetime) -> str:
    """Why nothing may be destroyed at the trusted time `now`, in one sentence, or ""."""
    for one in open_pauses(tx):
        return f"destruction is paused since {one.at} ({one.reason}): end pause {one.pause_id} with two people"
    last = _last(tx)
    if last is not None and not last.accepted:
        return str(last.reason)
    if now > clock_mark(tx):
        return f"no accepted tick of the clock reaches {utc_text(now)}: let the clock tick first"
    return ""


def _last(tx: Connection) -> Any:
    return tx.execute(select(tick).order_by(tick.c.number.desc()).limit(1)).first()


def _refusal(now: datetime, mark: datetime, max_backward: timedelta, max_forward: timedelta) -> str:
    what = ""
    if now < mark - max_backward:
        what = f"went back to {utc_text(now)}, before its mark {utc_text(mark)}"
    elif now > mark + max_forward:
        what = f"says {utc_text(now)}, too far ahead of its mark {utc_text(mark)}"
    return what and f"the clock {what}: set it right, or have two people accept it (clock.accept)"


def _write(act: Act, at: datetime, *, accepted: bool, reason: str) -> None:
    row = {"at": utc_text(at), "accepted": accepted, "reason": reason}
    number = act.tx.execute(insert(tick).returning(tick.c.number), row).scalar_one()
    subject = f"tick:{number}"
    act.record("clock.accept" if accepted else "clock.refuse", subject, reason=reason, after=state_of(act.tx, subject))
