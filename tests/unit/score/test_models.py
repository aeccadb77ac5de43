"""The shipped models say what was recorded of them."""

import csv
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.errors import ModelError
from pipeline.core.media import AudioWindow, Frame, Span
from pipeline.score.entry import SoundInput
from pipeline.score.features import patch
from pipeline.score.frames import load_frames
from pipeline.score.sounds import load_sounds
from tests.devset import devset
from tests.models import entries, fetched_models

WINDOW, HOP = 15_600, 7_680
# The reference's columns are the loudest of a family of classes.
FAMILIES = {
    "max_gunshot": ("Gunshot, gunfire", "Machine gun", "Fusillade", "Artillery fire"),
    "max_explosion": ("Explosion", "Burst, pop", "Boom"),
    "max_scream": ("Shout", "Yell", "Screaming"),
    "max_speech": ("Speech",),
    "max_music": ("Music",),
}


def _sound(path: Path) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    with av.open(str(path)) as container:
        blocks = [block for frame in container.decode(audio=0) for block in resampler.resample(frame)]
    return np.concatenate([block.to_ndarray()[0] for block in (*blocks, *resampler.resample(None))])


def _windows(samples: NDArray[np.float32]) -> list[AudioWindow]:
    # As the reference was made: whole windows only, one padded where the sound is shorter.
    samples = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    starts = range(0, len(samples) - WINDOW + 1, HOP)
    return [
        AudioWindow(
            stream_id="s", span=Span(start_ns=at, end_ns=at + 1), samples=samples[at : at + WINDOW], rate_hz=16_000
        )
        for at in starts
    ]


def test_yamnet_hears_what_the_reference_hears() -> None:
    classifier = load_sounds(entries()["yamnet"], fetched_models())
    rows = list(csv.DictReader(devset("audio", "yamnet_reference.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 15
    for row in rows:
        scored = classifier.score(_windows(_sound(devset("audio", *row["path"].split("/")))))
        loudest = {s.label: max(w[i].value for w in scored) for i, s in enumerate(scored[0])}
        for column, family in FAMILIES.items():
            found = max(loudest[f"yamnet.{label}"] for label in family)
            # The reference is rounded to three decimals; another resampler's last bits move a score by less than that.
            assert found == pytest.approx(float(row[column]), abs=0.0015), (row["path"], column)
        top = sorted(loudest, key=loudest.__getitem__, reverse=True)[:3]
        told = "; ".join(f"{label.removeprefix('yamnet.')} {loudest[label]:.2f}" for label in top)
        assert told == row["top3"], row["path"]


def test_opennsfw_finds_nothing_in_ordinary_photos() -> None:
    classifier = load_frames(entries()["opennsfw"], fetched_models(), keep=frozenset({"opennsfw.nsfw"}))
    photos = sorted(devset("photos", "negative").iterdir())
    assert len(photos) == 21
    for photo in photos:
        pixels = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
        frame = Frame(stream_id="s", span=Span(start_ns=0, end_ns=1), pixels=pixels.astype(np.uint8))
        [[score]] = classifier.score([frame])
        assert score.label == "opennsfw.nsfw"
        assert score.value < 0.1, photo.name


def test_yamnet_features_are_the_published_ones() -> None:
    want = entries()["yamnet"].input
    assert isinstance(want, SoundInput)
    silence = patch(np.zeros(WINDOW, np.float32), want)
    assert silence.shape == (1, 96, 64)
    assert silence == pytest.approx(np.full((1, 96, 64), -6.9078), abs=1e-4)
    seconds = np.arange(32_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
    patches = np.stack([patch(window.samples, want) for window in _windows(tone)])
    assert (patches.mean(), patches.min(), patches.max()) == pytest.approx((-4.9160, -6.8994, 4.0890), abs=2e-3)


def test_keep_limits_the_labels_and_refuses_a_label_that_the_model_lacks() -> None:
    window = _windows(np.zeros(WINDOW, np.float32))
    keep = frozenset({"yamnet.Explosion", "yamnet.Gunshot, gunfire", "opennsfw.nsfw"})
    [scores] = load_sounds(entries()["yamnet"], fetched_models(), keep=keep).score(window)
    assert [score.label for score in scores] == ["yamnet.Explosion", "yamnet.Gunshot, gunfire"]
    with pytest.raises(ModelError, match=r"yamnet has no label 'yamnet.Gunshoot'; correct the policy"):
        load_sounds(entries()["yamnet"], fetched_models(), keep=frozenset({"yamnet.Gunshoot"}))


def test_a_window_of_another_rate_or_length_is_a_mistake() -> None:
    classifier = load_sounds(entries()["yamnet"], fetched_models())
    span = Span(start_ns=0, end_ns=1)
    for samples, rate_hz in ((np.zeros(WINDOW, np.float32), 8_000), (np.zeros(100, np.float32), 16_000)):
        with pytest.raises(ValueError, match=r"Hz|samples"):
            classifier.score([AudioWindow(stream_id="s", span=span, samples=samples, rate_hz=rate_hz)])
