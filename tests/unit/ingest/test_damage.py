"""Whatever the damage: pictures and sound, or one SourceError. Nothing else, no crash, no hang."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.hostile_media import FORMS, clip

CASES_PER_FORM = 16
SCRIPT = """
import json, random, sys
from pathlib import Path
from pipeline.core.errors import SourceError
from pipeline.ingest.audio import AudioReader
from pipeline.ingest.image import read_image
from pipeline.ingest.limits import limit_process
from pipeline.ingest.params import Params
from pipeline.ingest.probe import MediaKind, probe

def damaged(body, rng):
    if rng.random() < 0.5:
        return body[:rng.randrange(1, len(body))]
    out = bytearray(body)
    for _ in range(rng.choice([1, 4, 32, 256])):
        # Headers are where parsers live.
        at = rng.randrange(min(len(out), 600)) if rng.random() < 0.4 else rng.randrange(len(out))
        out[at] = rng.choice([0, 255, rng.randrange(256), out[at] ^ (1 << rng.randrange(8))])
    return bytes(out)

limit_process(4 << 30)
params = Params(settle_s=0, max_task_s=10, max_duration_s=3600)
outcomes = {}
for source in sys.argv[2:]:
    rng = random.Random(Path(source).name)
    body = Path(source).read_bytes()
    for number in range(int(sys.argv[1])):
        target = Path(source).with_name("damaged")
        target.write_bytes(damaged(body, rng))
        try:
            found = probe(str(target), params)
            if found.kind is MediaKind.IMAGE:
                outcome = f"{read_image(str(target), params).ndim} axes"
            else:
                outcome = "read"
                if found.has_audio:
                    for _, block in AudioReader(str(target), params=params): pass
        except SourceError as error:
            outcome = error.reason
            assert outcome.isprintable()
        outcomes.setdefault(Path(source).suffix, []).append(outcome)
print(json.dumps(outcomes))
"""


def test_every_damaged_file_is_read_or_named(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    sources = [clip(tmp_path / f"a.{form}", seconds=0.5) for form in FORMS]
    picture = np.random.default_rng(3).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    for suffix in ("jpg", "png", "webp", "bmp"):
        sources.append(tmp_path / f"a.{suffix}")
        cv2.imwrite(str(sources[-1]), picture)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(CASES_PER_FORM), *map(str, sources)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr[-2000:]
    outcomes = json.loads(run.stdout)
    assert {len(of_form) for of_form in outcomes.values()} == {CASES_PER_FORM}
    flat = [outcome for of_form in outcomes.values() for outcome in of_form]
    assert {"read", "3 axes"} <= set(flat) and any(outcome.startswith("not media") for outcome in flat)
