"""Ordinary content at the command line: a plan first, one home at a time, and nothing of evidence is needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.app import recordings
from pipeline.app.home import Home
from pipeline.cli.recordings import app
from pipeline.core.errors import BusyError, ConfigError
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.lock import HomeLock
from pipeline.runtime.inspect import recording_id
from tests.unit.recordings.shelf import Shelf

KEY = b"k" * 32
NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with the recordings key and no other: no master key, no catalog, no vault."""
    found = Home.at(tmp_path / "home")
    found.root.mkdir(mode=0o700)
    key = found.keys / "recordings" / "recordings.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(KEY)
    return found


@pytest.fixture
def shelf(home: Home, tmp_path: Path) -> Iterator[Shelf]:
    """Two recordings: ann's of today, managed; ben's of 40 days ago, not."""
    ledger = Ledger.open(home.recordings, KEY)
    ledger.begin_run("run-1", at=NOW, actor="a", command="c")
    made = Shelf(ledger, tmp_path / "media")
    made.scan(made.recording(made.file("ann.mp4"), started_at=NOW), at=NOW)
    old = NOW - timedelta(days=40)
    made.scan(made.recording(made.file("ben.mp4"), account="ben", started_at=old, managed=False), at=NOW)
    yield made
    ledger.close()


def configure(home: Home, text: str) -> None:
    (home.root / "config.yaml").write_text(text)


def cli(home: Home, *args: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, [*args, "--home", str(home.root)], catch_exceptions=False)
    assert done.exit_code == expect, done.output
    return done


def told(home: Home, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli(home, *args, "--json").stdout)
    return found


def test_what_is_held_is_listed_with_its_deadline(home: Home, shelf: Shelf) -> None:
    found = told(home, "list")
    assert [r["deadline"] for r in found["recordings"]] == ["none", "none"]
    configure(home, "recordings: {keep_days: 30}")
    ben, ann = told(home, "list")["recordings"]
    assert (ben["people"], ben["managed"]) == ([{"handle": "h-ben", "account": "ben"}], False)
    assert ben["deadline"] < NOW.isoformat() < ann["deadline"]
    assert [r["uri"] for r in told(home, "list", "--account", "ann")["recordings"]] == [ann["uri"]]
    assert ann["uri"] in cli(home, "list").stdout


def test_a_deletion_is_a_plan_until_it_is_applied(home: Home, shelf: Shelf) -> None:
    ann = shelf.folder / "ann.mp4"
    plan = told(home, "delete", "--account", "ann")
    assert (plan["applied"], plan["forgotten"]) == (False, 0)
    assert [(f["uri"], f["removes"]) for f in plan["recordings"][0]["files"]] == [(str(ann), True)]
    assert ann.exists() and len(told(home, "list")["recordings"]) == 2
    done = told(home, "delete", "--account", "ann", "--apply")
    assert (done["applied"], done["forgotten"], done["removed"], done["told"]) == (True, 1, 1, [])
    assert not ann.exists() and shelf.held() == ["ben.mp4"]


def test_a_sweep_takes_what_is_past_its_deadline_and_tells_what_is_not_ours(home: Home, shelf: Shelf) -> None:
    assert told(home, "sweep", "--apply")["forgotten"] == 0
    configure(home, "recordings: {keep_days: 30}")
    assert [r["session"] for r in told(home, "sweep")["recordings"]] == ["session-ben.mp4"]
    done = told(home, "sweep", "--apply")
    ben = str(shelf.folder / "ben.mp4")
    assert (done["keep_days"], done["forgotten"], [f["uri"] for f in done["told"]]) == (30, 1, [ben])
    assert Path(ben).exists() and shelf.held() == ["ann.mp4"]
    assert [f["uri"] for f in told(home, "list", "--told")["told"]] == [ben]


def test_a_recording_is_named_by_the_beginning_of_its_id_if_that_says_which(home: Home, shelf: Shelf) -> None:
    ben = told(home, "list")["recordings"][0]["recording_id"]
    assert told(home, "delete", "--recording", ben[:10])["recordings"][0]["recording_id"] == ben
    with pytest.raises(ConfigError, match="no recording begins with 'nothing'"):
        recordings.delete(home, {"recording": "nothing"}, older_than=None, apply=True)


def test_age_alone_is_enough_and_nothing_is_not(home: Home, shelf: Shelf) -> None:
    assert len(told(home, "delete", "--older-than", "39")["recordings"]) == 1
    assert told(home, "delete", "--older-than", "41")["recordings"] == []
    with pytest.raises(ConfigError, match="say which recordings"):
        recordings.delete(home, {}, older_than=None, apply=True)


def test_a_file_that_cannot_be_removed_yet_is_said_and_is_exit_1(home: Home, shelf: Shelf) -> None:
    away = shelf.folder.rename(shelf.folder.with_name("away"))
    said = cli(home, "delete", "--account", "ann", "--apply", expect=1).stderr
    assert "still to be removed" in said and "mounted" in said
    away.rename(shelf.folder)
    assert told(home, "sweep", "--apply")["removed"] == 1
    assert told(home, "list")["waiting"] == []


def test_while_a_scan_runs_a_plan_is_shown_and_carrying_it_out_refused(home: Home, shelf: Shelf) -> None:
    with HomeLock(home.lock, at=NOW):
        assert told(home, "delete", "--account", "ann")["recordings"]
        with pytest.raises(BusyError, match="is in use by process"):
            recordings.delete(home, {"account": "ann"}, older_than=None, apply=True)
    assert shelf.held() == ["ben.mp4", "ann.mp4"]


def test_a_home_where_nothing_was_scanned_has_nothing_and_stays_so(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert told(home, "list")["recordings"] == told(home, "delete", "--account", "a", "--apply")["recordings"] == []
    assert told(home, "sweep", "--apply")["applied"] is False
    assert list(tmp_path.iterdir()) == []


def test_without_its_key_nothing_is_opened_and_no_key_is_made(home: Home, shelf: Shelf) -> None:
    shutil.rmtree(home.keys)
    with pytest.raises(ConfigError, match=r"recordings\.key is missing but .* restore it"):
        recordings.listed(home, {})
    assert not home.keys.exists()


def test_whether_it_may_be_deleted_makes_no_other_recording(shelf: Shelf) -> None:
    one = shelf.recording(shelf.folder / "ann.mp4")
    other = replace(one, managed=False, chat="/srv/chat.jsonl")
    assert recording_id(KEY, one, ["d"]) == recording_id(KEY, other, ["d"])
