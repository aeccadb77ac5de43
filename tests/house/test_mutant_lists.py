"""The lists of mutants follow the code: each guarding line is where its list says, and so are its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.mutation import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


def test_every_mutant_can_be_made_and_has_its_tests() -> None:
    assert [problem for mutant in MUTANTS for problem in problems(mutant)] == []


def test_no_two_mutants_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


def problems(mutant: Mutant) -> Iterator[str]:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    if mutant.find not in text:
        yield f"{mutant.name}: the line is not in {mutant.file} any more"
    elif mutant.file.endswith(".py"):
        compile(text.replace(mutant.find, mutant.replacement), mutant.file, "exec")
    for test in mutant.tests.split():
        path, _, name = test.partition("::")
        if not (ROOT / path).exists():
            yield f"{mutant.name}: there is no {path}"
        elif name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"):
            yield f"{mutant.name}: there is no test {name} in {path}"
