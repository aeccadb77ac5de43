"""The settings of an installation: HOME/config.yaml as one frozen tree, refused whole.

The environment gives only WATCHKEEP_HOME, WATCHKEEP_KEYS and secrets. Thresholds are the policy's, not settings.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.capture.params import Params as CaptureParams
from pipeline.config.fill import fill
from pipeline.config.marks import read_yaml
from pipeline.config.section import Problems, Section
from pipeline.config.shipped import shipped
from pipeline.core.jurisdiction import is_jurisdiction
from pipeline.core.recording import UNKNOWN
from pipeline.ingest.manifest import Defaults
from pipeline.ingest.params import Params as IngestParams
from pipeline.sample.params import Params as SampleParams
from pipeline.score.params import Params as ScoreParams


class Mode(StrEnum):
    """PRODUCTION refuses settings that a lawful operation may not leave open."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How a scan is spread. `workers` None: one per core; `ray` is auto, local or off."""

    workers: int | None = None
    ray: str = "auto"
    chunk_s: int = 600
    """Seconds of media time in one task, a multiple of 60; results do not depend on it."""

    def __post_init__(self) -> None:
        if self.workers is not None and not 1 <= self.workers <= 4096:
            raise ValueError(f"workers: {self.workers} is not in 1..4096")
        if self.ray not in ("auto", "local", "off"):
            raise ValueError(f"ray: {self.ray!r} is not auto, local or off")
        if self.chunk_s < 60 or self.chunk_s % 60:
            raise ValueError(f"chunk_s: {self.chunk_s} is not a multiple of 60")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which models of the registry look and listen; an empty list switches that kind off."""

    frames: tuple[str, ...] = ("opennsfw",)
    sounds: tuple[str, ...] = ("yamnet",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """Ordinary keeping. `keep_days` after it began a recording may go; None: only when somebody asks."""

    keep_days: int | None = None

    def __post_init__(self) -> None:
        if self.keep_days is not None and not 1 <= self.keep_days <= 36_500:
            raise ValueError(f"keep_days: {self.keep_days} is not in 1..36500")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """Where checkpoints of the audit log go: a folder out of reach of who may change the home; None is nowhere."""

    checkpoint_to: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that settings point to."""

    policy: Path
    taxonomy: Path
    registry: Path
    retention: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the flat view; `origin` is "file:line", "default" or the environment variable."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. `home` and `keys` are absolute folders; `origins` says where each value that was set came from."""

    home: Path
    keys: Path
    mode: Mode
    defaults: Defaults
    files: Files
    audit: AuditSettings
    run: RunSettings
    models: ModelSettings
    recordings: RecordingSettings
    ingest: IngestParams
    sample: SampleParams
    score: ScoreParams
    capture: CaptureParams
    origins: Mapping[str, str] = field(repr=False)

    def flat(self) -> tuple[Setting, ...]:
        """Every setting by its dotted key, in the order of the tree."""
        return tuple(
            Setting(key=key, value=value, origin=self.origins.get(key, "default")) for key, value in _leaves("", self)
        )


def load_settings(home: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the installation at `home`; a home without config.yaml has the shipped defaults.

    Raises ConfigError with every problem, each with file and line. `environ` is os.environ unless given.
    """
    home = home.expanduser().absolute()
    problems = Problems()
    path = home / "config.yaml"
    top = read_yaml(path, problems=problems) if path.exists() else Section(str(path), "", None, problems)
    origins = {key: f"{path}:{line}" for key, line in top.leaves().items()}
    keys, keys_origin = _keys(home, top.section("keys"), os.environ if environ is None else environ)
    if keys_origin:
        origins["keys"] = keys_origin
    settings = Settings(
        home=home,
        keys=keys,
        mode=top.choice("mode", Mode, Mode.DEVELOPMENT),
        defaults=fill(top.section("defaults"), Defaults),
        files=_files(home, top.section("files")),
        audit=_audit(home, keys, top.section("audit")),
        run=fill(top.section("run"), RunSettings),
        models=fill(top.section("models"), ModelSettings),
        recordings=fill(top.section("recordings"), RecordingSettings),
        ingest=fill(top.section("ingest"), IngestParams),
        sample=fill(top.section("sample"), SampleParams),
        score=fill(top.section("score"), ScoreParams),
        capture=fill(top.section("capture"), CaptureParams),
        origins=origins,
    )
    top.close()
    _check(settings, top)
    problems.refuse()
    return settings


def _keys(home: Path, section: Section, environ: Mapping[str, str]) -> tuple[Path, str]:
    configured = _path(home, section, "folder", home.with_name(home.name + "-keys"))
    section.close()
    if given := environ.get("WATCHKEEP_KEYS"):
        return Path(given).expanduser().absolute(), "WATCHKEEP_KEYS"
    return configured, f"{section.file}:{section.line_of('folder')}" if "folder" in section else ""


def _files(home: Path, section: Section) -> Files:
    files = Files(
        policy=_path(home, section, "policy", shipped("configs/policies/video-chat.yaml")),
        taxonomy=_path(home, section, "taxonomy", shipped("configs/taxonomy.yaml")),
        registry=_path(home, section, "registry", shipped("models/registry.yaml")),
        retention=_path(home, section, "retention", shipped("configs/retention.yaml")),
    )
    for entry in dataclasses.fields(files):
        if not (chosen := getattr(files, entry.name)).is_file():
            section.problem(entry.name, f"{chosen} is not a file; relative paths start at {home}")
    section.close()
    return files


def _audit(home: Path, keys: Path, section: Section) -> AuditSettings:
    if section.is_null("checkpoint_to") or "checkpoint_to" not in section:
        section.close()
        return AuditSettings()
    chosen = _path(home, section, "checkpoint_to", home)
    section.close()
    if any(chosen.resolve().is_relative_to(place.resolve()) for place in (home, keys)):
        section.problem("checkpoint_to", f"{chosen} lies in the home or the keys folder, and is no second place")
    return AuditSettings(checkpoint_to=chosen)


def _path(home: Path, section: Section, key: str, default: Path) -> Path:
    return home / Path(section.text(key)).expanduser() if key in section else default


def _check(settings: Settings, top: Section) -> None:
    """What reaches beyond one section."""
    defaults = top.section("defaults")
    if settings.mode is Mode.PRODUCTION:
        for name in ("policy_version", "jurisdiction", "legal_basis"):
            if getattr(settings.defaults, name) == UNKNOWN:
                defaults.problem(name, "is not set, and mode: production demands it; set it with counsel")
    place = settings.defaults.jurisdiction
    if place != UNKNOWN and not is_jurisdiction(place):
        defaults.problem("jurisdiction", f"{place!r} is not a code such as NL, US-CA, EU or EEA")
    if settings.sample.audio_rate_hz != settings.ingest.audio_rate_hz:
        top.section("sample").problem(
            "audio_rate_hz", f"{settings.sample.audio_rate_hz} is not ingest's {settings.ingest.audio_rate_hz}"
        )


def _leaves(prefix: str, node: object) -> Iterator[tuple[str, str]]:
    for entry in dataclasses.fields(node):  # type: ignore[arg-type]
        key, value = prefix + entry.name, getattr(node, entry.name)
        if key == "origins":
            continue
        if dataclasses.is_dataclass(value):
            yield from _leaves(key + ".", value)
        else:
            yield key, _shown(value)


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
