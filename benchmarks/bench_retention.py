"""What keeping and destroying cost, against the least they could cost and as the vault grows.

Makes its own vaults (forgotten afterwards), then runs each act in a process of its own: plans, following the audit
chain, holding, explaining, erasing, destroying. Prints a table. benchmarks/README.md says how each number is defined,
and what was measured; what the machine does beside it is in `others`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import retention_ledger, retention_vault
from benchmarks.measure import run

ROOT = Path(__file__).resolve().parents[1]
ACTS = Path(__file__).with_name("retention_acts.py")
SIZES = {"full": (10_000, 100_000, 1_000_000), "quick": (500, 5_000, 50_000)}
DUE = {"full": 10_000, "quick": 500}
LOOKS = {"full": 3, "quick": 2}
"""How often acts that change nothing are measured on all but the largest ledger; the best counts."""

Figures = dict[str, float]
UNITS = {
    "plan_per_s": "incidents planned a second by a dry sweep, the largest vault",
    "plan_s": "seconds of that plan",
    "plan_peak_mb": "resident memory of its process, MB",
    "plan_growth_mb": "how much more that is than with a tenth of the incidents",
    "plan_over_read": "its time over reading the same rows with the driver alone",
    "judge_per_s": "incidents judged a second in a stream, nothing kept of them",
    "judge_growth_mb": "how much more memory that takes than with a tenth of the incidents",
    "growth_exponent": "the plan's time grows with the number of incidents to this power",
    "audit_verify_per_s": "audit entries followed a second, from the first to the signed head",
    "audit_verify_s": "seconds of that, the largest vault",
    "verify_peak_mb": "resident memory of its process, MB",
    "verify_over_digest": "its time over sha256 of the same bytes",
    "verify_growth_exponent": "its time grows with the number of entries to this power",
    "destroy_per_s": "incidents destroyed a second by an applied sweep: planned, keys, rows, files, keys renewed",
    "destroy_s": "seconds of that sweep",
    "destroy_incidents": "incidents that it destroyed, of two parties each",
    "destroy_files": "files that it purged",
    "destroy_syncs": "times that it waited for the disk, the catalog's own left out",
    "destroy_over_sync": "its time over that many bare waits",
    "destroy_peak_mb": "resident memory of its process, MB",
    "sync_ms": "one bare wait for the disk",
    "hold_per_s": "incidents a second under one new hold, each key proved to live",
    "explain_ms": "the first explanation of one incident in a process, the second largest vault",
    "explain_later_ms": "each that follows",
    "erase_s": "a request for erasure from receipt to end",
    "erase_items": "incidents that it was about",
    "others": "share of the cores that something else kept busy meanwhile, the most of any act",
}


@dataclass(slots=True, kw_only=True)
class Bench:
    """Acts on vaults under `folder`."""

    folder: Path
    looks: int
    others: list[float] = field(default_factory=list)

    def act(self, name: str, home: Path) -> Figures:
        """One act in a process of its own."""
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        cost = run([sys.executable, str(ACTS), name, str(home)], environment={"PYTHONPATH": path})
        self.others.append(cost.others)
        told: Figures = json.loads(cost.output)
        return told

    def best(self, name: str, home: Path, looks: int) -> Figures:
        """The quickest of some."""
        return min((self.act(name, home) for _ in range(looks)), key=lambda told: told["seconds"])

    def on_a_copy(self, name: str, home: Path) -> Figures:
        """An act that changes the vault, which others still need."""
        copy = self.folder / "copy"
        shutil.copytree(home, copy)
        try:
            return self.act(name, copy)
        finally:
            shutil.rmtree(copy)


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms: 1 for time that grows as the size does."""
    xs, ys = [math.log(size) for size in sizes], [math.log(spent) for spent in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def growing(bench: Bench, sizes: Sequence[int]) -> Figures:
    """Plans, chains and explanations in ever larger catalogs without evidence."""
    found: dict[str, list[Figures]] = {name: [] for name in ("plan", "judge", "read", "verify", "digest", "explained")}
    for size in sizes:
        home = bench.folder / f"ledger-{size}"
        retention_ledger.write(home, size)
        for name, seen in found.items():
            seen.append(bench.best(name, home, 1 if size == sizes[-1] else bench.looks))
        shutil.rmtree(home)
    plan, judge, verify = found["plan"], found["judge"], found["verify"]
    return {
        "plan_per_s": plan[-1]["incidents"] / plan[-1]["seconds"],
        "plan_s": plan[-1]["seconds"],
        "plan_peak_mb": plan[-1]["peak_mb"],
        "plan_growth_mb": plan[-1]["peak_mb"] - plan[-2]["peak_mb"],
        "plan_over_read": plan[-1]["seconds"] / found["read"][-1]["seconds"],
        "judge_per_s": judge[-1]["incidents"] / judge[-1]["seconds"],
        "judge_growth_mb": judge[-1]["peak_mb"] - judge[-2]["peak_mb"],
        "growth_exponent": exponent(sizes, [told["seconds"] for told in plan]),
        "audit_verify_per_s": verify[-1]["entries"] / verify[-1]["seconds"],
        "audit_verify_s": verify[-1]["seconds"],
        "verify_peak_mb": verify[-1]["peak_mb"],
        "verify_over_digest": verify[-1]["seconds"] / found["digest"][-1]["seconds"],
        "verify_growth_exponent": exponent(sizes, [told["seconds"] for told in verify]),
        "explain_ms": found["explained"][-2]["seconds"] * 1000,
        "explain_later_ms": found["explained"][-2]["later"] * 1000,
    }


def destroying(bench: Bench, due: int) -> Figures:
    """Acts on real evidence: a hold on all of it, a request, and the sweep that destroys it."""
    home = bench.folder / "vault"
    retention_vault.seal(home, due)
    hold = bench.on_a_copy("hold", home)
    erase = bench.on_a_copy("erase", home)
    sync = bench.best("sync", home, bench.looks)
    destroy = bench.act("destroy", home)
    shutil.rmtree(home)
    assert destroy["incidents"] == due, destroy
    return {
        "destroy_per_s": due / destroy["seconds"],
        "destroy_s": destroy["seconds"],
        "destroy_incidents": due,
        "destroy_files": destroy["files"],
        "destroy_syncs": destroy["syncs"],
        "destroy_over_sync": destroy["seconds"] / (destroy["syncs"] * sync["seconds"]),
        "destroy_peak_mb": destroy["peak_mb"],
        "sync_ms": sync["seconds"] * 1000,
        "hold_per_s": hold["incidents"] / hold["seconds"],
        "erase_s": erase["seconds"],
        "erase_items": erase["items"],
    }


def measured(bench: Bench, sizes: Sequence[int], due: int) -> Figures:
    """Every figure."""
    figures = destroying(bench, due) | growing(bench, sizes)
    figures["others"] = max(bench.others)
    return {name: round(figures[name], 4) for name in UNITS}


def main() -> None:
    """Make vaults, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object last on standard output")
    parser.add_argument("--quick", action="store_true", help="small vaults, ends within a minute: a rough look")
    parser.add_argument("--sizes", type=int, nargs="+", help="so many incidents to plan, three sizes say how it grows")
    parser.add_argument("--due", type=int, help="so many incidents to destroy")
    given = parser.parse_args()
    extent, began = "quick" if given.quick else "full", time.monotonic()
    sizes, due = sorted(given.sizes or SIZES[extent]), given.due or DUE[extent]
    if len(sizes) < 2:
        parser.error("two sizes at least say how it grows")
    with tempfile.TemporaryDirectory(prefix="watchkeep-bench-retention-") as folder:
        figures = measured(Bench(folder=Path(folder), looks=LOOKS[extent]), sizes, due)
    print(
        f"plans of {', '.join(f'{size:,}' for size in sizes)} incidents on {len(os.sched_getaffinity(0))} cores;",
        end=" ",
    )
    print(f"{due:,} destroyed; {time.monotonic() - began:.0f} s in all\n")
    for name, value in figures.items():
        print(f"{name:24}{value:14,.2f}  {UNITS[name]}")
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
