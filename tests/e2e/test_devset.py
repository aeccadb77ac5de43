"""The development set through the real line: every file gets the outcome its manifest says, and nothing is lost."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.devset import devset
from tests.home import TestHome
from tests.hostile import corpus
from tests.talk import still_clip

OUTCOMES = {
    "audio_only.mp4": ("scanned", ""),
    "text_named.mp4": ("unreadable", "not media"),
    "zero_byte.mp4": ("unreadable", "zero bytes"),
    "trunc_quarter.mp4": ("partial", ""),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    return TestHome(tmp_path_factory.mktemp("devset"))


def rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(r["uri"]).name: r for r in report["recordings"]}


def probe(kind: str) -> dict[str, dict[str, str]]:
    with devset(kind, "probe.csv").open(newline="", encoding="utf-8") as file:
        return {Path(r["path"]).name: r for r in csv.DictReader(file)}


@pytest.fixture(scope="module")
def video(home: TestHome) -> dict[str, dict[str, Any]]:
    return rows(home.json("scan", str(devset("video")), str(devset("vpdq"))))


@pytest.fixture(scope="module")
def audio(home: TestHome) -> dict[str, dict[str, Any]]:
    return rows(home.json("scan", str(devset("audio"))))


def test_every_video_has_the_outcome_that_its_manifest_says(video: dict[str, dict[str, Any]]) -> None:
    for name, found in video.items():
        expected, reason = OUTCOMES.get(name, ("scanned", ""))
        if Path(name).suffix in (".csv", ".txt"):
            expected, reason = "unreadable", "not media"
        assert (found["outcome"], found["reason"][: len(reason)]) == (expected, reason), name
    assert video["movie-hello.ogg"]["warnings"], "its wild audio times must be told"


def test_every_video_is_sampled_once_a_second_over_its_whole_length(video: dict[str, dict[str, Any]]) -> None:
    for name, facts in probe("video").items():
        if facts["v_frames"] and float(facts["v_frames"]) > 0 and name != "trunc_quarter.mp4":
            seconds = float(facts["duration"])
            assert abs(video[name]["frames_sampled"] - seconds) <= 1.5, name
            assert abs(video[name]["duration_s"] - seconds) < 1.0, name
    assert video["trunc_quarter.mp4"]["frames_sampled"] == 1
    assert video["audio_only.mp4"]["frames_sampled"] == 0


def test_the_sound_of_every_file_is_heard_to_its_end(
    video: dict[str, dict[str, Any]], audio: dict[str, dict[str, Any]]
) -> None:
    for found, kind in ((video, "video"), (audio, "audio")):
        for name, facts in probe(kind).items():
            if facts["a_samples_16k"] and name != "movie-hello.ogg":
                expected = float(facts["a_samples_16k"]) / 16_000
                assert abs(found[name]["audio_s"] - expected) < 0.15, name


def test_gunshot_and_explosion_are_found_and_nothing_else(audio: dict[str, dict[str, Any]], home: TestHome) -> None:
    flagged = {name for name, found in audio.items() if found["incidents"]}
    assert flagged == {"freedoom__DSRXPLOD.wav", "freedoom__DSDSHTGN.wav"}
    listed = home.json("incidents", "list")["incidents"]
    assert {i["category"] for i in listed} == {"gunfire_or_explosion"}


def test_ordinary_photos_stay_unflagged_as_images_and_as_still_clips(home: TestHome, tmp_path: Path) -> None:
    photos = sorted(p for p in devset("photos", "negative").iterdir() if p.is_file())
    assert len(photos) == 21
    clips = [still_clip(photo, tmp_path / f"{i}.mp4") for i, photo in enumerate(photos)]
    report = home.json("scan", *map(str, [*photos, *clips]))
    assert [r["outcome"] for r in report["recordings"]] == ["scanned"] * 42
    assert not [r["uri"] for r in report["recordings"] if r["incidents"]]
    assert all(r["frames_scored"] >= 1 for r in report["recordings"])


def test_a_folder_of_everything_hostile_scans_to_the_end(home: TestHome, tmp_path: Path) -> None:
    items = corpus(tmp_path)
    done = home.run("scan", str(tmp_path), str(devset("video", "broken")), "--json", timeout=240)
    found = {r["uri"]: r for r in json.loads(done.stdout)["recordings"]}
    for item in items:
        row = found[item.path]
        assert row["reason"].startswith(item.reason), f"{item.path!r}: {row['outcome']} {row['reason']}"
        if item.reason:
            assert row["outcome"] in ("unreadable", "skipped"), f"{item.path!r}: {row['outcome']}"
        elif Path(item.path).name == "half-locked.mp4":
            assert any(w.startswith("encrypted: the video") for w in row["warnings"]), "its sound is noise, but clear"
        elif Path(item.path).name == "pointer.mov":
            assert row["reason"].endswith("could be decoded"), "its media lie in another file"
        else:
            assert row["outcome"] in ("scanned", "partial", "skipped"), f"{item.path!r}: {row}"


def test_strict_says_what_was_not_seen_and_nothing_scored_is_no_success(home: TestHome) -> None:
    broken = str(devset("video", "broken", "zero_byte.mp4"))
    home.run("scan", broken, expect=1)
    home.run("scan", broken, str(devset("video", "real", "hello_hevc.mp4")), expect=0)
    home.run("scan", broken, str(devset("video", "real", "hello_hevc.mp4")), "--strict", expect=1)
