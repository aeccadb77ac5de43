"""The tape gives what decoding from the start gives, sample by sample, and decodes each file once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Span
from pipeline.ingest import audio_tape
from pipeline.ingest.audio import AudioReader, audio_between
from pipeline.ingest.audio_tape import AudioTape, AudioTapes
from pipeline.ingest.params import Params
from tests.hostile_media import RATE, clip, write_sound

PARAMS = Params()
SECONDS = 12


def seconds(start: float, end: float) -> Span:
    return Span(start_ns=round(start * NS), end_ns=round(end * NS))


def noise(path: Path, codec: str, duration_s: int) -> Path:
    """Sound that is nowhere like itself."""
    samples = np.random.default_rng(5).uniform(-0.5, 0.5, (2, RATE * duration_s)).astype(np.float32)
    with av.open(str(path), "w") as out:
        write_sound(out, out.add_stream(codec, rate=RATE, layout="stereo"), samples)
    return path


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise(tmp_path_factory.mktemp("tape") / "talk.mp4", "aac", SECONDS)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that a tape began to decode."""
    begun: list[str] = []

    class Counted(AudioReader):
        def __iter__(self) -> Iterator[tuple[int, audio_tape.Samples]]:
            begun.append(self._path)
            return super().__iter__()

    monkeypatch.setattr(audio_tape, "AudioReader", Counted)
    return begun


times = st.integers(0, (SECONDS + 3) * 1000)
asked = st.lists(st.tuples(times, times, st.sampled_from([0, 0, 1_700_000_001])), min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(asked=asked, in_order=st.booleans())
def test_the_tape_gives_the_very_samples_that_decoding_from_the_start_gives(
    talk: Path, asked: list[tuple[int, int, int]], in_order: bool
) -> None:
    tape = AudioTape(str(talk), params=PARAMS)
    for a, b, offset_ns in sorted(asked) if in_order else asked:
        span = Span(start_ns=min(a, b) * 1_000_000, end_ns=max(a, b) * 1_000_000 + 1)
        whole = audio_between(str(talk), span, params=PARAMS, offset_ns=offset_ns)
        assert np.array_equal(tape.between(span, offset_ns=offset_ns), whole)
    tape.close()


def test_spans_in_order_decode_each_file_once_and_a_step_back_begins_it_anew(talk: Path, passes: list[str]) -> None:
    with AudioTapes.opened(PARAMS) as tapes:
        for start in (0, 0, 2, 2.5, 7, 30):
            tapes.between(str(talk), seconds(start, start + 4))
        assert passes == [str(talk)]
        assert tapes.between(str(talk), seconds(1, 2)).size == 16_000
        assert len(passes) == 2


def test_a_tape_holds_no_more_than_the_last_span(tmp_path: Path) -> None:
    long = noise(tmp_path / "long.wav", "pcm_s16le", 120)
    tape = AudioTape(str(long), params=PARAMS)
    tape.between(seconds(0, 0.1))
    tracemalloc.start()
    for start in range(0, 115, 5):
        tape.between(seconds(start, start + 2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tape.close()
    assert peak < 2_000_000  # the whole would be 8 MB


def test_a_file_without_sound_is_refused_at_every_span(tmp_path: Path) -> None:
    path = clip(tmp_path / "silent.gif")
    with AudioTapes.opened(PARAMS) as tapes:
        for start in (0, 1):
            with pytest.raises(SourceError, match="no audio"):
                tapes.between(str(path), seconds(start, start + 1))
