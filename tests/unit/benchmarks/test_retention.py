"""The benchmark of keeping measures what it says: whole vaults, real chains, and acts that did their work."""

from pathlib import Path

import pytest

from benchmarks import retention_acts as acts
from benchmarks import retention_ledger, retention_vault
from benchmarks.bench_retention import UNITS, Bench, destroying, exponent, growing
from pipeline.vault.verify import Verification


def test_time_that_grows_with_the_size_has_the_exponent_one() -> None:
    assert exponent((10, 100, 1000), (0.2, 2.0, 20.0)) == pytest.approx(1)
    assert exponent((10, 100, 1000), (1, 100, 10_000)) == pytest.approx(2)


def test_a_ledger_is_a_whole_chain_of_mixed_incidents_with_little_that_is_due(tmp_path: Path) -> None:
    retention_ledger.write(tmp_path, 2_000)
    assert acts.verify(tmp_path)["entries"] >= 2_000
    assert acts.judge(tmp_path)["incidents"] == 2_000
    planned = acts.plan(tmp_path)
    assert planned["incidents"] == 2_000 and planned["due"] + planned["held"] < 100
    assert acts.read(tmp_path)["rows"] > 3_000
    assert acts.digest(tmp_path)["bytes"] > 300 * 2_000
    assert acts.explained(tmp_path)["later"] > 0
    with retention_vault.desk_at(tmp_path) as desk:
        cases = [case for case, _ in desk.judged(desk.now())]
    assert 0.25 < sum(bool(case.floors) for case in cases) / 2_000 < 0.5
    assert 0.01 < sum(bool(case.holds) for case in cases) / 2_000 < 0.04
    assert len({case.retention_class for case in cases}) == 5


def test_a_sealed_vault_is_whole_before_and_after_what_is_due_was_destroyed(tmp_path: Path) -> None:
    retention_vault.seal(tmp_path, 15)
    before = _verified(tmp_path)
    destroyed = acts.destroy(tmp_path)
    assert (destroyed["incidents"], destroyed["files"]) == (15, 1)
    assert destroyed["syncs"] > 30
    after = _verified(tmp_path)
    assert not before.problems and not after.problems


@pytest.mark.slow
def test_every_figure_has_its_meaning_and_comes_from_processes_of_their_own(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, looks=1)
    figures = destroying(bench, 5) | growing(bench, (40, 80))
    assert figures.keys() | {"others"} == UNITS.keys()
    assert all(value > 0 for name, value in figures.items() if not name.endswith(("growth_mb", "exponent", "files")))
    assert len(bench.others) == 16 and not list(tmp_path.iterdir())


def _verified(home: Path) -> Verification:
    with retention_vault.desk_at(home) as desk:
        return desk.vault.verify()
