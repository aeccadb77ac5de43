"""A crash at any moment leaves nothing visible or everything, and the same call again ends the same way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.errors import FencedError, SealError
from pipeline.vault import disk
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import CANARIES, Place, drafts, incident, recording, seal_one, span


class Crash(BaseException):
    """The process is gone: nothing that catches errors catches this."""


def conclude(vault: Vault) -> tuple[str, ...]:
    of = recording()
    return seal_one(vault, of, [(incident(of, span(1, 2)), drafts(span(1, 2)))])


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> list[int]:
    """Raise `error` at the given durable step (fsync, link, unlink) of ours; the count of steps so far."""
    steps = [0]

    def failing(really: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            steps[0] += 1
            if steps[0] == number:
                raise error
            return really(*args, **kwargs)

        return step

    monkeypatch.setattr(disk.os, "fsync", failing(os.fsync))
    monkeypatch.setattr(disk.os, "link", failing(os.link))
    return steps


@pytest.mark.parametrize("error", [Crash(), OSError(28, "No space left on device")], ids=["crash", "full disk"])
def test_a_failure_at_any_durable_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    number, done = 0, False
    template = Place(tmp_path / "template")
    with template.open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        other = recording(1)
        seal_one(vault, other, [(incident(other, span(1, 2)), drafts(span(1, 2)))], conclusion="c0")
    while not done:
        number += 1
        place = Place(tmp_path / str(number))
        subprocess.run(["cp", "-r", template.root, place.root], check=True)
        with place.open() as vault, monkeypatch.context() as patch:
            crash_at(patch, number, error)
            try:
                conclude(vault)
                done = True
            except (Crash, SealError, OSError):
                pass
        with place.open() as vault:
            visible = [i for i in vault.incidents() if i.recording_id == recording().recording_id]
            assert len(visible) == (vault.concluded("c1") is not None)
            assert all(len(i.records) == 5 for i in visible)
            assert vault.verify().problems == ()
            vault.remove_orphans()
            assert not vault.orphans()
            assert len(place.files()) == 1 + len(visible)
            vault.begin_run("run-2", "os:ada(1000)")
            of = recording()
            pairs = [(incident(of, span(1, 2)), drafts(span(1, 2)))]
            assert len(seal_one(vault, of, pairs, run="run-2")) == 1
            assert len(vault.incidents()) == 2
            assert vault.verify().problems == ()
    assert number > 10


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.vault import disk
from tests.unit.vault.conftest import Place
from tests.unit.vault.test_crash import conclude
really, left = os.fsync, [int(sys.argv[2])]
def fsync(handle):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    really(handle)
vault = Place(Path(sys.argv[1])).open()
disk.os.fsync = fsync
conclude(vault)
"""


@pytest.mark.parametrize(("step", "committed"), [(2, False), (6, False), (9, False), (11, True)])
def test_a_killed_process_leaves_nothing_readable_and_all_or_nothing(
    vault: Vault, place: Place, step: int, committed: bool
) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(place.root), str(step)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(vault.incidents()) == committed
    assert bool(vault.orphans()) is not committed
    left = [p for p in place.root.rglob("*") if p.is_file()]
    assert not [(p, c) for p in left for c in CANARIES if c in p.read_bytes()]
    vault.remove_orphans(actor="os:ada(1000)")
    assert len(place.files()) == committed
    vault.begin_run("run-2", "os:ada(1000)")
    of = recording()
    seal_one(vault, of, [(incident(of, span(1, 2)), drafts(span(1, 2)))], run="run-2")
    assert vault.verify().problems == ()


def test_removing_orphans_fences_a_straggler_off(vault: Vault, place: Place) -> None:
    of = recording()

    def slow() -> object:
        yield incident(of, span(1, 2)), drafts(span(1, 2))
        with place.open() as other:
            other.remove_orphans()

    with pytest.raises((FencedError, SealError)):
        seal_one(vault, of, slow())  # type: ignore[arg-type]
    assert vault.incidents() == ()


def test_a_draft_that_cannot_be_cut_seals_nothing(vault: Vault, place: Place) -> None:
    of = recording()

    def broken() -> object:
        yield incident(of, span(1, 2)), drafts(span(1, 2))
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        seal_one(vault, of, broken())  # type: ignore[arg-type]
    assert vault.incidents() == ()
    assert place.files() == []
