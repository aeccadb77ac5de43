"""Inspection: read a recording's content once, give it its id, and say what can be scanned of it."""

from __future__ import annotations

import time
from dataclasses import replace

from pipeline.core.errors import NotYetError, SourceError
from pipeline.core.ids import digest_of, keyed_id
from pipeline.core.media import NS
from pipeline.core.recording import Part, Recording
from pipeline.ingest.probe import MediaKind, Probe, probe
from pipeline.ingest.video_cuts import cuts
from pipeline.runtime.line import Line
from pipeline.runtime.tasks import Inspection, PartFacts, boundaries
from pipeline.runtime.views import under


def recording_id(installation_key: bytes, recording: Recording, digests: list[str]) -> str:
    """Id of (session, stream, content of each part at its offset): a renamed file is the same recording."""
    parts = [f"{digest}@{part.offset_ns}" for digest, part in zip(digests, recording.parts, strict=True)]
    return keyed_id(installation_key, "recording", recording.session_id, recording.stream_id, *parts)


def inspect(line: Line, position: int) -> Inspection:
    """Probe every part of the recording at `position` of the run, and register it in the ledger.

    A part that cannot be read is named in its facts; the others are still scanned.
    """
    began = time.perf_counter()
    recording = line.ledger.roll.at(line.run_id, position)
    digests: list[str] = []
    facts: list[PartFacts] = []
    warnings: list[str] = []
    for part in recording.parts:
        try:
            found = probe(part.uri, line.ingest)
            here = _facts(found, part, line)
        except SourceError as why:
            facts.append(PartFacts(reason=why.reason, retry=isinstance(why, NotYetError)))
            digests.append(f"unreadable:{part.uri}")
        else:
            facts.append(here)
            digests.append(found.sha256)
            warnings.extend(found.warnings)
    identity = recording_id(line.installation_key, recording, digests)
    known = replace(recording, recording_id=identity, sha256=digests[0] if len(digests) == 1 else digest_of(digests))
    readable = any(not f.reason for f in facts)
    line.ledger.register(
        known,
        sha256=["" if f.reason else digest for f, digest in zip(facts, digests, strict=True)],
        facts={"duration_ns": [f.duration_ns for f in facts]},
        run_id=line.run_id,
        at=line.clock.now(),
    )
    terms = under(line.terms.fingerprint, recording)
    return Inspection(
        position=position,
        recording_id=identity,
        sha256=known.sha256,
        parts=tuple(facts),
        warnings=tuple(dict.fromkeys(warnings)),
        done=readable and line.ledger.concluded(identity, terms, run_id=line.run_id) is not None,
        seconds=time.perf_counter() - began,
    )


def _facts(found: Probe, part: Part, line: Line) -> PartFacts:
    duration = found.duration_ns if found.duration_ns is not None else 0
    if found.kind is MediaKind.IMAGE:
        duration = NS
    looks, listens = line.detectors.looks, line.detectors.listens
    lines: tuple[int, ...] = ()
    if found.has_video and looks and found.kind is not MediaKind.IMAGE:
        wished = boundaries(part.offset_ns, duration, chunk_lines=line.chunk_lines)
        lines = cuts(part.uri, wished, params=line.ingest, offset_ns=part.offset_ns)
    return PartFacts(
        has_video=found.has_video and looks,
        has_audio=found.has_audio and listens,
        offset_ns=part.offset_ns,
        duration_ns=duration,
        cuts=lines,
    )
