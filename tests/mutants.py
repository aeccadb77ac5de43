"""Changes one guarding line at a time, in a copy of the checkout, and asks the tests that must notice.

    python tests/mutants.py [NAME...]

A mutant is killed where a test fails (or never ends), and has survived where all named tests pass, where its line is no
longer found, or where pytest could not tell. The last line counts both; exit 1 if one survived, or if the tests fail
without any mutant.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from mutation import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("pipeline", "tests", "configs", "models", "docs", "pyproject.toml")
LIMIT_S = 300
AT_ONCE = os.cpu_count() or 1
FAILED, PASSED = 1, 0  # pytest's exit codes; all others mean that it could not tell


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def copied(folder: Path) -> Path:
    """A copy of the checkout in which nothing was compiled, beside the shared files if there are any."""
    root = folder / "checkout"
    root.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / name)
    if (shared := ROOT.parent / "shared").is_dir():
        (folder / "shared").symlink_to(shared)
    return root


def asked(root: Path, tests: Iterable[str], *, first: bool = False) -> tuple[int | None, str]:
    """pytest's exit code in the copy, None if it did not end, and the last lines it said."""
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests]
    limit = None if first else LIMIT_S
    try:
        done = subprocess.run(
            command, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, "\n".join(done.stdout.splitlines()[-15:])


def verdict(root: Path, mutant: Mutant) -> str:
    """ "" if a test noticed, or what is wrong."""
    path = root / mutant.file
    text = path.read_text(encoding="utf-8")
    if mutant.find not in text:
        return f"the text is not in {mutant.file} any more: {mutant.find!r}"
    path.write_text(text.replace(mutant.find, mutant.replacement), encoding="utf-8")
    try:
        code, said = asked(root, mutant.tests.split())
    finally:
        path.write_text(text, encoding="utf-8")
    if code in (FAILED, None):
        return ""
    return "SURVIVED" if code == PASSED else f"pytest could not tell (exit {code}):\n{said}"


def main(names: list[str]) -> int:
    chosen = [m for m in MUTANTS if not names or m.name in names]
    if unknown := set(names) - {m.name for m in chosen}:
        say(f"there is no mutant {', '.join(sorted(unknown))}")
        return 2
    survived = 0
    with tempfile.TemporaryDirectory(prefix="watchkeep-mutants-") as folder:
        roots = [copied(Path(folder) / str(n)) for n in range(min(AT_ONCE, len(chosen)))]
        code, said = asked(roots[0], sorted({test for m in chosen for test in m.tests.split()}), first=True)
        if code != PASSED:
            say(f"the tests fail without any mutant (exit {code}):\n{said}")
            return 1
        free: SimpleQueue[Path] = SimpleQueue()
        for root in roots:
            free.put(root)

        def judged(mutant: Mutant) -> tuple[str, float]:
            root, began = free.get(), time.monotonic()
            try:
                return verdict(root, mutant), time.monotonic() - began
            finally:
                free.put(root)

        with ThreadPoolExecutor(len(roots)) as pool:
            for mutant, (problem, seconds) in zip(chosen, pool.map(judged, chosen), strict=True):
                survived += bool(problem)
                say(f"{problem or 'killed'}: {mutant.name} ({seconds:.1f} s)")
    say(f"{len(chosen) - survived} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
