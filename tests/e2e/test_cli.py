"""The command as a process: interrupted, starved of disk, closed pipes, terminals, odd names, no network."""

import fcntl
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.shipped import shipped
from pipeline.recordings.lock import HomeLock
from tests.command import command
from tests.home import TestHome

SAMPLES = shipped("configs/samples")
COMMAND = [sys.executable, "-m", "pipeline"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    """A home with one incident of a session; shared, so nothing may be broken in it."""
    home = TestHome(tmp_path_factory.mktemp("cli"))
    home.run("scan", "--manifest", str(SAMPLES / "samples.jsonl"), "--ray", "off")
    return home


def _incident(home: TestHome) -> dict[str, Any]:
    found = command("incidents", "list", "--json", home=home.root).json()["incidents"]
    shown: dict[str, Any] = command("incidents", "show", found[0]["incident_id"], "--json", home=home.root).json()
    return shown


def _record(home: TestHome) -> str:
    return next(str(r["record_id"]) for r in _incident(home)["evidence"] if r["kind"] == "findings")


def _terminal(home: TestHome, *args: str, columns: int = 80) -> tuple[int, str]:
    """Run on a pseudo-terminal; its exit status and all that it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {**home.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen([*COMMAND, *args], env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    return process.wait(60), shown.decode()


def test_on_a_terminal_progress_is_a_bar_and_the_table_stays_within_the_line(home: TestHome) -> None:
    status, shown = _terminal(home, "scan", str(SAMPLES / "photo.jpg"), "--ray", "off", columns=100)
    assert status == 0
    assert "1/1 recordings" in shown and "━" in shown
    assert shown.index("━") < shown.index("outcome")
    status, shown = _terminal(home, "incidents", "show", _incident(home)["incident_id"])
    evidence = shown[shown.index("evidence:") :].splitlines()
    assert status == 0 and max(map(len, evidence[2:-3])) <= 80


def test_bytes_of_evidence_are_never_thrown_at_a_terminal(home: TestHome) -> None:
    before = command("evidence", "verify", "--json", home=home.root).json()["audit_entries"]
    status, shown = _terminal(home, "evidence", "open", _record(home), "--reason", "test")
    assert status == 2 and "--to" in shown
    assert command("evidence", "verify", "--json", home=home.root).json()["audit_entries"] == before + 1


def test_evidence_is_opened_once_into_a_new_file_of_ours_alone(home: TestHome, tmp_path: Path) -> None:
    record, to = _record(home), tmp_path / "findings.json"
    told = command("evidence", "open", record[:10], "--reason", "test", "--to", str(to), "--json", home=home.root)
    assert told.json() == {"file": str(to), "size": to.stat().st_size} and to.stat().st_mode & 0o777 == 0o600
    assert json.loads(to.read_bytes())["findings"]
    assert command("evidence", "open", record, "--reason", "test", home=home.root).out == to.read_text()
    before = to.read_bytes()
    again = command("evidence", "open", record, "--reason", "test", "--to", str(to), home=home.root)
    assert again.status == 1 and "name a new file" in again.err and to.read_bytes() == before


@pytest.mark.parametrize(
    ("reason", "to"), [(" ", "new"), ("test", "missing/folder/new")], ids=["no reason", "no such folder"]
)
def test_a_look_that_is_refused_writes_nothing(home: TestHome, tmp_path: Path, reason: str, to: str) -> None:
    told = command("evidence", "open", _record(home), "--reason", reason, "--to", str(tmp_path / to), home=home.root)
    assert told.status == 1 and len(told.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_evidence_is_not_opened_in_production_mode(home: TestHome, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    for name in ("home", "home-keys", "home-keys-master"):
        shutil.copytree(home.root.with_name(name), tmp_path / name, symlinks=True)
    terms = "defaults: {policy_version: a, jurisdiction: NL, legal_basis: b}\n"
    (copy / "config.yaml").write_text("mode: production\n" + terms, encoding="utf-8")
    told = command("evidence", "open", _record(home), "--reason", "test", home=copy)
    assert (told.status, told.out) == (1, "") and "production" in told.err


def test_evidence_of_severe_classes_is_not_opened_at_all(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    policy = shipped("configs/policies/video-chat.yaml").read_text(encoding="utf-8")
    severe = tmp_path / "severe.yaml"
    policy = policy.replace("category: gunfire_or_explosion", "category: terrorism\n    single_frame_ok: true")
    severe.write_text(policy, encoding="utf-8")
    home.run("scan", str(SAMPLES / "session" / "ben.mp4"), "--policy", str(severe), "--ray", "off")
    assert _incident(home)["severity"] == "severe"
    told = command("evidence", "open", _record(home), "--reason", "test", home=home.root)
    assert (told.status, told.out) == (1, "") and "severe" in told.err


def test_a_reader_that_leaves_early_stops_nothing(home: TestHome) -> None:
    for args in (("incidents", "show", _incident(home)["incident_id"], "--json"), ("runs", "show", "last")):
        process = subprocess.Popen([*COMMAND, *args], env=home.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(60), b"BrokenPipe" in said, b"Traceback" in said) == (0, False, False)


def test_an_output_that_is_full_or_closed_is_a_sentence_or_silence(home: TestHome) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "runs", "list", "--json"], env=home.environ, stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 1 and "no space left" in done.stderr and len(done.stderr.splitlines()) == 1
    shell = ["sh", "-c", '"$@" >&- 2>&-', "sh", *COMMAND, "runs", "list"]
    assert subprocess.run(shell, env=home.environ, check=False).returncode == 0


def test_names_that_are_no_utf_8_survive_a_plain_locale(home: TestHome, tmp_path: Path) -> None:
    names = [b"bad\xff.jpg", b"--json.jpg", b"a\nb.jpg", b"\x1b[31m=cmd.jpg"]
    for i, name in enumerate(names):
        # Bytes after the end of a JPEG are no part of the picture: same outcome, other content.
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(
            (SAMPLES / "photo.jpg").read_bytes() + bytes([i])
        )
    plain = {**home.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    scan = [*COMMAND, "scan", str(tmp_path), "--ray", "off"]
    done = subprocess.run([*scan, "--json"], env=plain, capture_output=True, check=True)
    rows = json.loads(done.stdout)["recordings"]
    assert {os.fsencode(Path(r["uri"]).name) for r in rows} == set(names)
    assert {r["outcome"] for r in rows} == {"scanned"}
    show = [*COMMAND, "runs", "show", "last"]
    shown = subprocess.run(show, env=plain, capture_output=True, check=True).stdout
    assert b"\x1b" not in shown and b"bad\\xff.jpg" in shown and b"a\\nb.jpg" in shown


def test_a_full_disk_is_a_sentence_and_the_same_command_goes_on(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    scan = ["scan", "--manifest", str(SAMPLES / "samples.jsonl"), "--ray", "off"]

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, resource.RLIM_INFINITY))

    done = subprocess.run(
        [*COMMAND, *scan], env=home.environ, capture_output=True, text=True, preexec_fn=small, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "too large" in done.stderr or "full" in done.stderr
    assert command("incidents", "list", "--json", home=home.root).json() == {"incidents": []}
    assert home.json(*scan)["totals"]["incidents"] == 1
    assert command("evidence", "verify", home=home.root).status == 0


def test_ctrl_c_ends_a_scan_at_once_and_the_same_command_goes_on(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    scan = ["scan", str(SAMPLES / "talk.mp4"), "--ray", "off"]
    process = home.start(*scan)
    deadline = time.monotonic() + 60
    while not (home.root / "recordings" / "recordings.db").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert home.json(*scan)["recordings"][0]["outcome"] == "scanned"
    assert command("evidence", "verify", home=home.root).status == 0


@pytest.mark.parametrize("args", [("scan", str(SAMPLES / "photo.jpg")), ("evidence", "verify")], ids=lambda a: a[0])
def test_a_second_writer_is_refused_and_lookers_are_not(home: TestHome, args: tuple[str, ...]) -> None:
    with HomeLock(home.root / "lock", at=datetime.now(UTC)):
        told = command(*args, home=home.root)
        assert told.status == 1 and f"in use by process {os.getpid()}" in told.err and len(told.err.splitlines()) == 1
        assert command("incidents", "list", "--json", home=home.root).json()["incidents"]
        checks = command("doctor", "--json", home=home.root).json()["checks"]
        assert any(c["what"] == "vault" and "not looked at" in c["words"] for c in checks)


def test_without_a_network_the_models_are_a_sentence(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    (home.root / "models").unlink()
    offline = {
        **home.environ,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }
    scan = ["scan", str(SAMPLES / "photo.jpg"), "--json"]
    offline["PIP_CONFIG_FILE"] = os.devnull
    done = subprocess.run([*COMMAND, *scan], env=offline, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "could not be downloaded with pip" in done.stderr and "Traceback" not in done.stderr
    assert not any((home.root / "models").iterdir()) and not (home.root / "catalog").exists()
