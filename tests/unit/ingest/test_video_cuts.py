"""A recording is cut where a key packet is near, so that chunks never decode what their neighbours decode."""

from pathlib import Path

import pytest

from pipeline.ingest.params import Params
from pipeline.ingest.video_cuts import cuts
from tests.clips import Clip, encode

X264 = {"preset": "ultrafast"}


@pytest.mark.parametrize(
    ("container", "group", "expected"),
    [("mp4", 10, (1, 2, 3)), ("mkv", 10, (1, 2, 3)), ("mpegts", 10, (1, 2, 3)), ("mp4", 10_000, (1,)), ("avi", 10, ())],
    ids=["mp4", "mkv", "ts", "one key packet", "avi"],
)
def test_chunks_begin_where_a_key_packet_is_near(
    tmp_path: Path, container: str, group: int, expected: tuple[int, ...]
) -> None:
    made = Clip(codec="libx264", container=container, seconds=200, rate=1, group=group, size=(64, 48), options=X264)
    path = encode(tmp_path / f"clip.{container}", made)
    assert cuts(str(path), (1, 2, 3), params=Params()) == expected


def test_lines_of_a_part_that_begins_later_count_in_recording_time(tmp_path: Path) -> None:
    made = Clip(codec="libx264", seconds=100, rate=1, group=10, size=(64, 48), options=X264)
    path = encode(tmp_path / "clip.mp4", made)
    assert cuts(str(path), (61,), params=Params(), offset_ns=3_600_000_000_000) == (61,)


def test_a_header_that_lies_long_gives_no_cut_beyond_the_end(tmp_path: Path) -> None:
    made = Clip(codec="libx264", seconds=70, rate=1, group=10, size=(64, 48), options=X264)
    path = encode(tmp_path / "clip.mp4", made)
    assert cuts(str(path), (1, 30), params=Params()) == (1,)
