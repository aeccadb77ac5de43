"""A person's decision on an incident: upheld or dismissed, and the class that follows from the category."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.core.approval import Approval, Params
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ConfigError, TransitionError
from pipeline.core.person import Person, Role
from pipeline.core.retention import Case
from pipeline.custody.desk import Agreed, Desk
from pipeline.custody.events import new_floors
from pipeline.retention import engine
from pipeline.retention.keepers import unreported
from pipeline.vault.decisions import Decisions

DISMISS_SEVERE = "decide.dismiss_severe"
OUTCOMES = (Review.UPHELD, Review.DISMISSED)


def second_needed(
    desk: Desk, incident_id: str, outcome: Review, *, category: str, note: str, by: Person
) -> Params | None:
    """What a second person has to agree to before this decision counts, None if one person is enough.

    Making less of what is severe, or was ever found or judged so, starts a shorter clock: no single person does that.
    The note waits under the incident's own key.
    """
    decisions = Decisions(desk.parts)
    less = outcome is Review.DISMISSED or desk.categories[category].severity < Severity.SEVERE
    if not less or not decisions.severe(incident_id):
        return None
    revision = desk.case(incident_id).revision
    sealed = decisions.seal_note(incident_id, note, by=by.actor)
    said = {"outcome": outcome.value, "category": category, "note": sealed}
    return {"incident": incident_id, "revision": revision, **said}


def keeps_report(desk: Desk, case: Case, outcome: Review, category: str) -> None:
    """Raises TransitionError if upholding the case as something less grave would end the wait for a report."""
    lesser = replace(case, review=outcome, severity=desk.categories[category].severity)
    if outcome is Review.UPHELD and unreported(case) and not unreported(lesser):
        raise TransitionError(
            f"a report on incident {case.incident_id} is outstanding: file it, or let two people close it (watchkeep "
            "event close-report), before it is judged to be less grave"
        )


def make_less(desk: Desk, params: Params, agreed: Agreed) -> str:
    """The decision that a second person agreed to: on the incident exactly as it was then."""
    case, outcome, category = (
        desk.case(str(params["incident"])),
        Review(str(params["outcome"])),
        str(params["category"]),
    )
    keeps_report(desk, case, outcome, category)
    said = _Said(
        revision=int(str(params["revision"])),
        by=agreed.by.actor,
        person_id=agreed.approval.requested_by,
        second=agreed.approval,
        sealed_note=str(params["note"]),
    )
    return _decide(desk, case, outcome, category, said)


def decide(
    desk: Desk,
    incident_id: str,
    *,
    outcome: Review,
    category: str,
    note: str,
    by: Person,
) -> str:
    """Write a decision down with the class and floors that follow; its id.

    A later decision stands in place of the earlier one (an appeal). Raises PermissionRefused, ConfigError for a
    category that is none, ApprovalError where a second person has to agree, TransitionError if it changed meanwhile.
    """
    case = desk.case(incident_id)
    allow(desk, case, category, by)
    if outcome not in OUTCOMES:
        raise ConfigError(f"a decision is {' or '.join(o.value for o in OUTCOMES)}, not {outcome.value}")
    said = _Said(revision=case.revision, note=note, by=by.actor, person_id=by.person_id)
    return _decide(desk, case, outcome, category, said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Who decided, of which revision, and in which words: in the clear, or sealed when they were agreed to."""

    revision: int
    note: str = ""
    by: str
    person_id: str
    second: Approval | None = None
    sealed_note: str = ""


def _decide(desk: Desk, case: Case, outcome: Review, category: str, said: _Said) -> str:
    judged = desk.categories[category]
    chosen = engine.class_of(outcome, judged.retention_class, case.jurisdiction, desk.rules)
    decided = replace(
        case, review=outcome, category=category, severity=judged.severity, retention_class=chosen, decided_at=desk.now()
    )
    return Decisions(desk.parts).decide(
        case.incident_id,
        revision=said.revision,
        outcome=outcome,
        category=category,
        severity=judged.severity,
        retention_class=chosen,
        note=said.note,
        floors=new_floors(desk, decided),
        by=said.by,
        person_id=said.person_id,
        second=said.second,
        sealed_note=said.sealed_note,
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
