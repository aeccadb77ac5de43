"""Names are data: every entry of a folder comes back under the name it has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.core.errors import SourceError
from pipeline.ingest.find import find
from tests.hostile import NAMES


def test_every_entry_of_a_folder_is_found_whatever_its_name(tmp_path: Path) -> None:
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    found = find([str(tmp_path)])
    assert {os.fsencode(path).rsplit(b"/", 1)[1] for path in found} == set(NAMES)
    assert found == sorted(found, key=os.fsencode)


def test_links_inside_a_folder_are_returned_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.mp4").touch()
    (inside / "deep" / "a.mp4").touch()
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "fifo")
    names = ["deep/a.mp4", "fifo", "folder", "loop"]
    assert find([str(inside)]) == [str(inside / name) for name in names]


def test_a_link_that_is_named_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp4").touch()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real" / "a.mp4")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    real = str(tmp_path / "real" / "a.mp4")
    assert find([str(tmp_path / "link.mp4"), str(tmp_path / "folder")]) == [real]


def test_files_come_in_the_order_given_and_once(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    b, a = str(tmp_path / "b"), str(tmp_path / "a")
    assert find([b, a, b, str(tmp_path)]) == [b, a]


def test_a_name_that_is_not_there_is_one_safe_sentence(tmp_path: Path) -> None:
    missing = str(tmp_path / "evil\u202e\n\x1b[31m.mp4")
    with pytest.raises(SourceError) as caught:
        find([missing])
    assert caught.value.reason.isprintable()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    with pytest.raises(SourceError, match="check the name"):
        find([str(tmp_path / "dangling")])


def test_folders_nested_beyond_the_recursion_limit_are_walked(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("deep.mp4", os.O_CREAT, dir_fd=here))
        assert [path.rsplit("/", 1)[1] for path in find([str(top)])] == ["deep.mp4"]
    finally:
        os.close(here)
        # Python's own removal gives up at this depth.
        subprocess.run(["rm", "-rf", top], check=True)
