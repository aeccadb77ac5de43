"""Destruction: the machine ACTIVE -> DELETING -> KEY_DESTROYED -> PURGED, in batches.

What is planned is checked again with the catalog's own rows, when it is claimed and when its keys go, under the
catalog's write lock. The claim and its audit entry are committed before a key goes; the key store's ledger is the last
word on what is gone. Refuses to know the rules that made the plan.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_text
from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition, Verdict
from pipeline.vault.approved import spend
from pipeline.vault.claims import Claims
from pipeline.vault.disk import locked
from pipeline.vault.marks import why_paused
from pipeline.vault.parts import Parts
from pipeline.vault.party import erase_party
from pipeline.vault.purge import Purge
from pipeline.vault.reconcile import Resumed, resume
from pipeline.vault.renewal import renew_if_owed
from pipeline.vault.scrub import OF_INCIDENT
from pipeline.vault.states import batched, state_of
from pipeline.vault.tables_keeping import destruction, sweep
from pipeline.vault.verdicts import Applied, apply_verdicts

LARGE = "sweep.large"
"""The act that two people have to approve before more goes at once than the rules allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did. `skipped` are (incident, why); `files` are names; `pause` says why it stopped, or is ""."""

    sweep_id: str
    destroyed: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    unreviewed: int = 0
    held: int = 0
    conflicts: int = 0
    kept: int = 0
    pause: str = ""


class Destroyer:
    """Carries plans out on one vault; one at a time, whatever the number of processes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def carry_out(
        self,
        plan: Iterable[Disposition],
        *,
        now: datetime,
        actor: str,
        allow_unreviewed: bool,
        approval: Approval | None = None,
        kept: int = 0,
        stopped: str = "",
    ) -> Swept:
        """Destroy what the plan says, where the catalog still agrees at the trusted time `now`; the rest is counted.

        An `approval` (act sweep.large, {plan: `plan_digest` of the incidents to go, count}) is spent first. Nothing
        goes while destruction is paused or no accepted tick of the clock reaches `now`. Call `resume` before planning.
        `kept` counts what is merely kept and not in the plan; `stopped` says why this plan is only written down.
        Raises IntegrityError for a catalog that is behind its signed head, SealError for one that cannot be written.
        """
        counts: Counter[Verdict] = Counter()
        with self._alone(actor):
            going = _going(plan, counts)
            claims = Claims(self._parts, now=now, actor=actor, allow_unreviewed=allow_unreviewed)
            claims.pause = stopped or self._why_paused(now)
            if approval is not None and not claims.pause:
                going = iter(self._agreed(list(going), approval, actor))
            for batch in batched(going):
                if not claims.pause:
                    claims.carry_out(batch)
            files = Purge(self._parts, actor).after(claims.destroyed)
            swept = Swept(
                sweep_id=secrets.token_hex(8),
                destroyed=tuple(claims.destroyed),
                skipped=tuple(claims.skipped),
                files=files,
                unreviewed=claims.unreviewed,
                held=counts[Verdict.HELD],
                conflicts=counts[Verdict.CONFLICT],
                kept=kept + counts[Verdict.KEEP],
                pause=claims.pause,
            )
            self._write_down(swept, actor)
            self._finish(actor)
        return swept

    def resume(self, *, actor: str) -> Resumed:
        """Finish what a crash, or an old catalog or vault, left: what the key store says is destroyed is destroyed.

        A claim whose keys live is given back. Doing it twice is doing it once.
        """
        with self._alone(actor):
            done = resume(self._parts, actor=actor)
            self._finish(actor)
        return done

    def erase_party(self, incident_id: str, party: Party, *, reason: str, by: str) -> None:
        """Destroy the counterpart's key alone; the incident stays. Doing it twice is doing it once.

        Raises HeldError while the incident is held, TransitionError while anything else keeps it, and for the subject,
        whose evidence goes with the incident. The living keys are renewed by the next sweep.
        """
        with self._alone(by):
            erase_party(self._parts, incident_id, party, reason=reason, by=by)

    def apply_verdicts(self, plan: Iterable[Disposition], *, actor: str) -> Applied:
        """Restrict what is HELD or in CONFLICT, open the rows of conflicts, and end those that `plan` names no more.

        `plan` holds all that is HELD or in CONFLICT; what was changed since it was judged waits for the next plan.
        """
        return apply_verdicts(self._parts, plan, actor=actor)

    def destroyed_since(self, at: datetime) -> int:
        """How many incidents were destroyed from `at` on."""
        d = destruction
        query = select(func.count(d.c.incident_id.distinct())).where(d.c.at >= utc_text(at), d.c.method == OF_INCIDENT)
        with self._parts.catalog.read() as tx:
            return tx.execute(query).scalar_one()

    @contextmanager
    def _alone(self, actor: str) -> Iterator[None]:
        with locked(self._parts.catalog.path.with_name("sweep.lock")):
            with self._parts.journal.act(actor):
                pass  # raises for a copy of the catalog that lags behind, and for one that cannot be written
            yield

    def _why_paused(self, now: datetime) -> str:
        with self._parts.catalog.read() as tx:
            return why_paused(tx, now)

    def _agreed(self, going: list[Disposition], approval: Approval, actor: str) -> list[Disposition]:
        digest = plan_digest(d.incident_id for d in going)
        with self._parts.journal.act(actor) as act:
            spend(act, approval, LARGE, {"plan": digest, "count": len(going)})
            act.record("sweep.agreed", "vault", reason=approval.approval_id)
        return going

    def _write_down(self, swept: Swept, actor: str) -> None:
        subject, counted = f"sweep:{swept.sweep_id}", ("sweep_id", "unreviewed", "held", "conflicts", "kept", "pause")
        with self._parts.journal.act(actor) as act:
            row = {name: getattr(swept, name) for name in counted}
            row |= {"at": act.at, "actor": actor, "destroyed": len(swept.destroyed)}
            act.tx.execute(insert(sweep), row)
            act.record("sweep", subject, reason=swept.pause, after=state_of(act.tx, subject))

    def _finish(self, actor: str) -> None:
        renew_if_owed(self._parts, actor)
        self._parts.catalog.empty_log()


def plan_digest(incidents: Iterable[str]) -> str:
    """sha256 hex over the sorted incident ids: what two people approve of a large sweep."""
    return hashlib.sha256("\n".join(sorted(incidents)).encode()).hexdigest()


def _going(plan: Iterable[Disposition], counts: Counter[Verdict]) -> Iterator[Disposition]:
    for d in plan:
        counts[d.verdict] += 1
        if d.verdict is Verdict.DESTROY:
            yield d
