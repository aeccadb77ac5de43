"""The line: the services one process needs to inspect, score and conclude recordings.

Put together by `app`, once per process; a worker opens its own files, keys and models, so that none of them travel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from pipeline.capture.capture import Sources
from pipeline.capture.params import Params as CaptureParams
from pipeline.core.errors import ModelError
from pipeline.core.ids import digest_of
from pipeline.core.ports import Clock, FrameClassifier, SoundClassifier
from pipeline.decide.policy import Policy
from pipeline.ingest.params import Params as IngestParams
from pipeline.recordings.ledger import Ledger
from pipeline.runtime.signals import FORMAT
from pipeline.sample.params import Params as SampleParams
from pipeline.vault.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under what a recording is scanned; a result under other terms is another result.

    `models` are name and digest of each; `off` are the detectors that the policy asks and settings switched off.
    """

    policy: Policy
    models: tuple[str, ...]
    sample: SampleParams
    off: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """sha256 hex over policy, model digests and sampling."""
        p = self.policy.ref
        return digest_of((p.name, p.version, p.sha256, *sorted(self.models), repr(self.sample)))


class Detectors:
    """The classifiers of one process, loaded at first use and kept. One that cannot load is named, never left out."""

    def __init__(
        self,
        frames: dict[str, Callable[[], FrameClassifier]],
        sounds: dict[str, Callable[[], SoundClassifier]],
    ) -> None:
        self._frames = frames
        self._sounds = sounds

    @property
    def looks(self) -> bool:
        """Whether any detector looks at pictures."""
        return bool(self._frames)

    @property
    def listens(self) -> bool:
        """Whether any detector listens to sound."""
        return bool(self._sounds)

    @cached_property
    def frames(self) -> tuple[dict[str, FrameClassifier], tuple[str, ...]]:
        """Picture classifiers by name, and the names of those that do not speak."""
        return _load(self._frames)

    @cached_property
    def sounds(self) -> tuple[dict[str, SoundClassifier], tuple[str, ...]]:
        """Sound classifiers by name, and the names of those that do not speak."""
        return _load(self._sounds)


def _load(makers: dict[str, Callable[[], T]]) -> tuple[dict[str, T], tuple[str, ...]]:
    loaded: dict[str, T] = {}
    silent: list[str] = []
    for name, make in makers.items():
        try:
            loaded[name] = make()
        except ModelError:
            silent.append(name)
    return loaded, tuple(silent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything a stage function is handed."""

    run_id: str
    terms: Terms
    ledger: Ledger
    vault: Vault
    detectors: Detectors
    sources: Sources
    ingest: IngestParams
    capture: CaptureParams
    installation_key: bytes
    clock: Clock
    chunk_lines: int
    canary: CanaryScan

    @property
    def chunk_terms(self) -> str:
        """The fingerprint under which finished chunks are marked: terms, cutting, and how results are written."""
        return digest_of((self.terms.fingerprint, str(self.chunk_lines), FORMAT))


class CanaryScan(Protocol):
    """Runs the synthetic clip through the whole line; see runtime.canary."""

    def __call__(self, line: Line) -> str:
        """ "ok", or what went wrong."""
