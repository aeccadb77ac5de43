"""The rule files that were in force, the last one is; the body is text that this package never reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from pipeline.core.approval import Approval
from pipeline.core.errors import TransitionError
from pipeline.vault.approved import spend
from pipeline.vault.audit import Act
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables_keeping import rule_set


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A rule file as it was taken: its name, its text, and the sha256 hex of that text."""

    number: int
    sha256: str
    name: str
    body: str
    taken_at: str
    approval_id: str


class RuleSets:
    """The rule files of one vault."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def current(self) -> RuleSet | None:
        """The rules in force; None if none were ever taken."""
        with self._parts.catalog.read() as tx:
            return _current(tx)

    def history(self) -> tuple[RuleSet, ...]:
        """All that were ever in force, first to last."""
        with self._parts.catalog.read() as tx:
            rows = tx.execute(select(rule_set).order_by(rule_set.c.number)).mappings()
            return tuple(RuleSet(**row) for row in rows)

    def take_first(self, name: str, body: str, *, by: str) -> RuleSet:
        """Take the first rules; if some are in force already, those are the answer and stay."""
        with self._parts.journal.act(by) as act:
            return _current(act.tx) or _take(act, name, body, "")

    def change(self, name: str, body: str, *, approval: Approval, by: str) -> RuleSet:
        """Two people put other rules in force (act rules.change, {sha256, name, body}).

        Raises TransitionError if these are in force already or none ever were.
        """
        with self._parts.journal.act(by) as act:
            held, sha256 = _current(act.tx), _sha256(body)
            if held is None:
                raise TransitionError("no rules are in force yet: the configured file is taken first, without approval")
            if held.sha256 == sha256:
                raise TransitionError(f"rules {name} are in force already: there is nothing to change")
            spend(act, approval, "rules.change", {"sha256": sha256, "name": name, "body": body})
            return _take(act, name, body, approval.approval_id)


def _current(tx: Connection) -> RuleSet | None:
    row = tx.execute(select(rule_set).order_by(rule_set.c.number.desc()).limit(1)).mappings().first()
    return RuleSet(**row) if row else None


def _take(act: Act, name: str, body: str, approval_id: str) -> RuleSet:
    row = {"sha256": _sha256(body), "name": name, "body": body, "taken_at": act.at, "approval_id": approval_id}
    number = act.tx.execute(insert(rule_set).returning(rule_set.c.number), row).scalar_one()
    subject = f"rules:{number}"
    act.record("rules.take", subject, reason=row["sha256"], after=state_of(act.tx, subject))
    return RuleSet(number=number, **row)


def _sha256(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
