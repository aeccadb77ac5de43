"""HOME/config.yaml as a frozen tree, refused whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

import pytest
import yaml

from pipeline.config.fill import fill
from pipeline.config.marks import parse_yaml
from pipeline.config.settings import Mode, Settings, load_settings
from pipeline.config.shipped import shipped
from pipeline.core.errors import ConfigError
from pipeline.core.recording import UNKNOWN

NO_ENVIRONMENT: dict[str, str] = {}


def settings(home: Path, text: str | None = None, **environ: str) -> Settings:
    if text is not None:
        (home / "config.yaml").write_text(text)
    return load_settings(home, environ=environ)


def refused(home: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        settings(home, text)
    return [p.removeprefix(str(home / "config.yaml")) for p in refusal.value.problems]


def test_a_home_without_a_file_has_the_shipped_defaults(tmp_path: Path) -> None:
    found = settings(tmp_path / "home")
    assert found.mode is Mode.DEVELOPMENT
    assert found.keys == tmp_path / "home-keys"
    assert found.defaults.jurisdiction == UNKNOWN
    assert found.files.policy == shipped("configs/policies/video-chat.yaml")
    assert (found.models.frames, found.models.sounds) == (("opennsfw",), ("yamnet",))
    assert (found.run.workers, found.run.chunk_s) == (None, 600)
    assert {s.origin for s in found.flat()} == {"default"}


def test_what_is_set_is_read_and_shown_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("")
    text = (
        "sample:\n  rate_hz: 2\nkeys: {folder: k}\nfiles: {policy: p.yaml}\nmodels:\n  sounds: []\nrun: {workers: 3}\n"
    )
    found = settings(tmp_path, text)
    assert found.sample.rate_hz == 2.0 and found.run.workers == 3 and found.models.sounds == ()
    assert found.keys == tmp_path / "k" and found.files.policy == tmp_path / "p.yaml"
    shown = {s.key: (s.value, s.origin) for s in found.flat()}
    config = tmp_path / "config.yaml"
    assert shown["sample.rate_hz"] == ("2.0", f"{config}:2")
    assert shown["keys"] == (str(tmp_path / "k"), f"{config}:3")
    assert shown["files.policy"] == (str(tmp_path / "p.yaml"), f"{config}:4")
    assert shown["models.sounds"] == ("", f"{config}:6")
    assert shown["sample.gate"] == ("true", "default")


def test_the_environment_gives_the_keys_folder_over_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, "keys: {folder: k}\n", WATCHKEEP_KEYS=str(tmp_path / "env"))
    assert found.keys == tmp_path / "env"
    assert {s.key: s.origin for s in found.flat()}["keys"] == "WATCHKEEP_KEYS"


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = """\
mode: prod
defaults: {jurisdiction: Holland}
sampling: {rate_hz: 1}
sample:
  rate_hz: 500
  gate: maybe
  audio_rate_hz: 8000
run: {chunk_s: 90, workers: many, ray: 7}
files: {policy: gone.yaml}
score: {provider: tpu}
ingest: {max_pixels: 1.5, max_pixel: 3}
"""
    assert refused(tmp_path, text) == [
        ":1 mode: 'prod' is not one of development, production",
        ":2 defaults.jurisdiction: 'Holland' is not a code such as NL, US-CA, EU or EEA",
        ":3 sampling: unknown key; did you mean sample?",
        ":5 sample.rate_hz: 500.0 is not in 0.2..240",
        ":6 sample.gate: 'maybe' is not true or false; write true or false",
        ":8 run.workers: 'many' is not a whole number; write a whole number",
        ":8 run.ray: '7' is not text; YAML reads it as a number, so put it in quotes: \"7\"",
        ":8 run.chunk_s: 90 is not a multiple of 60",
        f":9 files.policy: {tmp_path}/gone.yaml is not a file; relative paths start at {tmp_path}",
        ":10 score.provider: 'tpu' is not one of cpu, cuda",
        ":11 ingest.max_pixels: 1.5 is not a whole number",
        ":11 ingest.max_pixel: unknown key; did you mean max_pixels?",
    ]
    assert refused(tmp_path, "sample: {audio_rate_hz: 8000}\n") == [
        ":1 sample.audio_rate_hz: 8000 is not ingest's 16000"
    ]


def test_production_demands_what_a_lawful_operation_may_not_leave_open(tmp_path: Path) -> None:
    assert refused(tmp_path, "mode: production\ndefaults:\n  legal_basis: LEGIT_INTEREST\n") == [
        ":2 defaults.policy_version: is not set, and mode: production demands it; set it with counsel",
        ":2 defaults.jurisdiction: is not set, and mode: production demands it; set it with counsel",
    ]
    text = 'mode: production\ndefaults: {policy_version: "2026-03", jurisdiction: NL, legal_basis: LEGIT_INTEREST}\n'
    assert settings(tmp_path, text).mode is Mode.PRODUCTION


def test_the_documented_example_is_accepted_and_names_every_section(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    for name in ("policies/mine.yaml", "taxonomy.yaml", "models.yaml", "retention.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    settings(tmp_path, example[1])
    assert set(yaml.safe_load(example[1])) == {f.name for f in fields(Settings)} - {"home", "origins"}


class Hue(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Anything:
    count: int = 3
    ratio: float | None = 0.5
    name: str = "n"
    loud: bool = True
    hue: Hue = Hue.RED
    many: tuple[str, ...] = ("a",)

    def __post_init__(self) -> None:
        if self.count > 9 and not self.loud:
            raise ValueError("more than 9 need loud: true")


def test_any_frozen_dataclass_of_plain_values_is_filled_with_its_own_defaults() -> None:
    section = parse_yaml("count: 4\nratio: null\nmany: [x, y]\n", "f")
    assert fill(section, Anything) == Anything(count=4, ratio=None, many=("x", "y"))
    section.problems.refuse()


def test_what_only_two_values_together_make_wrong_is_told_at_their_section() -> None:
    section = parse_yaml("count: 10\nloud: false\n", "f")
    fill(section, Anything)
    with pytest.raises(ConfigError, match=r"f:1: more than 9 need loud: true"):
        section.problems.refuse()
