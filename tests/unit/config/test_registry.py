"""The registry is read whole: every wrong line of every file at once, and an operator's file over the shipped one."""

from pathlib import Path

import pytest

from pipeline.config.registry import load_registry
from pipeline.config.shipped import shipped
from pipeline.core.errors import ConfigError
from pipeline.score.entry import Address, Carrier, Colour, LabelMap, PictureInput, SoundInput
from pipeline.score.store import ModelStore
from tests.own_model import onnx_bytes, own_model

REGISTRY = shipped("models/registry.yaml")
DOCUMENTED = Path(__file__).resolve().parents[3] / "docs" / "models.md"


def _example() -> str:
    """The entry that docs/models.md shows."""
    return DOCUMENTED.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]


def test_the_shipped_models_are_complete() -> None:
    entries = load_registry(REGISTRY)
    assert set(entries) == {"opennsfw", "yamnet"}
    opennsfw, yamnet = entries["opennsfw"], entries["yamnet"]
    assert isinstance(opennsfw.input, PictureInput)
    assert (opennsfw.input.colour, opennsfw.input.mean) == (Colour.BGR, (123.0, 117.0, 104.0))
    assert isinstance(yamnet.input, SoundInput)
    assert isinstance(yamnet.labels, LabelMap)
    assert yamnet.remark == "licence of the carrier to confirm"
    for entry in entries.values():
        assert isinstance(entry.source, Carrier)
        assert entry.probes
        assert entry.notice
        assert entry.notice.is_file()
        assert entry.notice.read_text(encoding="utf-8").strip()


def test_the_documented_entry_works_as_it_stands(tmp_path: Path) -> None:
    own = own_model(tmp_path)
    text = _example().replace("0" * 64, own.model.sha256)
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "knives.onnx").write_bytes(onnx_bytes())
    entries = load_registry(REGISTRY, tmp_path / "models.yaml")
    assert set(entries) == {"opennsfw", "yamnet", "knives"}
    assert entries["knives"].source == Address(location=str(tmp_path / "knives.onnx"))


def test_an_own_file_is_fetched_through_its_entry(tmp_path: Path) -> None:
    own = own_model(tmp_path)
    text = f"""
models:
  opennsfw:
    task: frames
    version: "2"
    source: {{path: own.onnx}}
    model: {{sha256: {own.model.sha256}}}
    licence: CC0-1.0
    input:
      {{tensor: image, layout: NHWC, colour: RGB, side: 8, resize: stretch, resize_to: 8, interpolation: area,
       mean: {{red: 0, green: 0, blue: 0}}, std: {{red: 255, green: 255, blue: 255}}}}
    output: {{tensor: last, activation: none}}
    labels: [red, green, blue]
"""
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    entry = load_registry(REGISTRY, tmp_path / "models.yaml")["opennsfw"]
    assert (entry.version, entry.probes, entry.notice) == ("2", (), None)
    store = ModelStore(tmp_path / "models")
    store.fetch(entry, print)
    assert store.state(entry) == "present"


def test_every_wrong_line_is_told_at_once(tmp_path: Path) -> None:
    text = """models:
  knives:
    task: frame
    version: 1
    source: {url: "http://models.example/knives.onnx"}
    model: {sha256: abc}
    licence: MIT
    notice: notices/none.txt
    input:
      {tensor: image, layout: NHCW, colour: RGB, side: 224, resize: stretch, resize_to: 200, interpolation: bilinear,
       mean: {red: 0, green: 0, blue: 0}, std: {red: 1, green: 0}}
    output: {tensor: probs, activation: none}
    labels: [a, b]
    threshold: 0.5
    probes:
      - {input: black, expected: {a: 1.5}, atol: 0.01}
  sirens:
    task: sounds
    version: "1"
    source: {}
    model: {sha256: abc}
    licence: MIT
    conversion: {name: other, sha256: abc, tools: {}}
    input: {tensor: audio, features: mfcc, rate_hz: 16000, window_samples: 15600}
    output: {tensor: scores, activation: none}
    labels: [a, b]
  Two Words:
    task: sounds
    version: "1"
    source: {path: /own.onnx}
    model: {sha256: 0000000000000000000000000000000000000000000000000000000000000abc}
    licence: MIT
    input: {tensor: audio, features: yamnet-log-mel, rate_hz: 16000, window_samples: 15600}
    output: {tensor: scores, activation: none}
    labels: [a, b]
"""
    path = tmp_path / "models.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_registry(path)
    told = [problem.removeprefix(f"{path}:") for problem in refused.value.problems]
    assert told == [
        "3 models.knives.task: 'frame' is not one of frames, sounds",
        "4 models.knives.version: '1' is not text; YAML reads it as a number, so put it in quotes: \"1\"",
        "5 models.knives.source: 'http://models.example/knives.onnx' is not an absolute path, "
        "an https: URL or a file:/// URL",
        "6 models.knives.model: 'abc' is not a sha256 in lower-case hex",
        f"8 models.knives.notice: there is no file {tmp_path}/notices/none.txt",
        "10 models.knives.input.layout: 'NHCW' is not one of NHWC, NCHW",
        "11 models.knives.input.std.blue: is missing",
        "14 models.knives.threshold: unknown key; known: conversion, input, label_map, labels, licence, model, notice, "
        "output, probes, remark, source, task, version",
        "16 models.knives.probes[0].expected.a: 1.5 is not a probability in 0..1",
        "20 models.sirens.source: names no source; give a package (with version and sha256), a url or a path",
        "21 models.sirens.model: 'abc' is not a sha256 in lower-case hex",
        "23 models.sirens.conversion.name: 'other' is not known; known: yamnet-float32",
        "24 models.sirens.input.features: 'mfcc' is not known; known: yamnet-log-mel",
        "27 models.Two Words: 'Two Words' is not a model name; use a-z, 0-9, - and _",
    ]
