"""A media file opens nothing but itself, never blocks, and every refusal has a name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.core.errors import NotYetError, SourceError
from pipeline.ingest.audio import AudioReader
from pipeline.ingest.opener import (
    Deadline,
    audio_stream,
    cut_off,
    cut_short,
    open_media,
    start_ns,
    unread,
    video_stream,
)
from pipeline.ingest.params import Params
from pipeline.ingest.probe import probe
from pipeline.ingest.regular import regular_file
from tests.devset import devset
from tests.hostile import corpus
from tests.hostile_media import (
    FORMS,
    RATE,
    alias,
    clip,
    matroska,
    picture_size,
    rewritten,
    tone,
    track,
    write_sound,
)

PARAMS = Params()


def refusal(path: Path | str, params: Params = PARAMS) -> str:
    with pytest.raises(SourceError) as caught, open_media(str(path), params):
        pass
    return caught.value.reason


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_recording_opens_under_a_name_that_says_nothing(tmp_path: Path, form: str) -> None:
    path = clip(tmp_path / f"a.{form}").rename(tmp_path / "recording")
    with open_media(str(path), PARAMS) as container:
        video, audio = FORMS[form]
        assert (video_stream(container) is not None) == bool(video)
        assert (audio_stream(container) is not None) == bool(audio)
        assert not cut_short(container) and not cut_off(str(path))
        assert unread(container, PARAMS) == ()


def test_an_external_data_reference_is_not_followed(tmp_path: Path) -> None:
    secret = clip(tmp_path / "secret.mov")
    plain = clip(tmp_path / "pointer.mov").read_bytes()
    inside = (b"moov", b"trak", b"mdia", b"minf", b"dinf")
    pointer = tmp_path / "pointer.mov"
    pointer.write_bytes(rewritten(plain, inside, {b"dref": alias(secret)}))

    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(pointer), options=options) as container:
        heard = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
    assert heard > 1000, "the file does point at another one: libav follows it where it is told to"

    reader = AudioReader(str(pointer), params=PARAMS)
    assert all(not block.any() for _, block in reader)


def test_no_file_of_the_corpus_makes_the_process_open_another_one(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: which files are opened cannot be watched")
    items = corpus(tmp_path)
    script = (
        "import sys\n"
        "from pipeline.core.errors import SourceError\n"
        "from pipeline.ingest.opener import open_media\n"
        "from pipeline.ingest.params import Params\n"
        "for path in sys.stdin.buffer.read().split(b'\\0'):\n"
        "    try:\n"
        "        with open_media(path.decode('utf-8', 'surrogateescape'), Params()) as c:\n"
        "            for packet in c.demux(): pass\n"
        "    except (SourceError, ValueError): pass\n"
    )
    names = [os.fsencode(item.path) for item in items if Path(item.path).name != "secret.wav"]
    trace = tmp_path.parent / f"{tmp_path.name}.trace"
    run = subprocess.run(
        ["strace", "-f", "-o", trace, "-e", "trace=open,openat,openat2,connect,execve", sys.executable, "-c", script],
        input=b"\0".join(names),
        check=False,
        capture_output=True,
        timeout=60,
    )
    if run.returncode and b"ptrace" in run.stderr:
        pytest.skip("this machine does not allow tracing")
    assert run.returncode == 0, run.stderr
    lines = trace.read_text(errors="replace").splitlines()
    assert any("real.mp4" in line for line in lines)
    assert not [line for line in lines if "secret" in line or "connect(" in line]


def test_special_files_are_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp4")
    begin = time.monotonic()
    assert refusal(tmp_path / "fifo.mp4") == "not a regular file: fifo"
    assert refusal("/dev/zero") == "not a regular file: device"
    assert refusal(tmp_path) == "not a regular file: folder"
    assert refusal(tmp_path / "gone.mp4").startswith("not there")
    assert refusal(tmp_path / "gone.mp4" / "x").startswith("not there")
    assert refusal("nul\0.mp4").startswith("cannot be opened")
    assert refusal("x" * 300).startswith("cannot be opened")
    assert time.monotonic() - begin < 20, "nothing blocked"


def test_a_file_that_this_user_may_not_read_is_named(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.wav")
    path.chmod(0)
    tmp_path.chmod(0o755)
    script = (
        "import os, sys\n"
        "from pipeline.core.errors import SourceError\n"
        "from pipeline.ingest.regular import regular_file\n"
        "if os.getuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    with regular_file(sys.argv[1]): print('opened')\n"
        "except SourceError as error: print(error.reason)\n"
    )
    reachable = Path("/tmp") / f"watchkeep-{os.getpid()}.wav"  # pytest's own folders are closed to other users
    path.rename(reachable)
    try:
        run = subprocess.run([sys.executable, "-c", script, reachable], capture_output=True, text=True, check=True)
    finally:
        reachable.unlink()
    assert run.stdout.startswith("permission denied")


def test_a_file_that_becomes_a_link_between_two_looks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, secret = clip(tmp_path / "a.wav"), clip(tmp_path / "secret.wav")
    look = os.lstat

    def swap(name: str) -> os.stat_result:
        found = look(name)
        path.unlink()
        path.symlink_to(secret)
        return found

    monkeypatch.setattr("pipeline.ingest.regular.os.lstat", swap)
    with pytest.raises(SourceError, match="cannot be opened"), regular_file(str(path)):
        pass


def test_a_recording_without_its_index_is_still_being_written_only_while_it_is_young(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mp4").read_bytes()
    path = tmp_path / "b.mp4"
    path.write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(NotYetError, match="still being written"):
        open_media(str(path), PARAMS)
    os.utime(path, (time.time() - 60,) * 2)
    assert refusal(path) == "not media: its index (moov) is missing; the recorder did not finish it"


def test_streams_and_pixels_are_bounded_before_anything_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "wide.webm"
    path.write_bytes(matroska(track(b"V_VP8", rest=picture_size(9000, 9000))))
    assert refusal(path) == "oversized pixels: 9000x9000, the limit is 64000000 pixels"
    many = tmp_path / "many.mkv"
    many.write_bytes(matroska(*(track(b"A_PCM/INT/LIT", kind=2, index=n) for n in range(1, 5))))
    assert refusal(many, Params(max_streams=3)) == "too many streams: 4, the limit is 3"


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        art = out.add_stream("mjpeg", rate=1)
        art.width, art.height, art.pix_fmt, art.disposition = 64, 64, "yuvj420p", av.stream.Disposition.attached_pic
        sound = out.add_stream("aac", rate=48_000, layout="stereo")
        out.mux(art.encode(av.VideoFrame(64, 64, "yuvj420p")))
        out.mux(art.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 48_000
        out.mux(sound.encode(silence))
        out.mux(sound.encode(None))
    with open_media(str(path), PARAMS) as container:
        assert video_stream(container) is None
        assert audio_stream(container) is not None
        assert unread(container, PARAMS) == ("cover art is not read",)


def test_media_time_begins_with_the_earliest_stream() -> None:
    with open_media(str(devset("video", "real", "movie-hello.mpeg")), PARAMS) as container:
        assert start_ns(container) == 524_000_000
    with open_media(str(devset("video", "broken", "audio_only.mp4")), PARAMS) as container:
        assert start_ns(container) == 9_000_000


@pytest.mark.parametrize("form", ["mp4", "mkv", "webm", "avi", "wav"])
def test_a_file_that_was_cut_off_is_known_by_what_it_says_itself(tmp_path: Path, form: str) -> None:
    options = {"movflags": "faststart"} if form == "mp4" else {}
    path = clip(tmp_path / f"a.{form}", options=options)
    path.write_bytes(path.read_bytes()[:-3000])
    with open_media(str(path), PARAMS) as container:
        assert cut_short(container) or cut_off(str(path))
    assert probe(str(path), Params(settle_s=0)).warnings[:1] == (
        "the data end early: the file is shorter than it says",
    )


def test_a_task_that_takes_too_long_is_named() -> None:
    deadline = Deadline(0.01)
    deadline.check()
    time.sleep(0.02)
    with pytest.raises(SourceError, match="over the time limit"):
        deadline.check()


def test_libav_is_told_to_open_nothing_but_the_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The last of three walls: no file gets as far, because formats that name others and their names are refused before.
    path, told, opens = clip(tmp_path / "a.wav"), dict[str, str](), av.open

    def listening(file: str, **given: Any) -> Any:
        told.update(given["options"], file=file)
        return opens(file, **given)

    monkeypatch.setattr(av, "open", listening)
    open_media(str(path), PARAMS).close()
    assert (told["file"], told["protocol_whitelist"], told["enable_drefs"]) == ("fd:", "fd", "0")


def test_a_format_that_is_not_listed_is_no_media(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w", format="nut") as out:
        write_sound(out, out.add_stream("pcm_s16le", rate=RATE, layout="stereo"), tone(0.5))
    assert refusal(path).startswith("not media: no known format")


def test_a_file_that_becomes_a_fifo_between_two_looks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip(tmp_path / "a.wav")
    look = os.lstat

    def swap(name: str) -> os.stat_result:
        found = look(name)
        path.unlink()
        os.mkfifo(path)
        return found

    monkeypatch.setattr("pipeline.ingest.regular.os.lstat", swap)
    with pytest.raises(SourceError, match="not a regular file: fifo"), regular_file(str(path)):
        pass
