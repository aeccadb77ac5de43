"""What a scan costs, against the least it could cost and against the plain script a user would write.

Makes its own recordings (kept in the system's temporary folder), then measures in rounds, one thing after the other:
`watchkeep scan --ray local`, the ideal, the plain script, and in the first round `watchkeep scan --ray off`. Prints a
table of medians with the least and the largest; ratios are taken within a round. benchmarks/README.md says how each
number is defined, and what was measured. What the machine does
beside it spoils wall times more than CPU times: see `others`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import ideal, media, rounds
from benchmarks.media import CAT, HIGH, LONG, VP8, VP9, WEBCAM, Clip, Kind
from benchmarks.rounds import Scanned, Script
from pipeline.config.registry import load_registry
from pipeline.config.shipped import shipped
from pipeline.score.store import ModelStore

FULL = [(WEBCAM, 3)] * 5 + [(CAT, 3), (WEBCAM, 3), (HIGH, 3), (VP8, 3), (VP9, 3)]
SHORT = [(WEBCAM, 2)] * 6
BUDGET_S = {"full": 500.0, "quick": 52.0}
LONG_MINUTES = (20, 60, 120)
MOST_ROUNDS = 5
KINDS = {kind.name: kind for kind in (WEBCAM, CAT, HIGH, VP8, VP9)}
HOUR_S = 3600
INPROCESS = (
    "wall_over_ideal",
    "cpu_over_script",
    "cpu_over_ideal",
    "wall_over_ideal_all_in",
    "cpu_over_script_all_in",
    "peak_mb",
)

Figures = dict[str, float]
UNITS = {
    "wall_over_ideal": "scan's wall time over the ideal, after start-up",
    "cpu_over_script": "scan's CPU time over the plain script's, after start-up",
    "cpu_over_ideal": "scan's CPU time over the ideal's, after start-up: spoilt less by what else runs",
    "wall_over_ideal_all_in": "scan's wall time over the ideal, start-up and shutdown included",
    "cpu_over_script_all_in": "scan's CPU time over the script's, start-up and shutdown of both included",
    "x_realtime_per_core": "media seconds per second and core, after start-up",
    "scan_s_per_hour": "core-seconds per hour of video: whole scan, after start-up",
    "decode_s_per_hour": "core-seconds per hour of video: planned decode of the samples",
    "score_s_per_hour": "core-seconds per hour of video: scoring the frames that are no repeats",
    "audio_s_per_hour": "core-seconds per hour of video: decoding the sound",
    "score_audio_s_per_hour": "core-seconds per hour of video: scoring the sound",
    "script_s_per_hour": "core-seconds per hour of video: plain script",
    "startup_s": "seconds until all seats have workers of Ray's (one of them works on meanwhile)",
    "startup_cpu_s": "CPU seconds until then, without those for media",
    "shutdown_s": "seconds from the last conclusion to the end of the process",
    "first_score_s": "seconds from the command to the first score of a frame",
    "driver_share": "driver's CPU time over the wall time, once all work is Ray's",
    "decode_over_all_": "planned decode's CPU time over decoding every frame with PyAV",
    "peak_mb": "peak PSS of the whole process tree, MB",
    "repeated_share": "share of the sampled frames that the repeat gate took",
    "others": "share of the cores that something else kept busy meanwhile",
}


def compared(scanned: Scanned, least: Sequence[Mapping[str, float]], script: Script) -> Figures:
    """A scan's figures and ratios."""
    cores, cost, totals = len(os.sched_getaffinity(0)), scanned.cost, scanned.report["totals"]
    video_s = sum(clip.seconds for clip in scanned.clips)
    hours = video_s / HOUR_S
    stages = {stage: sum(row[stage] for row in least) for stage in (*rounds.VIDEO, *rounds.AUDIO)}
    ideal_cpu, (up, after) = sum(stages.values()), scanned.split(least)
    steady_s, steady_cpu = scanned.ended - up, cost.cpu_until(scanned.ended) - cost.cpu_until(up)
    driven_s, driving_cpu = scanned.trace["driving"]
    return {
        "wall_over_ideal": steady_s * cores / (after * ideal_cpu),
        "cpu_over_script": steady_cpu / (after * video_s * script.rate),
        "cpu_over_ideal": steady_cpu / (after * ideal_cpu),
        "wall_over_ideal_all_in": cost.wall_s * cores / ideal_cpu,
        "cpu_over_script_all_in": cost.cpu_s / script.all_in(video_s),
        "x_realtime_per_core": after * video_s / (steady_s * cores),
        "scan_s_per_hour": steady_cpu / (after * hours),
        **{f"{stage}_s_per_hour": spent / hours for stage, spent in stages.items()},
        "script_s_per_hour": script.rate * HOUR_S,
        "startup_s": up - cost.began,
        "startup_cpu_s": cost.cpu_until(up) - (1 - after) * ideal_cpu,
        "shutdown_s": cost.began + cost.wall_s - scanned.ended,
        "first_score_s": scanned.trace["first_frame"] - cost.began,
        "driver_share": driving_cpu / driven_s if driven_s else 0.0,
        "peak_mb": cost.peak_mb,
        "repeated_share": totals["frames_repeated"] / totals["frames_sampled"],
        "others": max(cost.others, script.cost.others),
    }


def one_round(clips: Sequence[Clip], models: Path, model: Path, *, quick: bool, inprocess: bool) -> Figures:
    """Measure each thing once, and take the ratios. Quick clips are of one kind: one tells what the script costs."""
    scanned = rounds.scan(clips, models, ray=True)
    least = rounds.ideal(scanned, models, len(os.sched_getaffinity(0)))
    script = rounds.script(clips[:1] if quick else clips, model)
    figures = compared(scanned, least, script)
    if inprocess:
        alone = compared(rounds.scan(clips, models, ray=False), least, script)
        figures |= {f"inprocess_{name}": alone[name] for name in INPROCESS}
    return figures


def by_kind(clips: Sequence[Clip]) -> Figures:
    """Per kind, the planned decode's CPU time over that of decoding every frame with PyAV."""
    minutes = {clip.kind.name: str(clip.minute) for clip in clips}
    return {f"decode_over_all_{name}": ideal.planned(at) / ideal.decode_all(at) for name, at in minutes.items()}


def long_recordings(models: Path) -> Figures:
    """Peak memory of a scan in one process, by the minutes of its one recording."""
    made = {minutes: media.clips([(LONG, minutes)]) for minutes in LONG_MINUTES}
    return {f"peak_mb_{at}_minutes": rounds.scan(clip, models, ray=False).cost.peak_mb for at, clip in made.items()}


def fetched(folder: Path) -> tuple[Path, Path]:
    """The folder of models, each fetched unless it is there, and the picture model's file."""
    store, registry = ModelStore(folder), load_registry(shipped("models/registry.yaml"))
    for entry in registry.values():
        store.fetch(entry, lambda text: print(text, file=sys.stderr))
    return folder.resolve(), store.path(registry["opennsfw"]) / "model.onnx"


def table(measured: Sequence[Figures], recordings: Sequence[tuple[Kind, int]]) -> str:
    """Medians with the least and the largest, a line each."""
    names = ", ".join(f"{kind.name} {minutes} min" for kind, minutes in recordings)
    lines = [f"recordings: {names}", f"{len(measured)} rounds on {len(os.sched_getaffinity(0))} cores", ""]
    lines.append(f"{'':32}{'median':>9}{'least':>9}{'largest':>9}")
    for name in measured[0]:
        values = [figures[name] for figures in measured if name in figures]
        row = "".join(f"{value:9.2f}" for value in (median(values), min(values), max(values)))
        lines.append(f"{name:32}{row}  {meaning(name)}")
    return "\n".join(lines)


def meaning(name: str) -> str:
    """What a figure is."""
    plain = name.removeprefix("inprocess_")
    return UNITS.get(plain) or next(words for start, words in UNITS.items() if plain.startswith(start))


def flat(measured: Sequence[Figures]) -> Figures:
    """The medians, and least and largest of the ratios."""
    found = {name: median(f[name] for f in measured if name in f) for name in measured[0]}
    for name in {"wall_over_ideal", "cpu_over_script"} & found.keys():
        found[f"{name}_least"] = min(figures[name] for figures in measured)
        found[f"{name}_largest"] = max(figures[name] for figures in measured)
    return {name: round(value, 4) for name, value in found.items()} | {"rounds": len(measured)}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object last on standard output")
    parser.add_argument("--quick", action="store_true", help="small recordings, ends within a minute: a rough look")
    parser.add_argument("--long", action="store_true", help="instead: peak memory on ever longer recordings")
    parser.add_argument("--rounds", type=int, help="at most so many rounds (default: what fits the time)")
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), help="only recordings of these kinds")
    models = rounds.ROOT / ".pytest_cache" / "models"
    parser.add_argument("--models", type=Path, default=models, help="folder of fetched models (default: the tests')")
    return parser.parse_args()


def main() -> None:
    """Make recordings, measure, print."""
    began = time.monotonic()
    given = arguments()
    models, model = fetched(given.models)
    recordings = SHORT if given.quick else [(LONG, minutes) for minutes in LONG_MINUTES] if given.long else FULL
    if given.kinds:
        recordings = [(KINDS[given.kinds[i % len(given.kinds)]], minutes) for i, (_, minutes) in enumerate(FULL)]
    measured: list[Figures] = []
    if given.long:
        measured = [long_recordings(models)]
    else:
        clips = media.clips(recordings)
        last_s = 0.0
        budget_s = BUDGET_S["quick" if given.quick else "full"]
        while len(measured) < (given.rounds or MOST_ROUNDS) and time.monotonic() - began + last_s < budget_s:
            round_began = time.monotonic()
            first = not measured and not given.quick
            figures = one_round(clips, models, model, quick=given.quick, inprocess=first)
            measured.append(figures | (by_kind(clips) if first else {}))
            last_s = time.monotonic() - round_began
    print(table(measured, recordings))
    if given.json:
        print(json.dumps(flat(measured)))


if __name__ == "__main__":
    main()
