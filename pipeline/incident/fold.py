"""From a decision to incidents: findings of one category that lie close together are one incident.

Pure. Weakens what may not be done: nobody who is not surely identified is acted on without a person deciding. Cuts no
evidence and knows no store.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.core.decision import Action, Decision, Finding, Incident
from pipeline.core.ids import keyed_id
from pipeline.core.recording import UNKNOWN, Identity, Layout, Recording

_STRENGTH = tuple(Action)


def fold(
    decision: Decision, recording: Recording, *, installation_key: bytes, opened_at: datetime, merge_gap_ns: int
) -> tuple[Incident, ...]:
    """The incidents of one stream, in order of media time.

    Findings of a category less than `merge_gap_ns` apart fold together; an incident takes the strongest action and the
    highest severity of its findings. `opened_at` is aware wall time. The same decision always gives the same incidents.
    """
    handle, identity = _shown(recording)
    incidents = []
    for findings in _groups(decision.findings, merge_gap_ns):
        span = findings[0].span
        for finding in findings[1:]:
            span = span.hull(finding.span)
        action = max((_allowed(f.action, identity) for f in findings), key=_STRENGTH.index)
        category = findings[0].category
        incidents.append(
            Incident(
                incident_id=keyed_id(
                    installation_key, "incident", recording.recording_id, decision.stream_id, category, span.start_ns
                ),
                recording_id=recording.recording_id,
                session_id=recording.session_id,
                stream_id=decision.stream_id,
                participant=handle,
                identity=identity,
                category=category,
                severity=max(f.severity for f in findings),
                action=action,
                span=span,
                findings=tuple(findings),
                opened_at=opened_at,
            )
        )
    return tuple(sorted(incidents, key=lambda i: (i.span, i.category)))


def _allowed(action: Action, identity: Identity) -> Action:
    return Action.REVIEW if action.automatic and identity is not Identity.VERIFIED else action


def _groups(findings: tuple[Finding, ...], gap_ns: int) -> list[list[Finding]]:
    groups: list[list[Finding]] = []
    end_ns = 0
    for finding in sorted(dict.fromkeys(findings), key=lambda f: (f.category, f.span, f.rule)):
        last = groups[-1][-1] if groups else None
        if last is not None and last.category == finding.category and finding.span.start_ns < end_ns + gap_ns:
            groups[-1].append(finding)
            end_ns = max(end_ns, finding.span.end_ns)
        else:
            groups.append([finding])
            end_ns = finding.span.end_ns
    return groups


def _shown(recording: Recording) -> tuple[str, Identity]:
    """Whom the stream shows, and how surely.

    Of a mixed picture, or of several people, a finding cannot say which one it means: all are named, none surely.
    """
    people = recording.participants
    if not people:
        return UNKNOWN, Identity.UNKNOWN
    if recording.layout is Layout.SINGLE and len(people) == 1:
        return people[0].handle, people[0].identity
    return " | ".join(sorted({p.handle for p in people})), Identity.AMBIGUOUS
