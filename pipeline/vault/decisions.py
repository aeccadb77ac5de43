"""Decisions: what people judged an incident to be; a later one stands in place of the earlier, and all are kept.

A note lies under a key of the incident and goes with its evidence. Refuses to know which class follows from a category.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_parse
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ApprovalError, IntegrityError, KeyDestroyedError, TransitionError
from pipeline.core.evidence import Party
from pipeline.core.retention import Bound
from pipeline.vault.approved import spend
from pipeline.vault.audit import Act
from pipeline.vault.floors import add_floors, floor_at
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables import finding, key_ref
from pipeline.vault.tables_keeping import decision
from pipeline.vault.touch import one, prove_alive, touch

DISMISS_SEVERE = "decide.dismiss_severe"
"""The act to which a second person has to agree."""

OUTCOMES = (Review.UPHELD, Review.DISMISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """A decision; `note` is "" and `erased` true once the key it lay under was destroyed. Persons are ids."""

    decision_id: str
    incident_id: str
    outcome: Review
    category: str
    severity: Severity
    retention_class: str
    note: str = field(repr=False)
    erased: bool
    decided_by: str
    second: str
    decided_at: datetime
    revision: int


class Decisions:
    """Deciding, and what was decided."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def decide(  # noqa: PLR0913
        self,
        incident_id: str,
        *,
        revision: int,
        outcome: Review,
        category: str,
        severity: Severity,
        retention_class: str,
        note: str,
        floors: Sequence[Bound],
        by: str,
        person_id: str,
        second: Approval | None = None,
        sealed_note: str = "",
    ) -> str:
        """Write a decision down with its floors; its id. What was restricted stays restricted.

        Making less of what is severe, or was ever found or judged so, takes a `second` person (act DISMISS_SEVERE
        {incident, revision, outcome, category, note}); the note is then the `sealed_note` that they agreed to. Raises
        ApprovalError; TransitionError if the incident is not at `revision` any more, or was kept by order and not for
        what it shows; KeyDestroyedError if nothing is left of it.
        """
        if outcome not in OUTCOMES:
            raise TransitionError(f"a decision is upheld or dismissed, not {outcome.value}")
        decision_id = secrets.token_hex(16)
        with self._parts.journal.act(by) as act:
            row = one(act.tx, incident_id, revision)
            if row.review == Review.NOT_NEEDED.value:
                raise TransitionError(f"incident {incident_id} was kept by order: there is nothing to decide")
            prove_alive(act.tx, self._parts.keys, [incident_id])
            if second is not None:
                _agree(act, second, row, outcome, category, sealed_note)
            elif (outcome is Review.DISMISSED or severity < Severity.SEVERE) and _severe(act.tx, row):
                raise ApprovalError(
                    f"incident {incident_id} is severe: a second person has to agree to make less of it"
                )
            seal = (self._sealed, sealed_note) if sealed_note else (self._wrapped, note)
            judged = {"category": category, "severity": int(severity), "retention_class": retention_class}
            act.tx.execute(
                insert(decision),
                {
                    "decision_id": decision_id,
                    "incident_id": incident_id,
                    "outcome": outcome.value,
                    **judged,
                    "revision": revision + 1,
                    "note": seal[0](act, incident_id, seal[1]),
                    "decided_by": person_id,
                    "second": _others(second, person_id),
                    "decided_at": act.at,
                },
            )
            add_floors(act, incident_id, floors)
            subject = f"decision:{decision_id}"
            act.record("decision.make", subject, reason=outcome.value, after=state_of(act.tx, subject))
            left = {"review": outcome.value, "decided_at": act.at, "floor_at": floor_at(act.tx, incident_id)}
            touch(act, [incident_id], "decision.make", reason=outcome.value, values={**judged, **left})
        return decision_id

    def severe(self, incident_id: str) -> bool:
        """True if it is severe, or was ever found or judged so."""
        with self._parts.catalog.read() as tx:
            return _severe(tx, one(tx, incident_id))

    def seal_note(self, incident_id: str, note: str, *, by: str) -> str:
        """A note under the incident's own key, in hex: what a request for a decision may hold in the meantime."""
        with self._parts.journal.act(by) as act:
            return self._wrapped(act, incident_id, note).hex()

    def open_note(self, incident_id: str, sealed: str) -> str:
        """What `seal_note` sealed, for who has to agree to it; KeyDestroyedError once the key is gone."""
        with self._parts.catalog.read() as tx:
            keys = _keys_of(tx, incident_id)
        party, _, wrapped = bytes.fromhex(sealed).partition(b"\0")
        return self._parts.keys.unwrap(keys[party.decode()], wrapped).decode("utf-8", "surrogatepass")

    def of(self, incident_id: str) -> tuple[DecisionView, ...]:
        """The decisions on one incident, first to last; the last one is in force."""
        with self._parts.catalog.read() as tx:
            rows = tx.execute(select(decision).where(decision.c.incident_id == incident_id)).all()
            keys = _keys_of(tx, incident_id)
        return tuple(self._view(row, keys) for row in sorted(rows, key=lambda row: row.revision))

    def _wrapped(self, act: Act, incident_id: str, note: str) -> bytes:
        """The note under the subject's key (the counterpart's if the subject was erased alone), which it names."""
        body = note.encode("utf-8", "surrogatepass")
        keys = _keys_of(act.tx, incident_id)
        if not keys:
            # Nothing was ever sealed for it. A key made in this transaction is nobody's orphan in between.
            keys = {Party.SUBJECT.value: f"incident-{secrets.token_hex(16)}"}
            self._parts.keys.create(keys[Party.SUBJECT.value])
            row = {"key_id": keys[Party.SUBJECT.value], "owner": incident_id, "party": Party.SUBJECT.value}
            act.tx.execute(insert(key_ref), row)
            subject = f"incident:{incident_id}"
            act.record("incident.key", subject, after=state_of(act.tx, subject))
        for party in sorted(keys, reverse=True):
            try:
                return party.encode() + b"\0" + self._parts.keys.wrap(keys[party], body)
            except KeyDestroyedError:  # that party was erased by itself
                continue
        raise KeyDestroyedError(f"the evidence of incident {incident_id} was destroyed: nothing was decided")

    def _sealed(self, act: Act, incident_id: str, sealed_note: str) -> bytes:
        """What `seal_note` made of a note of this very incident; TransitionError for anything else."""
        note = bytes.fromhex(sealed_note)
        try:
            self._opened(note, _keys_of(act.tx, incident_id))
        except (IntegrityError, KeyDestroyedError) as error:
            raise TransitionError(f"the note is none that was sealed for incident {incident_id}: ask anew") from error
        return note

    def _opened(self, note: bytes, keys: Mapping[str, str]) -> str:
        party, _, wrapped = note.partition(b"\0")
        return self._parts.keys.unwrap(keys[party.decode()], wrapped).decode("utf-8", "surrogatepass")

    def _view(self, row: Any, keys: Mapping[str, str]) -> DecisionView:
        try:
            note, erased = self._opened(bytes(row.note), keys), False
        except KeyDestroyedError:
            note, erased = "", True
        return DecisionView(
            decision_id=row.decision_id,
            incident_id=row.incident_id,
            outcome=Review(row.outcome),
            category=row.category,
            severity=Severity(row.severity),
            retention_class=row.retention_class,
            note=note,
            erased=erased,
            decided_by=row.decided_by,
            second=row.second,
            decided_at=utc_parse(row.decided_at),
            revision=row.revision,
        )


def _agree(act: Act, second: Approval, row: Any, outcome: Review, category: str, note: str) -> None:
    said: dict[str, str | int | list[str]] = {
        "incident": row.incident_id, "revision": row.revision, "outcome": outcome.value, "category": category,
        "note": note,
    }  # fmt: skip
    spend(act, second, DISMISS_SEVERE, said, approvers=1)


def _keys_of(tx: Connection, incident_id: str) -> dict[str, str]:
    rows = tx.execute(select(key_ref.c.party, key_ref.c.key_id).where(key_ref.c.owner == incident_id))
    return {row.party: row.key_id for row in rows}


def _severe(tx: Connection, row: Any) -> bool:
    """True if it is severe now, was found as something severe, or was judged so once."""
    of_it = (finding.c.incident_id == row.incident_id, decision.c.incident_id == row.incident_id)
    found = select(func.max(finding.c.severity)).where(of_it[0])
    judged = select(func.max(decision.c.severity)).where(of_it[1])
    gravest = max(row.severity, tx.execute(found).scalar() or 0, tx.execute(judged).scalar() or 0)
    return bool(gravest >= Severity.SEVERE)


def _others(second: Approval | None, person_id: str) -> str:
    return "" if second is None else " ".join(sorted({second.requested_by, *second.approved_by} - {person_id}))
