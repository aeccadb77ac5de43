"""Capture: an incident becomes evidence drafts, cut again from the source at the incident's spans.

The same source and the same incident give the same bytes, however the scan was chunked. What cannot be cut is said in
the notes and in the FINDINGS draft; it never stops the rest from being kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pipeline.capture.findings import findings_draft
from pipeline.capture.media import Sources
from pipeline.capture.moments import flagged_moments, regular_moments
from pipeline.capture.params import Params
from pipeline.capture.people import connections
from pipeline.capture.side import Side, Wanted
from pipeline.core.decision import Incident, PolicyRef
from pipeline.core.evidence import Draft, Party
from pipeline.core.media import NS, Span
from pipeline.core.recording import UNKNOWN, Recording

__all__ = ["Captured", "Sources", "capture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """The drafts of an incident, in the clear and in memory only, and what could not be cut, in words without names."""

    drafts: tuple[Draft, ...]
    notes: tuple[str, ...]


def capture(
    incident: Incident,
    recording: Recording,
    counterpart: Recording | None,
    *,
    policy: PolicyRef,
    sources: Sources,
    params: Params,
) -> Captured:
    """Cut the evidence of `incident` out of `recording`, and the same stretch out of the `counterpart`'s.

    Frames, derivatives, sound and original packets of both sides, connection data of all people shown, and one draft
    with findings and provenance. Raises nothing for unreadable sources.
    """
    moments, wished = flagged_moments(incident.findings, params)
    notes = [] if len(moments) == wished else [f"long incident: {len(moments)} of {wished} moments kept as frames"]
    span = _padded(incident.span, round(params.pad_s * NS))
    mine = Side(Wanted(recording=recording, party=Party.SUBJECT, span=span, moments=moments, facts={}), sources, params)
    drafts = list(mine.drafts())
    notes += mine.notes
    if _changed(recording, mine.parts):
        notes.append("the file changed between scan and capture: its sha256 is another one")
    people = list(connections(incident, recording, Party.SUBJECT, sources=mine.parts))
    if counterpart is not None:
        wanted = _aligned(span, recording, counterpart, params)
        theirs = None if wanted is None else Side(wanted, sources, params)
        drafts += [] if theirs is None else theirs.drafts()
        notes += ["the counterpart's recording began after this span"] if theirs is None else theirs.notes
        cut = [] if theirs is None else theirs.parts
        people += connections(incident, counterpart, Party.COUNTERPART, sources=cut)
    findings = findings_draft(incident, recording, policy, sources=mine.parts, notes=notes)
    return Captured(drafts=(*drafts, *people, findings), notes=tuple(notes))


def _padded(span: Span, by_ns: int) -> Span:
    return Span(start_ns=max(0, span.start_ns - by_ns), end_ns=span.end_ns + by_ns)


def _aligned(span: Span, recording: Recording, counterpart: Recording, params: Params) -> Wanted | None:
    """The counterpart's stretch: by wall time, widened by both clocks' uncertainty, or assumed to begin together."""
    if recording.started_at is None or counterpart.started_at is None:
        shift_ns = slack_ns = 0
        facts: dict[str, object] = {"alignment": "assumed"}
    else:
        shift_ns = (recording.started_at - counterpart.started_at) // timedelta(microseconds=1) * 1000
        slack_ns = sum(_uncertainty_ns(r, params) for r in (recording, counterpart))
        facts = {"alignment": "started_at", "clock_uncertainty_ms": slack_ns // 1_000_000}
    start_ns, end_ns = span.start_ns + shift_ns - slack_ns, span.end_ns + shift_ns + slack_ns
    if end_ns <= 0:
        return None
    stretch = Span(start_ns=max(0, start_ns), end_ns=end_ns)
    return Wanted(
        recording=counterpart,
        party=Party.COUNTERPART,
        span=stretch,
        moments=regular_moments(stretch, params),
        facts={**facts, "shift_ns": shift_ns},
    )


def _uncertainty_ns(recording: Recording, params: Params) -> int:
    known = recording.clock_uncertainty_ms
    return round(params.clock_slack_s * NS) if known is None else known * 1_000_000


def _changed(recording: Recording, used: list[dict[str, Any]]) -> bool:
    scanned = recording.sha256 if len(recording.parts) == 1 else UNKNOWN
    return scanned != UNKNOWN and any(part["sha256"] != scanned for part in used)
