"""The demo: the shipped sample recordings through the real line, into the user's own home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.app import look
from pipeline.app.home import Home
from pipeline.app.scan import Request, scan
from pipeline.config.settings import load_settings
from pipeline.config.shipped import shipped
from pipeline.runtime.job import Progress
from pipeline.runtime.report import Report

MEDIA = (".mp4", ".webm", ".mkv", ".avi", ".ogg", ".wav", ".flac", ".jpg", ".png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The scan's report, what was flagged, and what to say about it."""

    report: Report
    incidents: list[dict[str, Any]]
    words: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As `scan --json`, with the incidents beside."""
        return {**self.report.to_json(), "incidents": self.incidents}


def demo(home: Home, *, progress: Callable[[Progress], None], say: Callable[[str], None]) -> Demo:
    """Scan the samples: a two-party session by manifest, and the loose files beside it."""
    folder = shipped("configs/samples")
    loose = sorted(str(p) for p in folder.iterdir() if p.suffix in MEDIA and not p.name.startswith("canary"))
    request = Request(paths=tuple(loose), manifest=folder / "samples.jsonl")
    report = scan(home, request, progress=progress, say=say)
    flagged = {i for row in report.rows for i in row.incidents}
    incidents = [i for i in look.incidents(home) if i["incident_id"] in flagged]
    return Demo(report=report, incidents=incidents, words=tuple(_words(home, incidents)))


def _words(home: Home, incidents: list[dict[str, Any]]) -> list[str]:
    where, keys = home.option, load_settings(home.root).keys
    found = [
        f"  {i['category']} ({i['severity']}), {i['start_s']:.1f}-{i['end_s']:.1f} s, {i['records']} records sealed, "
        f"identity {i['identity']}"
        for i in incidents
    ]
    first = incidents[0]["incident_id"] if incidents else "ID"
    return [
        "",
        f"Flagged ({len(found)}):",
        *found,
        "",
        f"Sealed in {home.root}, readable only with the keys in {keys}.",
        "What was not flagged is forgotten. Violence is judged from weak signals only: docs/policy.md.",
        "",
        "Try next:",
        f"  watchkeep incidents show {first[:12]}{where}",
        f"  watchkeep evidence verify{where}",
        f"  watchkeep runs show last{where}",
        f"  watchkeep scan YOUR_FOLDER{where}",
        f"  watchkeep doctor{where}",
    ]
