"""The attach rule: which incident of the catalog a newly folded one is.

One of the same recording, stream (a composite picture has one for each person in it) and category that overlaps within
the merge gap is the same incident: it gains findings and a revision, is never doubled and never re-opened. Pure but for
the query that reads what stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from pipeline.core.decision import Action, Custody, Incident, Review, Severity
from pipeline.core.media import Span
from pipeline.vault import tables
from pipeline.vault.catalog_rows import DETECTED

STRENGTH = tuple(Action)
"""Actions, weakest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An incident as the catalog holds it."""

    incident_id: str
    stream: str
    """The stream's pseudonym."""
    category: str
    """What it was found as; what people made of it since is no reason to find it again."""
    severity: Severity
    action: Action
    span: Span
    review: Review
    custody: Custody
    revision: int = field(compare=False)
    """It moves with holds and events, too, which are no reason to conclude again."""
    erased: bool = False
    """True if its subject's key was destroyed, whatever the catalog says: an old catalog may not know."""

    @property
    def gone(self) -> bool:
        """True if its evidence is being, or was, destroyed: nothing is added to it any more."""
        return self.erased or self.custody is not Custody.ACTIVE

    @property
    def closed(self) -> bool:
        """True if a person decided, or it is gone: no evidence is sealed and no judgement is touched."""
        return self.gone or self.review in (Review.UPHELD, Review.DISMISSED)


def standings(tx: Connection, recording_id: str) -> tuple[Standing, ...]:
    """The incidents that scans found in a recording, in order of media time; what was preserved is none."""
    t = tables.incident
    found = (t.c.recording_id == recording_id, t.c.origin == DETECTED)
    query = select(t).where(*found).order_by(t.c.start_ns, t.c.incident_id)
    return tuple(
        Standing(
            incident_id=row.incident_id,
            stream=row.stream,
            category=row.detected_as or row.category,
            severity=Severity(row.severity),
            action=Action(row.action),
            span=Span(start_ns=row.start_ns, end_ns=row.end_ns),
            review=Review(row.review),
            custody=Custody(row.custody),
            revision=row.revision,
        )
        for row in tx.execute(query)
    )


def same_incident(incident: Incident, stream: str, standing: Iterable[Standing], merge_gap_ns: int) -> Standing | None:
    """What stands for `incident`, of the stream with this pseudonym: the one with its id, else the earliest near it.

    Of those near it a closed one comes last: nothing is sealed for it, and what an open one may hold must not be lost.
    """
    near = [
        s
        for s in standing
        if (s.stream, s.category) == (stream, incident.category) and s.span.overlaps(incident.span, gap_ns=merge_gap_ns)
    ]
    itself = (s for s in standing if s.incident_id == incident.incident_id)
    return next(itself, None) or next((s for s in near if not s.closed), None) or next(iter(near), None)
