"""A composite picture: what is found in somebody's region is about that person, and about nobody else."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.app.compose import sources
from pipeline.capture.params import Params as CaptureParams
from pipeline.core.clock import SystemClock
from pipeline.core.decision import Action, PolicyRef, Severity
from pipeline.core.media import NS, Frame, Span
from pipeline.core.recording import Identity, Layout, Part, Participant, Recording, Region
from pipeline.decide.policy import Policy, Rule, Scanning, ScanRule
from pipeline.ingest.params import Params as IngestParams
from pipeline.recordings.ledger import Ledger
from pipeline.runtime.conclude import conclude
from pipeline.runtime.inspect import inspect
from pipeline.runtime.line import Detectors, Line, Terms
from pipeline.runtime.report import Outcome, Row
from pipeline.runtime.score import score
from pipeline.runtime.tasks import cut
from pipeline.runtime.views import Cut, unseen
from pipeline.sample.params import Params as SampleParams
from pipeline.vault.vault import Vault
from tests.fakes.classifiers import BrightnessClassifier

BRIGHT = "fake.bright"
RULE = Rule(
    id="bright",
    category="test",
    severity=Severity.LOW,
    action=Action.INTERRUPT,
    detector="fake",
    labels=frozenset({BRIGHT}),
    at_least=0.8,
    votes=2,
    within_ns=10 * NS,
)
EVERYWHERE = ScanRule(
    id="all", jurisdictions=frozenset(), permitted=True, needs_purposes=frozenset(), citation="a test"
)
POLICY = Policy(
    ref=PolicyRef(name="test", version="1", sha256="0" * 64),
    rules=(RULE,),
    scanning=Scanning(rules=(), otherwise=EVERYWHERE),
    merge_gap_s=5.0,
)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    clock, key = SystemClock(), b"i" * 32
    ledger = Ledger.open(tmp_path / "recordings", b"r" * 32)
    vault = Vault.open(tmp_path / "home", tmp_path / "keys", master=b"m" * 32, installation_key=key, clock=clock)
    ledger.begin_run("run", at=clock.now(), actor="test", command="test")
    vault.begin_run("run", actor="test")
    return Line(
        run_id="run",
        terms=Terms(policy=POLICY, models=("brightness 1",), sample=SampleParams(gate=False)),
        ledger=ledger,
        vault=vault,
        detectors=Detectors(frames={"fake": BrightnessClassifier}, sounds={}),
        sources=sources(IngestParams()),
        ingest=IngestParams(settle_s=0),
        capture=CaptureParams(),
        installation_key=key,
        clock=clock,
        chunk_lines=10,
        canary=lambda _: "ok",
    )


def side_by_side(path: Path) -> Path:
    """Six seconds: the left half is black but for a white stretch from 2 to 5 s, the right half stays black."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 120, "yuv420p"
        for i in range(12):
            pixels = np.zeros((120, 320, 3), np.uint8)
            if 4 <= i < 10:
                pixels[:, :160] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 2)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def scanned(line: Line, recording: Recording) -> Row:
    line.ledger.roll.enlist("run", [recording])
    found = inspect(line, 0)
    for part, facts in enumerate(found.parts):
        for chunk in cut(part, facts):
            score(line, 0, found.recording_id, chunk)
    return conclude(line, found)


def test_a_finding_in_a_region_names_its_person(line: Line, tmp_path: Path) -> None:
    left, right = (Participant(handle=h, identity=Identity.VERIFIED) for h in ("left", "right"))
    mixed = Recording(
        parts=(Part(uri=str(side_by_side(tmp_path / "mixed.mp4"))),),
        session_id="s",
        stream_id="mix",
        layout=Layout.COMPOSITE,
        participants=(left, right),
        regions=(
            Region(handle="left", x=0, y=0, width=0.5, height=1),
            Region(handle="right", x=0.5, y=0, width=0.4, height=1),
        ),
    )
    row = scanned(line, mixed)
    assert row.outcome is Outcome.SCANNED
    (incident,) = line.vault.incidents()
    assert incident.identity is Identity.VERIFIED
    assert incident.action is Action.INTERRUPT, "who is surely identified may be acted on at once"
    assert (incident.span.start_ns, incident.span.end_ns) == (2 * NS, 4 * NS + NS // 2)
    assert any("10% of the composite picture" in w for w in row.warnings)
    assert row.frames_sampled == row.frames_scored == 6


def test_without_regions_a_picture_of_two_people_names_nobody_surely(line: Line, tmp_path: Path) -> None:
    people = tuple(Participant(handle=h, identity=Identity.VERIFIED) for h in ("left", "right"))
    whole = Recording(parts=(Part(uri=str(side_by_side(tmp_path / "whole.mp4"))),), participants=people)
    policy = replace(POLICY, rules=(replace(RULE, at_least=0.4),))
    line = replace(line, terms=replace(line.terms, policy=policy))
    scanned(line, whole)
    (incident,) = line.vault.incidents()
    assert incident.identity is Identity.AMBIGUOUS
    assert incident.action is Action.REVIEW, "an ambiguous identity never leads to an automatic action"


@pytest.mark.parametrize(
    ("regions", "left"),
    [
        ([(0, 0, 0.5, 1), (0.5, 0, 0.5, 1)], ""),
        ([(0, 0, 0.5, 1), (0, 0, 0.5, 1)], "50%"),
        ([(0, 0, 1, 0.6), (0.25, 0.25, 0.5, 0.55)], "30%"),
        ([(0, 0, 0.2, 0.2), (0.8, 0.8, 0.2, 0.2)], "92%"),
    ],
)
def test_what_lies_in_nobodys_region_is_told_though_regions_overlap(
    regions: list[tuple[float, float, float, float]], left: str
) -> None:
    mixed = Recording(
        parts=(Part(uri="mixed.mp4"),),
        layout=Layout.COMPOSITE,
        participants=(Participant(handle="a"),),
        regions=tuple(Region(handle="a", x=x, y=y, width=w, height=h) for x, y, w, h in regions),
    )
    assert [said.split()[0] for said in unseen(mixed)] == ([left] if left else [])


def test_a_region_at_the_very_edge_shows_a_pixel() -> None:
    frame = Frame(stream_id="mix", span=Span(start_ns=0, end_ns=1), pixels=np.zeros((120, 320, 3), np.uint8))
    corner = Region(handle="a", x=0.9999, y=0.9999, width=0.0001, height=0.0001)
    assert Cut("a", corner).of(frame).pixels.shape == (1, 1, 3)
