"""An installation put together from its files."""

from pathlib import Path

import pytest

from pipeline.app.compose import Installation
from pipeline.app.home import Home


@pytest.mark.parametrize("uri", ["a.mp4", "../session/a.mp4", "../alias/a.mp4"])
def test_a_file_that_the_manifest_describes_is_not_listed_again_however_it_is_written(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    (tmp_path / "alias").symlink_to(folder)
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(b"media")
    manifest = folder / "session.jsonl"
    manifest.write_text(f'{{"uri": "{uri}", "session_id": "s"}}\n')
    installation = Installation.open(Home.at(tmp_path / "home"))
    found = installation.recordings((str(folder),), manifest)
    assert [r.session_id for r in found] == ["s", "unknown"]
    assert found[1].uri == str(folder / "b.mp4")
