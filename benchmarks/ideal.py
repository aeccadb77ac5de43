"""The least that the same answers cost: plain loops over the same recordings, nothing between decoder and network.

    python benchmarks/ideal.py HOME PLAN.json

PLAN lists {"path", "scored"}: how many frames of each recording the scan really scored. Prints, for each, the CPU
seconds of each kind of work. Loading is not counted. Decoding is the scan's own planned decode, the cheapest exact one
known, so this ideal is a strict one.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import av

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.core.ports import FrameClassifier, SoundClassifier
from pipeline.ingest.audio import AudioReader
from pipeline.ingest.params import Params as Limits
from pipeline.ingest.video import VideoReader
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params as Sampling
from pipeline.sample.windows import windows
from pipeline.score.frames import load_frames
from pipeline.score.sounds import load_sounds

CLOCK = time.process_time


def see(path: str, scored: int, classifiers: list[FrameClassifier], installation: Installation) -> dict[str, float]:
    """Decode the samples and score as many of them as the scan did."""
    settings, spent = installation.settings, {"decode": 0.0, "score": 0.0, "sampled": 0}
    reader = VideoReader(path, stream_id="", picker=Grid(settings.sample), params=settings.ingest, lines=(0, None))
    began = CLOCK()
    for frame in reader:
        spent["decode"] += CLOCK() - began
        began = CLOCK()
        if spent["sampled"] < scored:
            for classifier in classifiers:
                classifier.score([frame])
        spent["score"] += CLOCK() - began
        spent["sampled"] += 1
        began = CLOCK()
    spent["decode"] += CLOCK() - began
    return spent


def hear(path: str, classifiers: list[SoundClassifier], installation: Installation) -> dict[str, float]:
    """Decode the sound and score all its windows."""
    settings, spent = installation.settings, {"audio": 0.0, "score_audio": 0.0}
    blocks = AudioReader(path, params=settings.ingest)
    began = CLOCK()
    for window in windows(blocks, stream_id="", offset_ns=0, params=settings.sample):
        spent["audio"] += CLOCK() - began
        began = CLOCK()
        for classifier in classifiers:
            classifier.score([window])
        spent["score_audio"] += CLOCK() - began
        began = CLOCK()
    spent["audio"] += CLOCK() - began
    return spent


def planned(path: str) -> float:
    """CPU seconds of the planned decode of one frame a second, to RGB."""
    began = CLOCK()
    for _ in VideoReader(path, stream_id="", picker=Grid(Sampling()), params=Limits(), lines=(0, None)):
        pass
    return CLOCK() - began


def decode_all(path: str) -> float:
    """CPU seconds of decoding every frame with PyAV on one thread, one frame a second to RGB."""
    began = CLOCK()
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        every = max(1, round(stream.average_rate or 25))
        for number, frame in enumerate(container.decode(stream)):
            if number % every == 0:
                frame.to_ndarray(format="rgb24")
    return CLOCK() - began


def main(home: str, plan: str) -> None:
    """Measure this process's share."""
    installation = Installation.open(Home.at(Path(home)))
    models, store, keep = installation.settings.models, installation.store, installation.policy.labels
    entries = {entry.name: entry for entry in installation.asked()}
    looking = [load_frames(entries[name], store, keep=keep) for name in models.frames if name in entries]
    listening = [load_sounds(entries[name], store, keep=keep) for name in models.sounds if name in entries]
    found: list[dict[str, Any]] = []
    for recording in json.loads(Path(plan).read_text()):
        path = recording["path"]
        seen = see(path, recording["scored"], looking, installation)
        found.append({"path": path, **seen, **hear(path, listening, installation)})
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
