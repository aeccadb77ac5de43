"""A model that differs from its entry, or a provider that did not start, is refused in one sentence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pipeline.core.errors import ModelError
from pipeline.core.media import Frame, Span
from pipeline.score.entry import Activation, Colour, LabelMap, Layout, ModelEntry, Output, Probe, Resize
from pipeline.score.frames import load_frames
from pipeline.score.preprocessing import prepare
from pipeline.score.sounds import load_sounds
from pipeline.score.store import ModelStore
from tests.models import entries, fetched_models
from tests.own_model import SIDE, onnx_bytes, own_model, picture_input

RED = np.full((20, 30, 3), (255, 51, 0), np.uint8)


def _values(entry: ModelEntry, folder: Path, pixels: Any = RED) -> dict[str, float]:
    store = ModelStore(folder / "models")
    store.fetch(entry, print)
    frame = Frame(stream_id="s", span=Span(start_ns=0, end_ns=1), pixels=pixels)
    return {score.label: round(score.value, 4) for score in load_frames(entry, store).score([frame])[0]}


def test_the_entry_decides_layout_colour_and_batch(tmp_path: Path) -> None:
    planes = onnx_bytes(layout=Layout.NCHW, batch=1)
    entry = own_model(tmp_path, planes, input=picture_input(layout=Layout.NCHW))
    assert _values(entry, tmp_path) == {"colours.red": 1.0, "colours.green": 0.2, "colours.blue": 0.0}
    swapped = own_model(tmp_path, input=picture_input(colour=Colour.BGR), labels=("blue", "green", "red"))
    assert _values(swapped, tmp_path) == {"colours.blue": 0.0, "colours.green": 0.2, "colours.red": 1.0}


def test_the_shorter_side_is_resized_and_the_middle_taken(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, 3 * SIDE, 3), np.uint8)
    pixels[:, SIDE : 2 * SIDE] = (255, 51, 0)
    entry = own_model(tmp_path, input=picture_input(resize=Resize.SHORTER_SIDE))
    assert _values(entry, tmp_path, pixels)["colours.red"] == 1.0
    assert _values(own_model(tmp_path), tmp_path, pixels)["colours.red"] < 0.5


def test_mean_and_std_are_per_colour(tmp_path: Path) -> None:
    want = picture_input(mean=(10.0, 20.0, 30.0), std=(1.0, 2.0, 4.0))
    pixels = np.full((SIDE, SIDE, 3), (11, 24, 42), np.uint8)
    assert prepare(pixels, want)[0, 0].tolist() == [1.0, 2.0, 3.0]
    assert prepare(pixels, replace(want, colour=Colour.BGR))[0, 0].tolist() == [3.0, 2.0, 1.0]
    assert prepare(pixels, replace(want, layout=Layout.NCHW))[:, 0, 0].tolist() == [1.0, 2.0, 3.0]


def test_softmax_and_sigmoid_make_values_of_logits(tmp_path: Path) -> None:
    black = np.zeros((9, 9, 3), np.uint8)
    for activation, expected in ((Activation.SOFTMAX, 0.3333), (Activation.SIGMOID, 0.5)):
        entry = own_model(tmp_path, output=Output(tensor="last", activation=activation), probes=())
        assert set(_values(entry, tmp_path, black).values()) == {expected}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"input": picture_input(tensor="picture")}, "the model has no input 'picture' but 'image'"),
        ({"input": picture_input(layout=Layout.NCHW)}, r"input 'image' has the shape \['n', 8, 8, 3\], its entry says"),
        ({"input": picture_input(side=4)}, r"input 'image' has the shape \['n', 8, 8, 3\], its entry says \['n', 4"),
        ({"output": Output(tensor="probs", activation=Activation.NONE)}, "the model has no output 'probs' but 'last'"),
        ({"labels": ("red", "green")}, r"output 'last' has the shape \['n', 3\], its entry says \['n', 2\]"),
        ({"probes": (Probe(input="black", expected={"grey": 1.0}, atol=0.1),)}, "'grey', which is none of its labels"),
        ({"probes": (Probe(input="plaid", expected={"red": 1.0}, atol=0.1),)}, "there is no probe picture 'plaid'"),
        ({"input": picture_input(std=(1.0, 1.0, 1.0))}, "colours answered values outside 0..1; correct 'activation'"),
    ],
)
def test_a_model_that_differs_from_its_entry_is_refused(changes: dict[str, Any], refusal: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=refusal):
        ModelStore(tmp_path / "models").fetch(own_model(tmp_path, **changes), print)


def test_bytes_that_are_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"own.onnx is no ONNX model|colours: onnxruntime cannot load the model"):
        ModelStore(tmp_path / "models").fetch(own_model(tmp_path, b"\x08\x08"), print)


def test_an_answer_that_is_no_number_is_refused(tmp_path: Path) -> None:
    entry = own_model(tmp_path, onnx_bytes(last="Log"), output=Output(tensor="last", activation=Activation.NONE))
    with pytest.raises(ModelError, match=r"colours answered values outside 0..1"):
        _values(replace(entry, probes=()), tmp_path)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here")
def test_a_provider_that_is_not_there_is_refused_and_never_replaced() -> None:
    with pytest.raises(ModelError, match=r"provider cuda was asked for, but this onnxruntime offers only .*CPU"):
        load_frames(entries()["opennsfw"], fetched_models(), provider="cuda")
    with pytest.raises(ValueError, match="tpu"):
        load_frames(entries()["opennsfw"], fetched_models(), provider="tpu")


def test_a_session_that_fell_back_to_another_provider_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # What onnxruntime does where CUDA's libraries are not whole: it says so on standard error and goes on with the CPU.
    session = onnxruntime.InferenceSession

    def fallen_back(body: bytes, settings: Any, providers: list[Any]) -> Any:
        return session(body, settings, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", fallen_back)
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    with pytest.raises(ModelError, match="provider cuda was asked for, but opennsfw would run on CPUExecutionProvider"):
        load_frames(entries()["opennsfw"], fetched_models(), provider="cuda")


@pytest.mark.gpu
@pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="no CUDA here")
def test_cuda_passes_the_same_probes() -> None:
    load_frames(entries()["opennsfw"], fetched_models(), provider="cuda")
    load_sounds(entries()["yamnet"], fetched_models(), provider="cuda")


def test_a_label_map_without_its_column_is_refused() -> None:
    entry = entries()["yamnet"]
    assert isinstance(entry.labels, LabelMap)
    with pytest.raises(ModelError, match=r"labels.csv has no column 'name'; correct 'column' in the registry"):
        load_sounds(replace(entry, labels=replace(entry.labels, column="name")), fetched_models())
