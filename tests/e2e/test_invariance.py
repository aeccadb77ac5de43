"""What a scan finds does not depend on how the work was cut, on how many workers did it, or on where they ran."""

from pathlib import Path
from typing import Any

import pytest

from tests.home import TestHome
from tests.talk import talk

WAYS = {
    "one chunk, one worker, here": ("1200", ["--ray", "off", "--workers", "1"]),
    "four chunks, two workers, here": ("60", ["--ray", "off", "--workers", "2"]),
    "four chunks, two workers, ray": ("60", ["--ray", "local", "--workers", "2"]),
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talks")
    # Bangs on both sides of a line of the 60 s grid, across it, and far apart.
    talk(folder / "long.mp4", seconds=232, bangs=(20, 57.5, 64, 178))
    talk(folder / "matroska.mkv", seconds=125, bangs=(118.2,), gop=75)
    talk(folder / "stream.ts", seconds=70)
    return folder


def found(home: TestHome, recordings: Path, chunk_s: str, options: list[str]) -> dict[str, Any]:
    home.configure(f"run: {{chunk_s: {chunk_s}}}\n")
    report = home.json("scan", str(recordings), *options)
    assert report["totals"]["canary"] == "ok"
    incidents = home.incidents()
    home.run("evidence", "verify")
    counted = ("uri", "outcome", "frames_sampled", "frames_scored", "frames_repeated", "audio_s", "incidents")
    return {
        "rows": [{name: row[name] for name in counted} for row in report["recordings"]],
        "findings": sorted((i["incident_id"], i["category"], i["start_s"], i["end_s"]) for i in incidents),
        "evidence": sorted((e["record_id"], e["content_mac"]) for i in incidents for e in i["evidence"]),
    }


@pytest.mark.ray
def test_findings_incidents_and_evidence_are_the_same_however_the_work_was_cut(
    recordings: Path, tmp_path: Path
) -> None:
    first: TestHome | None = None
    results: dict[str, dict[str, Any]] = {}
    for way, (chunk_s, options) in WAYS.items():
        home = TestHome(tmp_path / way.replace(" ", "-"), keys_of=first)
        first = first or home
        results[way] = found(home, recordings, chunk_s, options)
    expected = results.pop("one chunk, one worker, here")
    assert len(expected["findings"]) >= 3
    assert len(expected["evidence"]) >= 20
    for way, result in results.items():
        assert result == expected, way
