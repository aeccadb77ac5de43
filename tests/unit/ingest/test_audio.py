"""Sound as 16 kHz mono, placed right in time, whatever its container claims."""

from __future__ import annotations

import csv
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Span
from pipeline.ingest.audio import AudioReader, audio_between
from pipeline.ingest.opener import Deadline
from pipeline.ingest.params import Params
from pipeline.ingest.report import ReadReport
from pipeline.ingest.timeline import Timeline
from tests.devset import devset
from tests.hostile_media import RATE, clip, tone

PARAMS = Params()


def heard(path: Path | str, params: Params = PARAMS) -> tuple[np.ndarray, ReadReport]:
    """All samples of a file, checked to come without holes, and the report."""
    reader = AudioReader(str(path), params=params)
    blocks, end = [], 0
    for index, block in reader:
        assert index == end and block.dtype == np.float32
        blocks.append(block)
        end += len(block)
    return (np.concatenate(blocks) if blocks else np.zeros(0, np.float32)), reader.report


def rows() -> list[dict[str, str]]:
    tables = [devset(kind, "probe.csv") for kind in ("audio", "video")]
    return [row for table in tables for row in csv.DictReader(table.read_text().splitlines()) if row["a_samples_16k"]]


def test_the_development_set_has_exactly_the_samples_that_its_probe_counted() -> None:
    for row in rows():
        samples, report = heard(devset(*row["path"].split("/")))
        assert len(samples) == report.decoded == int(row["a_samples_16k"]), row["path"]
        assert report.skipped_packets == 0
        assert bool(report.broken) == row["path"].endswith("trunc_quarter.mp4")
        assert bool(report.warnings) == row["path"].endswith("movie-hello.ogg")


def test_values_beyond_full_scale_are_kept_as_the_reference_has_them() -> None:
    table = devset("audio", "yamnet_reference.csv").read_text().splitlines()
    peaks = {row["path"]: float(row["peak"]) for row in csv.DictReader(table)}
    for path in ("explosion/freedoom__DSRXPLOD.wav", "scream/scratch__Scream-male2.mp3"):
        samples, _ = heard(devset("audio", *path.split("/")))
        assert np.abs(samples).max() == pytest.approx(peaks[path], abs=2e-3)
        assert peaks[path] > 1.2


def packets(path: Path, starts: list[float], *, codec: str = "pcm_s16le") -> Path:
    """A Matroska file with a 100 ms piece of tone at each of these starts (seconds)."""
    with av.open(str(path), "w", format="matroska") as out:
        stream = out.add_stream(codec, rate=RATE, layout="stereo")
        stream.time_base = Fraction(1, 1000)
        for start in starts:
            frame = av.AudioFrame.from_ndarray(
                (tone(0.1) * 32767).astype(np.int16).T.reshape(1, -1), format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE, round(start * RATE), Fraction(1, RATE)
            for packet in stream.encode(frame):
                out.mux_one(packet)
    return path


def test_silence_between_packets_stays_where_it_was(tmp_path: Path) -> None:
    samples, report = heard(packets(tmp_path / "a.mkv", [0.0, 0.1, 2.0, 2.1]))
    loud = np.flatnonzero(np.abs(samples) > 0.05) / 16_000
    assert len(samples) == pytest.approx(2.2 * 16_000, abs=2)
    assert not ((loud > 0.205) & (loud < 1.995)).any()
    assert loud.max() > 2.19 and report.warnings == () and report.decoded == pytest.approx(0.4 * 16_000, abs=4)


def test_sound_that_begins_after_the_pictures_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w", format="matroska") as out:
        pictures = out.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        for index in range(50):
            picture = av.VideoFrame(64, 48, "yuv420p")
            picture.pts = index
            out.mux(pictures.encode(picture))
        frame = av.AudioFrame.from_ndarray(np.full((1, 2 * RATE // 2), 9000, np.int16), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, RATE, Fraction(1, RATE)
        out.mux(sound.encode(frame))
        out.mux([*pictures.encode(None), *sound.encode(None)])
    samples, _ = heard(path)
    assert np.flatnonzero(np.abs(samples) > 0.1)[0] / 16_000 == pytest.approx(1.0, abs=0.002)
    assert len(samples) == pytest.approx(1.5 * 16_000, abs=2)


def test_a_timeline_believes_gaps_and_not_lies() -> None:
    tick = 20_000_000

    def placed(starts: list[int | None]) -> tuple[int, tuple[str, ...]]:
        timeline = Timeline(length_ns=60 * NS, limit_ns=3600 * NS)
        for at, following in zip(starts, [*starts[1:], None], strict=True):
            timeline.place(at, following, tick)
        return timeline.heard_ns, timeline.warnings

    steady = [n * tick for n in range(50)]
    assert placed(steady) == (50 * tick, ())
    assert placed([None] * 50) == (50 * tick, ())
    assert placed([s + (n % 2) * 10_000_000 for n, s in enumerate(steady)]) == (50 * tick, ())
    sparse = [n * 400_000_000 for n in range(50)]
    assert placed(sparse) == (49 * 400_000_000 + tick, ()), "discontinuous transmission: each packet after a gap"
    one_lie = [*steady[:10], 30 * NS, *steady[11:]]
    assert placed(one_lie)[0] == 50 * tick and placed(one_lie)[1] != ()
    assert placed([s - 5 * NS for s in steady])[0] == 50 * tick, "before the zero"
    assert placed([*steady[:10], *(s + 500 * NS for s in steady[10:])])[0] == 50 * tick, "past the file's own end"


def test_channels_are_averaged_and_opposed_ones_cancel(tmp_path: Path) -> None:
    path = tmp_path / "five.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=16_000, layout="5.1")
        levels = np.array([0.6, 0.3, -0.3, 0.9, 1.2, 0.0], np.float32)
        frame = av.AudioFrame.from_ndarray(np.tile(levels, 16_000)[None, :], format="flt", layout="5.1")
        frame.sample_rate = 16_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    samples, _ = heard(path)
    assert len(samples) == 16_000
    assert samples[100:-100] == pytest.approx(0.45, abs=1e-5)


@pytest.mark.parametrize(
    "codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw"]
)
def test_every_sample_format_has_the_same_scale(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, 4000), 0.5, np.float32), format="flt", layout="mono")
        frame.sample_rate = 16_000
        shaper = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=16_000)
        for shaped in shaper.resample(frame):
            out.mux(stream.encode(shaped))
        out.mux(stream.encode(None))
    samples, _ = heard(path)
    assert samples[1000:3000] == pytest.approx(0.5, abs=0.02)


def test_samples_that_are_no_numbers_do_not_silence_the_other_channel(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f64le", rate=16_000, layout="stereo")
        values = np.tile([np.nan, 0.5, np.inf, 0.5, 1e300, 0.5], 1000)
        values[3000:] = np.tile([0.0, 0.5], 1500)
        frame = av.AudioFrame.from_ndarray(values[None, :], format="dbl", layout="stereo")
        frame.sample_rate = 16_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    samples, _ = heard(path)
    assert np.isfinite(samples).all() and len(samples) == 3000
    assert samples[2000:2900] == pytest.approx(0.25, abs=1e-3)


def test_two_passes_give_the_same_bits(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", seconds=2)
    assert np.array_equal(heard(path)[0], heard(path)[0])


def test_the_sound_of_a_span_is_the_same_samples_cut_out(tmp_path: Path) -> None:
    path = str(clip(tmp_path / "a.webm", seconds=3))
    whole, _ = heard(path)
    span = Span(start_ns=11 * NS, end_ns=12 * NS + NS // 2)
    cut = audio_between(path, span, params=PARAMS, offset_ns=10 * NS)
    assert np.array_equal(cut, whole[16_000:40_000])
    assert len(audio_between(path, Span(start_ns=50 * NS, end_ns=51 * NS), params=PARAMS)) == 0
    assert len(audio_between(path, Span(start_ns=0, end_ns=NS), params=PARAMS, offset_ns=2 * NS)) == 0


def test_broken_packets_are_skipped_and_counted(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.flac", seconds=3)
    body = bytearray(path.read_bytes())
    body[len(body) // 2 : len(body) // 2 + 4000] = bytes(4000)
    path.write_bytes(body)
    samples, report = heard(path)
    assert report.warnings == ("damaged sound: some of it could not be decoded",)
    assert len(samples) == pytest.approx(3 * 16_000, abs=2), "what is missing is silence, the rest stays in its place"


def test_a_rate_that_is_no_rate_of_sound_is_refused(tmp_path: Path) -> None:
    body = bytearray(clip(tmp_path / "a.wav").read_bytes())
    body[24:28] = (1).to_bytes(4, "little")
    (tmp_path / "slow.wav").write_bytes(body)
    samples, report = heard(tmp_path / "slow.wav")
    assert len(samples) == 0 and report.broken == "broken audio: 1 samples a second is no rate of sound"


def test_limits_of_time_end_the_pass_with_a_reason(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.wav", seconds=5)
    samples, report = heard(path, Params(max_duration_s=2))
    assert report.broken == "over the time limit: sound goes on past 2 s" and len(samples) <= 2.3 * 16_000
    late = AudioReader(str(path), params=PARAMS, deadline=Deadline(-1))
    assert list(late) == [] and late.report.broken.startswith("over the time limit")


def test_a_file_without_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no decodable stream: no audio"):
        list(AudioReader(str(clip(tmp_path / "a.gif")), params=PARAMS))


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    peaks = []
    for seconds in (10, 100):
        path = clip(tmp_path / f"{seconds}.wav", seconds=seconds)
        tracemalloc.start()
        for _ in AudioReader(str(path), params=PARAMS):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
