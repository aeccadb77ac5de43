"""Every file of the corpus and of the development set gets the outcome that belongs to it."""

from __future__ import annotations

import csv
import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from pipeline.core.errors import NotYetError, SourceError
from pipeline.ingest.find import find
from pipeline.ingest.params import Params
from pipeline.ingest.probe import MediaKind, probe
from tests.devset import devset
from tests.hostile import corpus
from tests.hostile_media import clip

PARAMS = Params(settle_s=0)
UNREADABLE = Path("/sys/class/net/lo/speed")
"""A regular file that opens, claims a size, and cannot be read."""


def test_every_hostile_file_gets_its_named_outcome(tmp_path: Path) -> None:
    items = corpus(tmp_path)
    assert set(find([str(tmp_path)])) == {item.path for item in items}
    for item in items:
        if item.reason:
            with pytest.raises(SourceError) as caught:
                probe(item.path, PARAMS)
            assert caught.value.reason.startswith(item.reason), item
        else:
            assert set(item.warnings) <= set(probe(item.path, PARAMS).warnings), item


def test_the_development_set_is_what_its_probe_says() -> None:
    for row in csv.DictReader(devset("video", "probe.csv").read_text().splitlines()):
        path = str(devset(*row["path"].split("/")))
        if row["ffprobe_rc"] != "0":
            with pytest.raises(SourceError, match=r"zero bytes|not media"):
                probe(path, PARAMS)
            continue
        found = probe(path, PARAMS)
        assert (found.has_video, found.has_audio) == (row["n_video"] == "1", row["n_audio"] == "1")
        assert (found.width, found.height) == (int(row["w"] or 0), int(row["h"] or 0))
        assert found.duration_ns == pytest.approx(float(row["duration"]) * 1e9, abs=3e7)
        assert bool(found.warnings) == path.endswith("trunc_quarter.mp4")
        assert found.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_kinds_are_told_by_content_not_by_name(tmp_path: Path) -> None:
    photo = devset("photos", "negative", "scikit-image__coffee.png").read_bytes()
    (tmp_path / "photo.mp4").write_bytes(photo)
    clip(tmp_path / "a.mp4").rename(tmp_path / "a.jpg")
    image, video = probe(str(tmp_path / "photo.mp4"), PARAMS), probe(str(tmp_path / "a.jpg"), PARAMS)
    assert (image.kind, image.width, image.height, image.duration_ns) == (MediaKind.IMAGE, 600, 400, None)
    assert video.kind is MediaKind.AV
    assert probe(str(clip(tmp_path / "a.gif")), PARAMS).kind is MediaKind.VIDEO
    assert probe(str(clip(tmp_path / "a.ogg")), PARAMS).kind is MediaKind.AUDIO


def test_a_file_that_grows_while_it_is_looked_at_is_still_being_written(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.ts")

    def write_on() -> None:
        time.sleep(0.1)
        with path.open("ab") as file:
            file.write(bytes(188))

    writer = threading.Thread(target=write_on)
    writer.start()
    with pytest.raises(NotYetError, match="still being written"):
        probe(str(path), Params())
    writer.join()
    os.utime(path, (time.time() - 60,) * 2)
    assert probe(str(path), Params()).has_video


def test_a_recording_over_the_length_limit_is_refused_and_a_lie_about_it_is_a_warning(tmp_path: Path) -> None:
    path = str(clip(tmp_path / "a.mkv", seconds=3))
    assert probe(path, PARAMS).warnings == ()
    with pytest.raises(SourceError, match="over the time limit: 3 s of media, the limit is 2 s"):
        probe(path, Params(settle_s=0, max_duration_s=2))
    body = bytearray(Path(path).read_bytes())
    at = body.index(b"\x44\x89\x88") + 3
    body[at : at + 8] = bytes.fromhex("41cdcd6500000000")
    lying = tmp_path / "lying.mkv"
    lying.write_bytes(body)
    found = probe(str(lying), PARAMS)
    assert found.warnings == ("the header lies about the length",)
    assert found.duration_ns is not None and found.duration_ns > 86_400 * 10**9


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    path = next(item.path for item in corpus(tmp_path) if item.path.endswith("half-locked.mp4"))
    found = probe(path, PARAMS)
    assert (found.kind, found.audio_codec) == (MediaKind.AUDIO, "aac")
    assert found.warnings == ("encrypted: the video can be read only with a key",)


def test_a_disk_that_gives_up_is_the_outcome_of_its_file() -> None:
    if not UNREADABLE.is_file():
        pytest.skip("needs the kernel's network files: reading the speed of the loopback interface fails")
    with pytest.raises(SourceError, match=r"^cannot be read: "):
        probe(str(UNREADABLE), PARAMS)
