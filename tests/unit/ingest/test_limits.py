"""The process that parses hostile media dies alone and prints nothing."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import av.logging
import pytest

from pipeline.core.errors import SourceError
from pipeline.ingest.limits import cpu_budget, errors_spoken, quiet_libav
from pipeline.ingest.opener import open_media
from pipeline.ingest.params import Params
from tests.hostile_media import matroska, picture_size, track


def child(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


def test_a_limited_process_leaves_no_core_and_gets_no_more_memory() -> None:
    run = child(
        "import ctypes, resource\n"
        "from pipeline.ingest.limits import limit_process\n"
        "limit_process(3 << 30)\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        "assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0\n"
        "try: bytearray(4 << 30)\n"
        "except MemoryError: print('refused')\n"
    )
    assert run.stdout == "refused\n", run.stderr


def test_a_budget_of_cpu_ends_a_process_that_spins_and_is_given_back() -> None:
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with cpu_budget(60):
        assert resource.getrlimit(resource.RLIMIT_CPU)[0] >= 60
    assert resource.getrlimit(resource.RLIMIT_CPU) == before
    run = child("from pipeline.ingest.limits import cpu_budget\nwith cpu_budget(0.2):\n    while True: pass\n")
    assert run.returncode == -signal.SIGXCPU


def test_libav_is_counted_in_its_own_thread_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wide.webm"
    path.write_bytes(matroska(track(b"V_VP8", rest=picture_size(30_000, 30_000))))

    def look() -> None:
        with pytest.raises(SourceError):
            open_media(str(path), Params())

    with quiet_libav() as here:
        other = threading.Thread(target=look)
        other.start()
        other.join()
        assert not here
        look()
        assert here["error"] > 0 and here.oversized == "30000x30000"
    assert capfd.readouterr() == ("", "")


def test_errors_of_libav_are_those_of_this_thread_and_equal_ones_count() -> None:
    def speak() -> None:
        av.logging.log(av.logging.ERROR, "a decoder", "the same words")

    with quiet_libav() as here:
        before = errors_spoken()
        speak()
        other = threading.Thread(target=speak)
        other.start()
        other.join()
        speak()
        assert errors_spoken() - before == here["error"] == 2
