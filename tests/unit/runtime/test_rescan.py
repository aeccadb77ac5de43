"""Scanned again under another policy an incident grows: nothing is doubled, and what a person closed stays closed."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sqlalchemy import update

from pipeline.core.decision import Review
from pipeline.core.errors import SourceError
from pipeline.core.evidence import Kind, Party
from pipeline.core.media import NS, Span
from pipeline.core.recording import Part, Participant, Recording
from pipeline.runtime.conclude import conclude
from pipeline.runtime.inspect import inspect
from pipeline.runtime.line import Line
from pipeline.runtime.report import Outcome, Row
from pipeline.runtime.score import score
from pipeline.runtime.tasks import cut
from pipeline.vault import tables
from pipeline.vault.disclose import DevelopmentGrant
from pipeline.vault.states import state_of
from pipeline.vault.vault import Vault
from pipeline.vault.views import IncidentView
from tests.unit.runtime import test_composite
from tests.unit.runtime.test_composite import POLICY, RULE

line = test_composite.line
LEVELS = [20] * 4 + [250] * 3 + [150] * 7 + [20] * 4
"""Brightness by the second: for the first policy an incident from 4 to 7 s, for a stricter one from 4 to 14 s."""


def lit(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=2, options={"preset": "ultrafast", "g": "4"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for i, level in enumerate(np.repeat(LEVELS, 2)):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), level, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 2)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def at_least(line: Line, value: float, run_id: str) -> Line:
    """The line of a new run under a policy with another threshold."""
    line.ledger.begin_run(run_id, at=line.clock.now(), actor="test", command="test")
    line.vault.begin_run(run_id, actor="test")
    ref = replace(POLICY.ref, version=str(value), sha256=f"{round(value * 100):064d}")
    policy = replace(POLICY, ref=ref, rules=(replace(RULE, at_least=value),))
    return replace(line, run_id=run_id, terms=replace(line.terms, policy=policy))


def scanned(line: Line, *recordings: Recording) -> IncidentView:
    """The one incident of the first recording after it was scanned; the others are of its session."""
    concluded(line, *recordings)
    (incident,) = line.vault.incidents()
    return incident


def concluded(line: Line, *recordings: Recording) -> Row:
    line.ledger.roll.enlist(line.run_id, list(recordings))
    found = inspect(line, 0)
    for part, facts in enumerate(found.parts):
        for chunk in cut(part, facts):
            score(line, 0, found.recording_id, chunk)
    return conclude(line, found)


def dismissed(vault: Vault, incident_id: str) -> None:
    with vault._journal.act("os:eve(1001)") as act:
        row = update(tables.incident).where(tables.incident.c.incident_id == incident_id)
        act.tx.execute(row.values(review=Review.DISMISSED.value))
        act.record("test.decide", f"incident:{incident_id}", after=state_of(act.tx, f"incident:{incident_id}"))


def test_a_stricter_policy_attaches_to_the_incident_and_doubles_nothing(line: Line, tmp_path: Path) -> None:
    recording = Recording(parts=(Part(uri=str(lit(tmp_path / "lit.mp4"))),), participants=(Participant(handle="anna"),))
    was = scanned(at_least(line, 0.9, "first"), recording)
    assert (was.revision, was.span) == (1, Span(start_ns=4 * NS, end_ns=6 * NS + NS // 2))
    now = scanned(at_least(line, 0.5, "second"), recording)
    assert (now.incident_id, now.revision) == (was.incident_id, 2)
    assert now.span == Span(start_ns=4 * NS, end_ns=13 * NS + NS // 2)
    assert set(was.records) < set(now.records)
    pictures = [(r.kind, r.span) for r in now.records if r.kind in (Kind.FRAME, Kind.DERIVATIVE)]
    assert len(pictures) == len(set(pictures)), "a frame that both policies flag lies there once"
    packets = max((r.span for r in now.records if r.kind is Kind.PACKETS), key=lambda s: s.end_ns - s.start_ns)
    assert packets.start_ns <= now.span.start_ns and packets.end_ns >= now.span.end_ns, "the whole grown span is kept"
    assert scanned(at_least(line, 0.9, "third"), recording) == now, "what was concluded before changes nothing"
    dismissed(line.vault, now.incident_id)
    closed = scanned(at_least(line, 0.3, "fourth"), recording)
    assert (closed.review, closed.records, closed.span) == (Review.DISMISSED, now.records, now.span)
    assert line.vault.verify().problems == ()


def test_neither_partys_evidence_names_or_lies_under_the_key_of_the_other(line: Line, tmp_path: Path) -> None:
    anna, ben = (
        Recording(
            parts=(Part(uri=str(lit(tmp_path / f"{name}.mp4"))),),
            session_id="talk",
            stream_id=f"stream-{name}",
            participants=(Participant(handle=name, account=f"account-{name}"),),
        )
        for name in ("anna", "ben")
    )
    incident = scanned(at_least(line, 0.9, "first"), anna, ben)
    grant, said = DevelopmentGrant(mode="development"), {Party.SUBJECT: b"", Party.COUNTERPART: b""}
    for record in incident.records:
        body = line.vault.open_evidence(record.record_id, actor="test", reason="test", grant=grant)
        if record.media_type == "application/json":
            said[record.party] += body
    keys = {party: {r.key_id for r in incident.records if r.party is party} for party in Party}
    assert [len(k) for k in keys.values()] == [1, 1] and keys[Party.SUBJECT] != keys[Party.COUNTERPART]
    assert b"anna" in said[Party.SUBJECT] and b"ben" not in said[Party.SUBJECT]
    assert b"ben" in said[Party.COUNTERPART] and b"anna" not in said[Party.COUNTERPART]
    kinds = {r.kind for r in incident.records if r.party is Party.COUNTERPART}
    assert kinds == {Kind.FRAME, Kind.DERIVATIVE, Kind.PACKETS, Kind.CONNECTION}


def test_a_third_stream_of_a_session_is_not_kept_under_the_seconds_key_and_that_is_said(
    line: Line, tmp_path: Path
) -> None:
    path = str(lit(tmp_path / "lit.mp4"))
    three = [Recording(parts=(Part(uri=path),), session_id="talk", stream_id=f"stream-{i}") for i in range(3)]
    row = concluded(at_least(line, 0.9, "first"), *three)
    assert "of 2 other streams of the session only the first was kept as the counterpart's" in row.warnings
    (incident,) = line.vault.incidents()
    assert len([r for r in incident.records if (r.kind, r.party) == (Kind.CONNECTION, Party.COUNTERPART)]) == 1


def test_a_file_that_is_away_while_it_is_scored_is_scanned_by_the_next_run(line: Line, tmp_path: Path) -> None:
    file, away = lit(tmp_path / "lit.mp4"), tmp_path / "away"
    recording = Recording(parts=(Part(uri=str(file)),))
    line.ledger.roll.enlist(line.run_id, [recording])
    found = inspect(line, 0)
    file.rename(away)
    for chunk in cut(0, found.parts[0]):
        score(line, 0, found.recording_id, chunk)
    row = conclude(line, found)
    assert (row.outcome, row.degraded) == (Outcome.UNREADABLE, ("decoder",))
    away.rename(file)
    line.ledger.begin_run("next", at=line.clock.now(), actor="test", command="test")
    line.vault.begin_run("next", actor="test")
    line = replace(line, run_id="next")
    assert concluded(line, recording).outcome is Outcome.SCANNED
    assert len(line.vault.incidents()) == 1


def test_what_is_flagged_is_not_concluded_without_its_source(line: Line, tmp_path: Path) -> None:
    file, away = lit(tmp_path / "lit.mp4"), tmp_path / "away"
    line.ledger.roll.enlist(line.run_id, [Recording(parts=(Part(uri=str(file)),))])
    found = inspect(line, 0)
    for chunk in cut(0, found.parts[0]):
        score(line, 0, found.recording_id, chunk)
    file.rename(away)
    with pytest.raises(SourceError, match=r"^not there: "):
        conclude(line, found)
    assert not line.vault.incidents()
    away.rename(file)
    assert conclude(line, found).outcome is Outcome.SCANNED
    (incident,) = line.vault.incidents()
    assert Kind.PACKETS in {record.kind for record in incident.records}
