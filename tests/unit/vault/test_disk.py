"""Durable files: synced before they get their name, whole or not there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.vault import disk
from pipeline.vault.disk import make_folder, replace, write_once, writing


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def watched(name: str, really: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            if name == "fsync":
                is_folder = stat.S_ISDIR(os.fstat(args[0]).st_mode)  # type: ignore[arg-type]
                seen.append("sync folder" if is_folder else "sync file")
            else:
                seen.append(name)
            return really(*args, **kwargs)

        return step

    for name in ("fsync", "link", "replace"):
        monkeypatch.setattr(disk.os, name, watched(name, getattr(os, name)))
    return seen


def test_a_new_file_is_durable_before_it_has_its_name_and_the_name_before_it_counts(
    tmp_path: Path, steps: list[str]
) -> None:
    write_once(tmp_path / "one", writing(b"body"))
    assert steps == ["sync file", "link", "sync folder"]
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_a_replaced_file_is_durable_before_it_takes_the_place(tmp_path: Path, steps: list[str]) -> None:
    replace(tmp_path / "one", b"first")
    assert steps == ["sync file", "replace", "sync folder"]
    replace(tmp_path / "one", b"second")
    assert (tmp_path / "one").read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_a_file_is_written_once(tmp_path: Path) -> None:
    write_once(tmp_path / "one", writing(b"first"))
    with pytest.raises(FileExistsError):
        write_once(tmp_path / "one", writing(b"second"))
    assert (tmp_path / "one").read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_files_and_folders_are_their_owners_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        make_folder(tmp_path / "a/b")
        write_once(tmp_path / "a/b/one", writing(b""))
    finally:
        os.umask(old)
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a/b/one").stat().st_mode & 0o777 == 0o600
