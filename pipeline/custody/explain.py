"""Why an incident is still here, until when, or why and when it went: facts gathered for the words of retention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.core.clock import utc_parse
from pipeline.core.person import Person, Role
from pipeline.core.retention import Case, Hold
from pipeline.custody.desk import Desk
from pipeline.retention import words
from pipeline.retention.words import Answered, Gone
from pipeline.vault.destroyed import destroyed_keys
from pipeline.vault.holds import Holds
from pipeline.vault.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Sentences, and what they come down to as this reader may know it."""

    words: tuple[str, ...]
    verdict: str
    due_at: datetime | None


def explain(desk: Desk, incident_id: str, *, by: Person | None) -> Explanation:
    """Explain one incident; nothing of a confidential hold to people without the legal role."""
    now, legal = desk.now(), sees_all(by)
    case = words.seen(_with_orders(desk, desk.case(incident_id), legal=legal), legal=legal)
    view = desk.vault.incident(incident_id)
    judged = desk.judge(case, now)
    said = words.explain(
        case,
        desk.rules,
        now,
        production=desk.production,
        legal=legal,
        promoted=desk.promotion(case),
        parties=tuple(dict.fromkeys(r.party.value for r in view.records)),
        gone=tuple(_gone(desk, incident_id)),
        answers=tuple(_answers(desk, incident_id)),
    )
    return Explanation(words=said, verdict=judged.verdict.value, due_at=judged.due_at)


def sees_all(by: Person | None) -> bool:
    """True if this person may see confidential holds."""
    return by is not None and Role.LEGAL in by.roles


def _with_orders(desk: Desk, case: Case, *, legal: bool) -> Case:
    """The case with the words of those holds that the reader may see."""
    views = {v.hold_id: v for v in Holds(desk.parts).of(case.incident_id, legal=legal)}

    def worded(hold: Hold) -> Hold:
        view = views.get(hold.hold_id)
        return replace(hold, kind=view.kind, authority=view.authority, reference=view.reference) if view else hold

    return replace(case, holds=tuple(worded(h) for h in case.holds))


def _gone(desk: Desk, incident_id: str) -> Iterator[Gone]:
    with desk.parts.catalog.read() as tx:
        for key in destroyed_keys(tx, incident_id):
            yield Gone(party=key.party, at=utc_parse(key.at), reason=key.reason, actor=key.actor)


def _answers(desk: Desk, incident_id: str) -> Iterator[Answered]:
    for request in Requests(desk.parts).all():
        for item in request.items:
            if item.incident_id == incident_id:
                yield Answered(
                    kind=request.kind, party=item.party.value, at=item.at, outcome=item.outcome, ground=item.ground
                )
