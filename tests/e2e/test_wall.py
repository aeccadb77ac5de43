"""The wall: ordinary deletion goes on without the vault, and whatever it does, the vault stays as it is (I2)."""

import hashlib
import json
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grimp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.app import recordings
from pipeline.app.home import Home
from pipeline.config.shipped import shipped
from pipeline.recordings.ledger import Ledger
from tests.home import TestHome
from tests.unit.recordings.shelf import Shelf

BEN = shipped("configs/samples") / "session" / "ben.mp4"
ORDINARY = ("pipeline.recordings", "pipeline.app.recordings", "pipeline.cli.recordings")
EVIDENCE = ("pipeline.vault", "pipeline.custody", "pipeline.export", "pipeline.people")
NOW = datetime.now(UTC)


def test_no_import_leads_from_ordinary_deletion_to_evidence() -> None:
    graph = grimp.build_graph("pipeline", cache_dir=None)
    for evidence in EVIDENCE:
        for ordinary in ORDINARY:
            chain = graph.find_shortest_chain(ordinary, evidence, as_packages=True)
            assert chain is None, " -> ".join(chain)
    assert graph.find_shortest_chain("pipeline.app.evidence", "pipeline.vault", as_packages=True)


def _evidence(home: TestHome) -> str:
    """A digest of all that evidence is: vault files, every row of the catalog, and the keys beside them."""
    digest = hashlib.sha256()
    for folder in (home.root / "vault", home.keys / "vault", home.master):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(str(path).encode() + path.read_bytes())
    with closing(sqlite3.connect(f"file:{home.root}/catalog/catalog.db?mode=ro", uri=True)) as catalog:
        for line in catalog.iterdump():
            digest.update(line.encode())
    return digest.hexdigest()


def _folders(home: TestHome) -> tuple[Path, ...]:
    return home.root / "vault", home.root / "catalog", home.keys / "vault", home.master


def _away(folder: Path) -> None:
    pass


def _a_file(folder: Path) -> None:
    folder.write_bytes(b"no folder at all")


def _garbage(folder: Path) -> None:
    folder.mkdir()
    for name in ("catalog.db", "store", "master.key"):
        (folder / name).write_bytes(b"garbage " * 512)


def _closed(folder: Path) -> None:
    folder.mkdir(mode=0)


WAYS: dict[str, Callable[[Path], None]] = {"away": _away, "file": _a_file, "garbage": _garbage, "closed": _closed}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    """A home with a flagged recording for each way in which a vault can be unusable, and one that is not managed."""
    home = TestHome(tmp_path_factory.mktemp("wall"))
    entries: list[dict[str, Any]] = []
    for number, name in enumerate((*WAYS, "old", "theirs")):
        path = home.root.parent / f"{name}.mp4"
        path.write_bytes(BEN.read_bytes() + (b"\0\0\0\x08free" * number))  # the same sound, other content
        started = "2020-01-01T00:00:00Z" if name == "old" else "2999-01-01T00:00:00Z"
        person = {"handle": name, "account": f"account-{name}", "ip": "203.0.113.7"}
        entries.append({"uri": str(path), "session_id": name, "stream_id": name, "started_at": started,
                        "participants": [person], "managed": name != "theirs"})  # fmt: skip
    manifest = home.root.parent / "m.jsonl"
    manifest.write_text("".join(json.dumps(e) + "\n" for e in entries))
    home.configure("recordings: {keep_days: 30}\n")
    report = home.json("scan", "--manifest", str(manifest), "--ray", "off")
    assert report["totals"]["incidents"] == len(entries)
    return home


def test_ordinary_deletion_goes_on_without_the_vault_and_leaves_it_whole(home: TestHome) -> None:
    before, incidents = _evidence(home), home.json("incidents", "list")
    for number, (way, breaks) in enumerate(WAYS.items()):
        aside = [folder.rename(folder.with_name(folder.name + ".aside")) for folder in _folders(home)]
        for folder in _folders(home):
            breaks(folder)
        done = home.json("recordings", "delete", "--account", f"account-{way}", "--apply")
        assert (done["forgotten"], done["removed"], done["emptied"]) == (1, 1, True), way
        swept = home.json("recordings", "sweep", "--apply")
        assert [r["session"] for r in swept["recordings"]] == ([] if number else ["old"]), way
        for folder, there in zip(_folders(home), aside, strict=True):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink(missing_ok=True)
            there.rename(folder)
        assert not (home.root.parent / f"{way}.mp4").exists()
        assert _evidence(home) == before, way
    kept = home.json("recordings", "delete", "--account", "account-theirs", "--apply")
    assert [Path(t["uri"]).name for t in kept["told"]] == ["theirs.mp4"] and Path(kept["told"][0]["uri"]).exists()
    assert _evidence(home) == before
    assert home.json("recordings", "list")["recordings"] == []
    assert home.json("runs", "show", "last")["recordings"] == []
    assert home.json("incidents", "list") == incidents
    assert home.json("evidence", "verify")["problems"] == []
    traces = [b"account-", b".mp4", b"203.0.113.7"]
    stored = b"".join(p.read_bytes() for p in (home.root / "recordings").iterdir())
    assert not [t for t in traces if t in stored]


_accounts = st.sampled_from(["a", "b", "c"])
_acts = st.one_of(
    st.tuples(st.just("scan"), _accounts, st.integers(0, 60)),
    st.tuples(st.just("account"), _accounts, st.just(0)),
    st.tuples(st.just("participant"), _accounts, st.just(0)),
    st.tuples(st.just("age"), _accounts, st.integers(0, 60)),
    st.tuples(st.just("sweep"), _accounts, st.booleans().map(int)),
    st.tuples(st.just("cut off"), _accounts, st.integers(1, 3)),
)


def _act(shelf: Shelf, home: Home, number: int, act: tuple[str, str, int]) -> None:
    verb, account, days = act
    if verb == "scan":
        shelf.begin(f"run {number}")
        began = NOW - timedelta(days=days)
        shelf.scan(shelf.recording(shelf.file(f"{account}{days}"), account=account, started_at=began), at=NOW)
    elif verb == "sweep":
        recordings.sweep(home, apply=bool(days))
    elif verb == "age":
        recordings.delete(home, {}, older_than=days, apply=True)
    elif verb == "cut off":

        def stop(done: int, total: int) -> None:
            if done == days:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            recordings.delete(home, {"account": account}, older_than=None, apply=True, counting=stop)
    else:
        name = account if verb == "account" else f"h-{account}"
        recordings.delete(home, {verb: name}, older_than=None, apply=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(_acts, max_size=10))
def test_no_sequence_of_ordinary_deletions_changes_the_vault(
    home: TestHome, tmp_path: Path, acts: list[tuple[str, str, int]]
) -> None:
    before = _evidence(home)
    place = Home.at(home.root)
    media = tmp_path / "media"
    for folder in (place.recordings, media):
        shutil.rmtree(folder, ignore_errors=True)
    ledger = Ledger.open(place.recordings, (home.keys / "recordings" / "recordings.key").read_bytes())
    shelf = Shelf(ledger, media)
    for number, act in enumerate(acts):
        _act(shelf, place, number, act)
        assert _evidence(home) == before, act
    recordings.delete(place, {}, older_than=0, apply=True)
    assert shelf.held() == [] and list(media.iterdir()) == []
    assert _evidence(home) == before
    ledger.close()


def test_a_deletion_that_is_killed_goes_on_and_leaves_no_managed_file(home: TestHome, tmp_path: Path) -> None:
    shutil.rmtree(home.root / "recordings", ignore_errors=True)
    before = _evidence(home)
    ledger = Ledger.open(home.root / "recordings", (home.keys / "recordings" / "recordings.key").read_bytes())
    shelf = Shelf(ledger, tmp_path / "media")
    shelf.begin("run")
    for number in range(150):
        shelf.scan(shelf.recording(shelf.file(f"{number}.mp4")), at=NOW)
    ledger.close()
    with home.start("recordings", "delete", "--account", "ann", "--apply") as process:
        while process.poll() is None and len(list(shelf.folder.iterdir())) == 150:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    left = list(shelf.folder.iterdir())
    waiting = home.json("recordings", "list")["waiting"]
    assert {str(p) for p in left} <= {w["uri"] for w in waiting} and left
    home.run("recordings", "delete", "--account", "ann", "--apply")
    assert list(shelf.folder.iterdir()) == []
    assert home.json("recordings", "list") == {"keep_days": 30, "recordings": [], "waiting": []}
    assert _evidence(home) == before


def test_what_may_not_be_scanned_is_held_and_deleted_all_the_same(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    policy = shipped("configs/policies/video-chat.yaml").read_text(encoding="utf-8")
    assert "scanning:\n  permitted: true\n" in policy
    forbids = tmp_path / "forbids.yaml"
    forbids.write_text(policy.replace("scanning:\n  permitted: true\n", "scanning:\n  permitted: false\n"))
    path = tmp_path / "ann.mp4"
    shutil.copyfile(BEN, path)
    entry = {
        "uri": str(path),
        "session_id": "s",
        "stream_id": "a",
        "managed": True,
        "participants": [{"account": "ann"}],
    }
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(json.dumps(entry) + "\n")
    home.run("scan", "--manifest", str(manifest), "--policy", str(forbids), "--ray", "off", expect=1)
    (held,) = home.json("recordings", "list", "--account", "ann")["recordings"]
    assert (held["read"], held["managed"]) == ("none", True)
    assert home.json("recordings", "delete", "--account", "ann", "--apply")["removed"] == 1
    assert not path.exists() and home.json("runs", "show", "last")["recordings"] == []
