"""Composition: an installation's files become one value, and that value a line of services for one process."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.app.home import Home, Secrets, unlock
from pipeline.capture.media import Sources
from pipeline.config.policy_file import load_policy
from pipeline.config.registry import load_registry
from pipeline.config.settings import Settings, load_settings
from pipeline.config.shipped import shipped
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.clock import SystemClock
from pipeline.core.errors import ConfigError
from pipeline.core.media import LINE_NS, NS
from pipeline.core.ports import Clock
from pipeline.core.recording import Part, Recording
from pipeline.decide.policy import Policy
from pipeline.decide.taxonomy import Taxonomy
from pipeline.ingest.audio import audio_between
from pipeline.ingest.find import find
from pipeline.ingest.manifest import read_manifest
from pipeline.ingest.opener import open_media
from pipeline.ingest.params import Params as IngestParams
from pipeline.ingest.video import frames_between
from pipeline.recordings.ledger import Ledger
from pipeline.runtime.canary import LABELS, Canary
from pipeline.runtime.line import Detectors, Line, Terms
from pipeline.score.entry import ModelEntry
from pipeline.score.frames import load_frames
from pipeline.score.sounds import load_sounds
from pipeline.score.store import ModelStore
from pipeline.vault.epoch import MasterEpoch
from pipeline.vault.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything that was configured, read whole and checked."""

    home: Home
    settings: Settings
    registry: dict[str, ModelEntry]
    own: frozenset[str]
    """Names of models that the operator's own models.yaml brings or replaces."""
    taxonomy: Taxonomy
    policy: Policy
    store: ModelStore
    clock: Clock

    @classmethod
    def open(cls, home: Home, *, policy: Path | None = None) -> Installation:
        """Read settings, registry, taxonomy and policy; ConfigError names every problem of the first bad file."""
        settings = load_settings(home.root)
        mine = home.root / "models.yaml"
        own = dict(load_registry(mine)) if mine.exists() else {}
        registry = {**load_registry(settings.files.registry), **own}
        taxonomy = load_taxonomy(settings.files.taxonomy)
        store = ModelStore(home.models, settings.score)
        chosen = policy or settings.files.policy
        if not chosen.is_file():
            raise ConfigError(f"{chosen}: no such policy file")
        found = cls(
            home=replace(home, keys=settings.keys),
            settings=settings,
            registry=registry,
            own=frozenset(own),
            taxonomy=taxonomy,
            policy=load_policy(chosen, taxonomy, detectors=_labels(registry, store)),
            store=store,
            clock=SystemClock(),
        )
        found.enabled()
        return found

    def enabled(self) -> tuple[ModelEntry, ...]:
        """The models that settings switch on; ConfigError for a name that the registry does not have."""
        names = (*self.settings.models.frames, *self.settings.models.sounds)
        if unknown := [n for n in names if n not in self.registry]:
            raise ConfigError(f"{self.home.root / 'config.yaml'} models: the registry has no model {unknown[0]!r}")
        return tuple(self.registry[n] for n in names)

    def asked(self) -> tuple[ModelEntry, ...]:
        """The enabled models that some rule of the policy asks: the others have nothing to say and do not run."""
        return tuple(e for e in self.enabled() if e.name in self.policy.detectors)

    def secrets(self) -> Secrets:
        """The keys, made on first use."""
        return unlock(self.home)

    def ledger(self) -> Ledger:
        """The job ledger under its own key."""
        return Ledger.open(self.home.recordings, self.secrets().recordings)

    def epoch(self) -> MasterEpoch:
        """The epoch of the master key, for whoever opens the keys."""
        return MasterEpoch(self.home.epoch_file, self.secrets().master)

    def vault(self) -> Vault:
        """The vault: catalog and sealed files under the home, keys outside it."""
        keys = self.secrets()
        return Vault.open(
            self.home.root,
            self.home.keys / "vault",
            master=keys.master,
            installation_key=keys.installation,
            clock=self.clock,
            epoch=self.epoch(),
        )

    def recordings(self, paths: Sequence[str], manifest: Path | None) -> list[Recording]:
        """The recordings named, those of the manifest first; a file that the manifest describes is not listed twice."""
        defaults = self.settings.defaults
        described = read_manifest(manifest, defaults) if manifest else []
        known = {_place(part.uri) for r in described for part in r.parts}
        if manifest:
            known.add(_place(str(manifest)))
        loose = [
            Recording(
                parts=(Part(uri=uri),),
                policy_version=defaults.policy_version,
                jurisdiction=defaults.jurisdiction,
                legal_basis=defaults.legal_basis,
            )
            for uri in find(paths)
            if _place(uri) not in known
        ]
        return [*described, *loose]


def _place(uri: str) -> str:
    """Where a file lies, however its folder was written; a link that bears its name is not followed."""
    folder, name = os.path.split(uri)
    return f"{os.path.realpath(folder)}/{name}"


def _labels(registry: dict[str, ModelEntry], store: ModelStore) -> dict[str, tuple[str, ...] | None]:
    """Every model's labels; None where a label map is not fetched yet (the classifier then checks at loading)."""
    return {
        name: e.labels if isinstance(e.labels, tuple) else store.read(e).labels if store.path(e).exists() else None
        for name, e in registry.items()
    }


def fetch_models(installation: Installation, say: Callable[[str], None]) -> None:
    """Bring the models that this policy asks; ModelError if one cannot be had, or is altered."""
    for entry in installation.asked():
        if entry.remark and not installation.store.path(entry).exists():
            say(f"{entry.name}: {entry.remark}")
        installation.store.fetch(entry, say)


def sources(params: IngestParams) -> Sources:
    """How capture reads: with the same doors and bounds as the scan."""
    return Sources(
        open=partial(open_media, params=params),
        frames=lambda path, span, offset_ns: frames_between(
            path, span, stream_id="", params=params, offset_ns=offset_ns
        ),
        audio=lambda path, span, offset_ns: audio_between(path, span, params=params, offset_ns=offset_ns),
    )


def compose_line(installation: Installation, run_id: str) -> Line:
    """The services of one process for one run. Models are loaded at first use; their bytes are hashed here."""
    settings, store, policy = installation.settings, installation.store, installation.policy
    asked = installation.asked()
    provider = settings.score.provider
    shipped_only = {e.name for e in asked} - installation.own
    known = frozenset(label for label in LABELS if label.partition(".")[0] in shipped_only)
    keep = policy.labels | known
    looking = [e for e in asked if e.name in settings.models.frames]
    listening = [e for e in asked if e.name in settings.models.sounds]
    return Line(
        run_id=run_id,
        terms=Terms(
            policy=policy,
            models=tuple(f"{e.name} {store.read(e).sha256} {e.fingerprint}" for e in asked),
            sample=settings.sample,
            off=tuple(sorted(policy.detectors - {e.name for e in asked})),
        ),
        ledger=installation.ledger(),
        vault=installation.vault(),
        detectors=Detectors(
            frames={e.name: partial(load_frames, e, store, provider=provider, keep=keep) for e in looking},
            sounds={e.name: partial(load_sounds, e, store, provider=provider, keep=keep) for e in listening},
        ),
        sources=sources(settings.ingest),
        ingest=settings.ingest,
        capture=settings.capture,
        installation_key=installation.secrets().installation,
        clock=installation.clock,
        chunk_lines=settings.run.chunk_s * NS // LINE_NS,
        canary=Canary(shipped("configs/samples/canary.mkv"), known),
    )
