"""Made inputs with known answers: proof that weights, preprocessing and runtime together still say what was recorded.

Pictures are made at the model's own size in float (R, G, B in 0..255): "black", "white", "rgb R G B", and "ramp", which
rises to the right in red, downwards in green and along the diagonal in blue. Sounds are two seconds, scored as windows
of which the mean is taken: "silence", and "tone F" (a sine of F Hz, amplitude 0.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import ModelError
from pipeline.score.entry import ModelEntry, PictureInput, SoundInput
from pipeline.score.features import patch
from pipeline.score.files import Stored
from pipeline.score.params import Provider
from pipeline.score.preprocessing import normalise
from pipeline.score.session import Session

_HOP_SAMPLES = 7_680


def check_probes(entry: ModelEntry, stored: Stored, session: Session | None = None) -> None:
    """Raise ModelError naming the first probe whose answer differs; `session` defaults to one on the CPU."""
    session = session or Session(entry, stored, Provider.CPU)
    for probe in entry.probes:
        answers = np.mean([session.run(batch[None])[0] for batch in _inputs(entry, probe.input)], axis=0)
        values = dict(zip(stored.labels, answers, strict=True))
        for label, expected in probe.expected.items():
            if label not in values:
                raise ModelError(f"{entry.name}: probe {probe.input!r} asks for {label!r}, which is none of its labels")
            if not abs(values[label] - expected) <= probe.atol:
                raise ModelError(
                    f"{entry.name} fails its probe: {probe.input!r} gives {label} {values[label]:.4f}, "
                    f"recorded is {expected:.4f} within {probe.atol}; this model may not score"
                )


def _inputs(entry: ModelEntry, name: str) -> list[NDArray[np.float32]]:
    if isinstance(entry.input, PictureInput):
        return [normalise(picture(name, entry.input.side), entry.input)]
    samples = sound(name, entry.input)
    size = entry.input.window_samples
    return [patch(samples[i : i + size], entry.input) for i in range(0, len(samples) - size + 1, _HOP_SAMPLES)]


def picture(name: str, side: int) -> NDArray[np.float32]:
    """f32[side, side, 3] RGB in 0..255."""
    rise = np.linspace(0.0, 255.0, side, dtype=np.float32)
    match name.split():
        case ["black"]:
            return np.zeros((side, side, 3), np.float32)
        case ["white"]:
            return np.full((side, side, 3), 255.0, np.float32)
        case ["rgb", red, green, blue]:
            return np.full((side, side, 3), np.array([red, green, blue]).astype(np.float32))
        case ["ramp"]:
            right, down = np.broadcast_to(rise, (side, side)), np.broadcast_to(rise[:, None], (side, side))
            return np.stack([right, down, (right + down) / 2], axis=-1)
    raise ModelError(f"there is no probe picture {name!r}; known: black, white, rgb R G B, ramp")


def sound(name: str, want: SoundInput) -> NDArray[np.float32]:
    """f32[2 s] mono."""
    match name.split():
        case ["silence"]:
            return np.zeros(2 * want.rate_hz, np.float32)
        case ["tone", hertz]:
            seconds = np.arange(2 * want.rate_hz) / want.rate_hz
            return (0.5 * np.sin(2 * np.pi * float(hertz) * seconds)).astype(np.float32)
    raise ModelError(f"there is no probe sound {name!r}; known: silence, tone F")
