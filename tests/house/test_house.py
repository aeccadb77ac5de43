"""The house rules that a person and CI check with one command: style, types, floors and doors, small files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = [p for folder in ("pipeline", "tests", "benchmarks", "configs") for p in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
    ],
    ids=lambda c: " ".join(c[:2]),
)
def test_the_house_is_clean(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_floors_and_doors_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_longer_than_300_lines_and_no_function_than_60() -> None:
    long = []
    for path in OURS:
        if "_shipped" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > 300:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60:
                long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not long, "\n".join(long)


def test_a_command_only_parses_calls_and_prints() -> None:
    """Command bodies stay near a dozen statements, and import nothing between core and app but report values."""
    allowed = ("pipeline.app", "pipeline.cli", "pipeline.core", "pipeline.runtime.report", "pipeline.runtime.job")
    for path in (ROOT / "pipeline" / "cli").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline."):
                assert node.module is not None and node.module.startswith(allowed), f"{path.name} imports {node.module}"
            if isinstance(node, ast.FunctionDef):
                assert len(node.body) <= 14, f"{path.name}:{node.lineno} {node.name} has {len(node.body)} statements"


def test_the_command_starts_without_its_heavy_libraries() -> None:
    program = (
        "import sys, pipeline.cli.main; print([m for m in ('ray', 'onnx', 'pandas', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
