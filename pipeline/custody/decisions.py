"""A person's decision on an incident: upheld or dismissed, and the class that follows from the category."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.approval import Params
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ConfigError, TransitionError
from pipeline.core.person import Person, Role
from pipeline.core.retention import Case
from pipeline.custody.desk import Agreed, Desk
from pipeline.custody.events import new_floors
from pipeline.retention import engine
from pipeline.vault.decisions import Decisions

DISMISS_SEVERE = "decide.dismiss_severe"
OUTCOMES = (Review.UPHELD, Review.DISMISSED)


def second_needed(desk: Desk, incident_id: str, outcome: Review, category: str) -> Params | None:
    """What a second person has to agree to before this decision counts, None if one person is enough.

    Dismissing what is severe, or was found as something severe, starts a short clock: no single person does that.
    """
    case = desk.case(incident_id)
    grave = max(case.severity, desk.categories[case.category].severity if case.category in desk.categories else 0)
    if outcome is Review.DISMISSED and grave >= Severity.SEVERE:
        return {"incident": incident_id, "revision": case.revision, "category": category}
    return None


def decide(
    desk: Desk,
    incident_id: str,
    *,
    outcome: Review,
    category: str,
    note: str,
    by: Person,
    agreed: Agreed | None = None,
) -> str:
    """Write a decision down with the class and floors that follow; its id.

    A later decision stands in place of the earlier one (an appeal). Raises PermissionRefused, ConfigError for an
    unknown category, ApprovalError where a second person has to agree, TransitionError if it changed meanwhile.
    """
    case = desk.case(incident_id)
    allow(desk, case, category, by)
    if outcome not in OUTCOMES:
        raise ConfigError(f"a decision is {' or '.join(o.value for o in OUTCOMES)}, not {outcome.value}")
    judged = desk.categories[category]
    chosen = engine.class_of(outcome, judged.retention_class, case.jurisdiction, desk.rules)
    decided = replace(
        case, review=outcome, category=category, severity=judged.severity, retention_class=chosen, decided_at=desk.now()
    )
    return Decisions(desk.parts).decide(
        incident_id,
        revision=case.revision,
        outcome=outcome,
        category=category,
        severity=judged.severity,
        retention_class=chosen,
        note=note,
        floors=new_floors(desk, decided),
        by=by.actor,
        person_id=by.person_id,
        second=agreed.approval if agreed else None,
    )


def allow(desk: Desk, case: Case, category: str, by: Person) -> None:
    """Raises ConfigError, PermissionRefused or TransitionError unless `by` may decide this case as `category`."""
    if category not in desk.categories:
        raise ConfigError(f"there is no category {category!r}: it is one of {', '.join(sorted(desk.categories))}")
    if case.review is Review.NOT_NEEDED:
        raise TransitionError(f"incident {case.incident_id} was kept by order: there is nothing to decide")
    if max(case.severity, desk.categories[category].severity) >= Severity.SEVERE:
        by.need("decide a severe class", Role.SEVERE_REVIEWER)
    else:
        by.need("decide an incident", Role.REVIEWER, Role.SEVERE_REVIEWER, Role.LEAD)
