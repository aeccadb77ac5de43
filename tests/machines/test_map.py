"""The page that maps invariants and faults to tests names each of them, and only tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([IR]\d+) \| (.*)$", PAGE, flags=re.MULTILINE))


def functions(path: Path) -> dict[str, str]:
    """Names of the functions of a file, with the first words of their docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name: ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


def test_every_invariant_and_every_fault_has_a_row_with_a_test() -> None:
    assert set(ROWS) == {f"I{n}" for n in range(1, 17)} | {f"R{n}" for n in range(1, 25)}
    assert [row for row, text in ROWS.items() if "::" not in text] == []


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 60
    assert [f"{file}::{name}" for file, name in named if name not in functions(ROOT / file)] == []


def test_every_invariant_is_a_function_named_after_it() -> None:
    there = functions(ROOT / "tests/machines/invariants.py")
    for number in range(1, 17):
        named = re.findall(rf"`(i{number}_\w+)`", ROWS[f"I{number}"])
        assert named, f"I{number}"
        assert set(named) <= set(there), f"I{number}"


def test_every_row_of_the_fault_tests_says_which_it_is() -> None:
    for name, words in functions(ROOT / "tests/machines/test_faults.py").items():
        if name.startswith("test_"):
            row = re.match(r"(R\d+): ", words)
            assert row is not None, name
            assert f"::{name}`" in ROWS[row[1]], name
