"""kill -9 of a worker or of the driver at any moment: the same command again ends the same, and nothing leaked."""

import random
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.home import TestHome
from tests.talk import talk

ACCOUNT = "account-canary-7f3a91"
IP = "203.0.113.77"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uri-canary-5c1d")
    for i in range(4):
        talk(folder / f"talk{i}.mp4", seconds=64, bangs=(10 + i, 40))
    people = f'[{{"handle": "a", "account": "{ACCOUNT}", "ip": "{IP}", "identity": "verified"}}]'
    lines = [
        f'{{"uri": "talk{i}.mp4", "session_id": "s{i}", "stream_id": "a", "participants": {people}}}' for i in range(4)
    ]
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def command(folder: Path) -> list[str]:
    return ["scan", "--manifest", str(folder / "manifest.jsonl"), "--ray", "local", "--workers", "2"]


def ended(home: TestHome) -> tuple[Any, ...]:
    shown = home.incidents()
    return (
        sorted((i["incident_id"], i["start_s"], i["end_s"], i["revision"]) for i in shown),
        sorted((e["record_id"], e["content_mac"]) for i in shown for e in i["evidence"]),
    )


def victims(driver: psutil.Process) -> list[psutil.Process]:
    """Ray worker processes of this driver."""
    found = []
    for process in driver.children(recursive=True):
        try:
            if any(word.startswith("ray::_Actor") for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def leaks(places: list[Path], needles: list[bytes]) -> list[str]:
    found = []
    for place in places:
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink():
                try:
                    body = path.read_bytes()
                except OSError:
                    continue
                found += [f"{path}: {n!r}" for n in needles if n in body]
    return found


def held_open(process: psutil.Process, needles: list[bytes]) -> list[str]:
    """Needles in files that a process holds open, unlinked ones included."""
    found = []
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
            if target.startswith(("/dev/shm", "/tmp")) and descriptor.stat().st_size < 1 << 30:
                body = descriptor.read_bytes()
                found += [f"{target}: {n!r}" for n in needles if n in body]
        except OSError:
            continue
    return found


@pytest.mark.ray
@pytest.mark.slow
def test_killed_at_ten_random_moments_the_same_command_ends_the_same(folder: Path, tmp_path: Path) -> None:
    untouched = TestHome(tmp_path / "untouched")
    began = time.monotonic()
    untouched.json(*command(folder))
    whole = time.monotonic() - began
    expected = ended(untouched)
    assert len(expected[0]) >= 4
    frame = next(
        e for i in expected[0] for e in untouched.json("incidents", "show", i[0])["evidence"] if e["kind"] == "frame"
    )
    jpeg = tmp_path / "frame.jpg"
    untouched.run("evidence", "open", frame["record_id"], "--reason", "test canary", "--to", str(jpeg))
    needles = [ACCOUNT.encode(), IP.encode(), b"uri-canary-5c1d", jpeg.read_bytes()[200:260]]

    home = TestHome(tmp_path / "killed", keys_of=untouched)
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    for round_ in range(10):
        process = home.start(*command(folder), "--json")
        driver = psutil.Process(process.pid)
        time.sleep(dice.uniform(0.5, whole * 0.9))
        workers = victims(driver) if process.poll() is None else []
        raylets = [p for p in driver.children(recursive=True) if "raylet" in p.name()] if process.poll() is None else []
        assert not [leak for raylet in raylets for leak in held_open(raylet, needles)]
        if workers and round_ % 2:
            dice.choice(workers).kill()
            process.communicate(timeout=240)
            assert process.returncode == 0, f"seed {seed}: a worker's death must not end the scan"
            continue
        process.kill()
        process.communicate()
        for orphan in Path("/dev/shm").glob(f"wkray{process.pid}*"):
            assert not leaks([orphan], needles)
    report = home.json(*command(folder))
    assert report["totals"]["complete"], f"seed {seed}"
    assert {r["outcome"] for r in report["recordings"]} <= {"scanned", "skipped"}, report["recordings"]
    assert ended(home) == expected, f"seed {seed}: {report['recordings']}"
    home.run("evidence", "verify")
    home.run("doctor", "--repair", expect=None)
    home.run("evidence", "verify")
    assert not leaks([home.root, home.keys], needles)


def test_a_stopped_scan_goes_on_and_a_second_start_is_refused(folder: Path, tmp_path: Path) -> None:
    home = TestHome(tmp_path / "stopped")
    off = [*command(folder)[:-4], "--ray", "off", "--workers", "1"]
    process = home.start(*off)
    lock = home.root / "lock"
    while not (lock.exists() and lock.read_text().strip()):
        time.sleep(0.02)
    refused = home.run(*off, expect=1)
    assert "in use by" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, 130), errors
    assert "Traceback" not in errors
    report = home.json(*off)
    assert report["totals"]["complete"]
    assert len(ended(home)[0]) >= 4
