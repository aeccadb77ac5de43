"""Decisions: what people judged an incident to be; a later one stands in place of the earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.decision import Review, Severity
from pipeline.core.retention import Bound
from pipeline.vault.parts import Parts


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
    ) -> str:
        """Write a decision down; its id. Dismissing what is severe takes the act "decide.dismiss_severe"."""
        raise NotImplementedError

    def of(self, incident_id: str) -> tuple[DecisionView, ...]:
        """The decisions on one incident, first to last."""
        raise NotImplementedError
