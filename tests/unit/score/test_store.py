"""Models come whole and checked or not at all, and an altered file is refused by name."""

import hashlib
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import external_data_helper, numpy_helper

from pipeline.core.errors import ModelError
from pipeline.score.convert import convert, tools
from pipeline.score.entry import Conversion, LabelMap, ModelEntry, Probe
from pipeline.score.files import write_made
from pipeline.score.frames import load_frames
from pipeline.score.params import Params
from pipeline.score.sounds import load_sounds
from pipeline.score.store import ModelStore
from tests.models import entries, fetched_models
from tests.own_model import onnx_bytes, own_model


def _quiet(_: str) -> None:
    return None


def _copy(entry: ModelEntry, folder: Path) -> ModelStore:
    """A store of our own with the fetched model in it, to alter."""
    store = ModelStore(folder)
    shutil.copytree(fetched_models().path(entry), store.path(entry))
    assert store.state(entry) == "present"
    return store


def _flip(path: Path, at: int) -> None:
    with path.open("r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1]))


def test_a_fetched_model_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = fetched_models()
    monkeypatch.setattr("subprocess.run", None)
    told: list[str] = []
    for entry in entries().values():
        store.fetch(entry, told.append)
    assert told == []


@pytest.mark.parametrize("at", [0, 5_000_000, 23_590_723])
def test_a_model_with_one_changed_byte_is_refused_by_name(at: int, tmp_path: Path) -> None:
    entry = entries()["opennsfw"]
    store = _copy(entry, tmp_path)
    _flip(store.path(entry) / "model.onnx", at)
    refusal = rf"opennsfw-\w+/model.onnx was altered: its sha256 is .*, recorded is {entry.model.sha256}; remove"
    with pytest.raises(ModelError, match=refusal):
        load_frames(entry, store)
    with pytest.raises(ModelError, match=refusal):
        store.verify(entry)
    with pytest.raises(ModelError, match=refusal):
        store.fetch(entry, _quiet)
    assert store.state(entry).startswith("altered: ")


@pytest.mark.parametrize("name", ["model.onnx", "labels.csv", "source", "made.json"])
def test_every_file_of_a_converted_model_is_guarded(name: str, tmp_path: Path) -> None:
    entry = entries()["yamnet"]
    store = _copy(entry, tmp_path)
    path = store.path(entry) / name
    _flip(path, path.stat().st_size // 2)
    with pytest.raises(ModelError, match=r"yamnet-\w+/(model.onnx|made.json|labels.csv|source) was altered") as refused:
        load_sounds(entry, store)
    # A sha256 that was changed in made.json differs from the model's: either of the two is named.
    assert f"/{name} was" in str(refused.value) or name == "made.json"
    path.unlink()
    with pytest.raises(ModelError, match=f"/{name} was altered: it cannot be read"):
        store.verify(entry)


def test_an_absent_model_says_how_to_get_it(tmp_path: Path) -> None:
    entry, store = entries()["opennsfw"], ModelStore(tmp_path)
    assert store.state(entry) == "absent"
    with pytest.raises(ModelError, match=r"model opennsfw is not in .*; run 'watchkeep models fetch opennsfw'"):
        load_frames(entry, store)


def _forge(store: ModelStore, entry: ModelEntry, body: bytes) -> None:
    assert entry.conversion
    write_made(store.path(entry), entry.conversion, entry.model, body, tools())


def test_other_tools_may_make_other_bytes_if_the_probe_passes(tmp_path: Path) -> None:
    shipped = entries()["yamnet"]
    assert shipped.conversion
    entry = replace(shipped, conversion=replace(shipped.conversion, sha256="0" * 64))
    store = ModelStore(tmp_path)
    shutil.copytree(fetched_models().path(shipped), store.path(entry))
    _forge(store, entry, (store.path(entry) / "model.onnx").read_bytes())
    store.verify(entry)
    assert load_sounds(entry, store).ref.sha256 == shipped.conversion.sha256
    assert json.loads((store.path(entry) / "made.json").read_bytes())["accepted"] == "probe"


def test_a_forged_conversion_is_stopped_by_its_probe_or_named_by_verify(tmp_path: Path) -> None:
    entry = entries()["yamnet"]
    store = _copy(entry, tmp_path)
    deaf = onnx.load_model_from_string((store.path(entry) / "model.onnx").read_bytes())
    bias = next(t for t in deaf.graph.initializer if list(t.dims) == [521])
    weights = numpy_helper.to_array(bias).copy()
    weights[420:425] = -50.0  # never explosion, gunshot, ...: the probes do not ask for those
    bias.CopyFrom(numpy_helper.from_array(weights, bias.name))
    _forge(store, entry, deaf.SerializeToString())
    assert load_sounds(entry, store).ref.sha256 != (entry.conversion.sha256 if entry.conversion else "")
    with pytest.raises(ModelError, match=r"model.onnx was altered: converting the source with .* gives b09e7cf4"):
        store.verify(entry)
    weights[:] = -5000.0
    bias.CopyFrom(numpy_helper.from_array(weights, bias.name))
    _forge(store, entry, deaf.SerializeToString())
    with pytest.raises(ModelError, match=r"yamnet fails its probe: 'silence' gives Silence 0.0000, recorded is 1.0000"):
        load_sounds(entry, store)


def test_an_own_model_goes_from_its_file_to_scores(tmp_path: Path) -> None:
    entry, store = own_model(tmp_path), ModelStore(tmp_path / "models")
    store.fetch(entry, _quiet)
    (tmp_path / "own.onnx").unlink()
    store.verify(entry)
    assert load_frames(entry, store).ref.sha256 == entry.model.sha256


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_an_own_file_that_is_not_the_recorded_one_is_refused_and_leaves_nothing(prefix: str, tmp_path: Path) -> None:
    entry = own_model(tmp_path)
    entry = replace(entry, source=replace(entry.source, location=f"{prefix}{tmp_path}/own.onnx"))
    _flip(tmp_path / "own.onnx", 40)
    store = ModelStore(tmp_path / "models")
    with pytest.raises(ModelError, match=r"own.onnx was altered: its sha256 is"):
        store.fetch(entry, _quiet)
    assert list(store.folder.iterdir()) == []
    assert store.state(entry) == "absent"


def test_an_own_file_is_capped_and_missing_ones_are_told(tmp_path: Path) -> None:
    entry = own_model(tmp_path)
    with pytest.raises(ModelError, match=r"own.onnx is larger than 100 bytes; nothing of it was kept"):
        ModelStore(tmp_path / "models", Params(max_model_bytes=100)).fetch(entry, _quiet)
    (tmp_path / "own.onnx").unlink()
    with pytest.raises(ModelError, match=r"own.onnx cannot be read: .*No such file"):
        ModelStore(tmp_path / "models").fetch(entry, _quiet)


def test_an_own_model_may_not_reach_for_other_files(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(onnx_bytes())
    weight = numpy_helper.from_array(np.ones(4, np.float32), "w")
    external_data_helper.set_external_data(weight, location="../secret")
    weight.ClearField("raw_data")
    model.graph.initializer.append(weight)
    for body, refusal in ((model.SerializeToString(), "keeps weights in other files"), (b"MZ\0\0", "is no ONNX model")):
        with pytest.raises(ModelError, match=refusal):
            ModelStore(tmp_path / "models").fetch(own_model(tmp_path, body), _quiet)


def test_a_model_that_fails_its_probe_is_never_placed(tmp_path: Path) -> None:
    wrong = Probe(input="white", expected={"red": 0.5}, atol=0.01)
    entry, store = own_model(tmp_path, probes=(wrong,)), ModelStore(tmp_path / "models")
    with pytest.raises(ModelError, match=r"colours fails its probe: 'white' gives red 1.0000, recorded is 0.5000"):
        store.fetch(entry, _quiet)
    assert list(store.folder.iterdir()) == []


def test_two_fetches_at_a_time_end_with_one_whole_model(tmp_path: Path) -> None:
    entry, store = own_model(tmp_path), ModelStore(tmp_path / "models")
    both = threading.Barrier(2, timeout=20)
    failures: list[BaseException] = []

    def fetch() -> None:
        def wait_for_the_other(told: str) -> None:
            if told.endswith("checking its numbers"):
                both.wait()

        try:
            ModelStore(store.folder).fetch(entry, wait_for_the_other)
        except BaseException as e:  # noqa: BLE001  # handed to the test
            failures.append(e)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert [path.name for path in store.folder.iterdir()] == [store.path(entry).name]
    store.verify(entry)


def test_what_a_killed_fetch_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    entry, store = own_model(tmp_path), ModelStore(tmp_path / "models")
    left, young = store.folder / ".fetching-old", store.folder / ".fetching-young"
    for folder in (left, young):
        folder.mkdir(parents=True)
        (folder / "half.whl").write_bytes(b"half")
    os.utime(left, (time.time() - 3600,) * 2)
    store.fetch(entry, _quiet)
    assert not left.exists()
    assert young.exists()


def test_an_entry_with_other_pins_has_another_folder(tmp_path: Path) -> None:
    store, yamnet = ModelStore(tmp_path), entries()["yamnet"]
    assert isinstance(yamnet.labels, LabelMap)
    others = [
        replace(yamnet, model=replace(yamnet.model, sha256="1" * 64)),
        replace(yamnet, labels=replace(yamnet.labels, member=replace(yamnet.labels.member, sha256="2" * 64))),
        replace(yamnet, conversion=Conversion(name="yamnet-float32", sha256="3" * 64, tools={})),
    ]
    assert len({store.path(entry) for entry in (yamnet, *others)}) == 4


def test_the_conversion_gives_the_recorded_bytes_or_says_which_tools_differ() -> None:
    entry = entries()["yamnet"]
    assert entry.conversion
    made = convert(entry.conversion.name, (fetched_models().path(entry) / "source").read_bytes())
    if tools() != dict(entry.conversion.tools):
        pytest.skip(f"recorded with {entry.conversion.tools}, here are {tools()}")
    assert hashlib.sha256(made).hexdigest() == entry.conversion.sha256
