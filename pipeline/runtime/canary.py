"""The canary: a synthetic clip with a known outcome goes through the whole line at the start of every scan.

Decoding, sampling, scoring, deciding, folding, capture, sealing and opening again must all do what they did when the
clip was made. A scan whose canary fails has found nothing that can be trusted, and says so. Its evidence is sealed into
a scratch vault in memory and forgotten.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.capture.capture import capture
from pipeline.core.decision import Action, Incident, PolicyRef, Severity
from pipeline.core.errors import WatchkeepError
from pipeline.core.evidence import Draft
from pipeline.core.media import NS
from pipeline.core.recording import Part, Recording
from pipeline.core.signal import Signal
from pipeline.decide.evaluate import decide
from pipeline.decide.policy import Rule
from pipeline.incident.fold import fold
from pipeline.ingest.probe import probe
from pipeline.runtime.line import Line
from pipeline.runtime.memory import fresh, in_memory, sweep
from pipeline.runtime.score import pictures, sounds
from pipeline.runtime.tasks import Chunk, Track
from pipeline.runtime.views import WHOLE
from pipeline.sample.params import Params as SampleParams
from pipeline.vault.disclose import DEVELOPMENT, DevelopmentGrant
from pipeline.vault.vault import Vault

TONE = "yamnet.Dial tone"
FLAT = "opennsfw.nsfw"
LABELS = frozenset({TONE, FLAT})
"""What the canary needs to hear; kept beside the policy's own labels."""
CATEGORY = "canary"
_FRAMES = 3
SCRATCH_PREFIX = "wkcanary"


@dataclass(frozen=True, slots=True)
class Canary:
    """The clip at `path`: three flat colours of a second each under a tone of 440 Hz.

    `labels` are those of LABELS that shipped models give in this installation: an own model's answer is not known.
    """

    path: Path
    labels: frozenset[str]

    def __call__(self, line: Line) -> str:
        """ "ok", or the first thing that was not as it should be."""
        try:
            return self._fly(line)
        except WatchkeepError as error:
            return str(error)

    def _fly(self, line: Line) -> str:
        # Always once a second, whatever the settings say: the outcome is known for that grid.
        policy = replace(line.terms.policy, rules=_rules(), ref=_REF)
        line = replace(line, terms=replace(line.terms, policy=policy, sample=SampleParams()))
        facts = probe(str(self.path), line.ingest)
        recording = Recording(parts=(Part(uri=str(self.path)),), recording_id=CATEGORY, sha256=facts.sha256)
        seen, signals = pictures(line, recording, Chunk(part=0, track=Track.VIDEO))
        heard, more = sounds(line, recording, Chunk(part=0, track=Track.AUDIO))
        if seen.tally.frames_sampled != _FRAMES or seen.tally.frames_repeated:
            return f"{seen.tally.frames_sampled} frames sampled, {_FRAMES} expected, none of them repeated"
        incidents = self._incidents(line, recording, [*signals[WHOLE], *more[WHOLE]])
        expected = {rule.id for rule in _rules() if rule.labels <= self.labels and rule.id != "never"}
        fired = {finding.rule for incident in incidents for finding in incident.findings}
        if fired != expected:
            silent = [*seen.degraded, *heard.degraded]
            return f"rules {sorted(fired)} fired, {sorted(expected)} expected; silent detectors: {silent}"
        return self._sealed(line, recording, incidents)

    def _incidents(self, line: Line, recording: Recording, signals: Sequence[Signal]) -> tuple[Incident, ...]:
        return fold(
            decide(signals, line.terms.policy, stream_id=recording.stream_id),
            recording,
            installation_key=line.installation_key,
            opened_at=line.clock.now(),
            merge_gap_ns=NS,
        )

    def _sealed(self, line: Line, recording: Recording, incidents: Sequence[Incident]) -> str:
        drafts = [
            (i, capture(i, recording, None, policy=_REF, sources=line.sources, params=line.capture).drafts)
            for i in incidents
        ]
        sweep(SCRATCH_PREFIX)
        scratch = fresh(SCRATCH_PREFIX) if in_memory() else Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX))
        try:
            return _sealed_and_opened(line, recording, drafts, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _sealed_and_opened(
    line: Line, recording: Recording, drafts: Sequence[tuple[Incident, Sequence[Draft]]], scratch: Path
) -> str:
    master, key = secrets.token_bytes(32), line.installation_key
    with Vault.open(scratch / "home", scratch / "keys", master=master, installation_key=key, clock=line.clock) as vault:
        vault.begin_run(CATEGORY, actor=CATEGORY)
        vault.conclude(CATEGORY, CATEGORY, recording, drafts, policy=_REF)
        grant = DevelopmentGrant(mode=DEVELOPMENT)
        bodies = [
            vault.open_evidence(record.record_id, actor=CATEGORY, reason=CATEGORY, grant=grant)
            for view in vault.incidents()
            for record in view.records
        ]
        if problems := vault.verify().problems:
            return f"{problems[0]}"
    if sorted(bodies) != sorted(d.body for _, some in drafts for d in some):
        return "what was sealed does not open as it was"
    return "ok"


_REF = PolicyRef(name=CATEGORY, version="1", sha256="0" * 64)


def _rules() -> tuple[Rule, ...]:
    """Every frame is seen, every window is heard, and nothing is scored high that is a flat colour."""
    return (
        _rule("seen", FLAT, at_least=0.005, votes=_FRAMES),
        _rule("heard", TONE, at_least=0.8, votes=4),
        _rule("never", FLAT, at_least=0.8, votes=1),
    )


def _rule(name: str, label: str, *, at_least: float, votes: int) -> Rule:
    return Rule(
        id=name,
        category=CATEGORY,
        severity=Severity.LOW,
        action=Action.RECORD,
        detector=label.partition(".")[0],
        labels=frozenset({label}),
        at_least=at_least,
        votes=votes,
        within_ns=10 * NS,
    )
