"""A tiny picture model that says how much red, green and blue it sees, as an operator's own file and entry."""

import hashlib
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from pipeline.score.entry import (
    Activation,
    Address,
    Colour,
    Interpolation,
    Layout,
    Member,
    ModelEntry,
    Output,
    PictureInput,
    Probe,
    Resize,
    Task,
)

SIDE = 8


def onnx_bytes(*, layout: Layout = Layout.NHWC, batch: int | str = "n", last: str = "Identity") -> bytes:
    """ONNX of f32[n, 8, 8, 3] (or NCHW) -> f32[n, 3]: the mean of each channel, through the operator `last`."""
    shape = [batch, SIDE, SIDE, 3] if layout is Layout.NHWC else [batch, 3, SIDE, SIDE]
    axes = [1, 2] if layout is Layout.NHWC else [2, 3]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["means"], axes=axes, keepdims=0),
            helper.make_node(last, ["means"], ["last"]),
        ],
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("last", TensorProto.FLOAT, [batch, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def picture_input(**changes: Any) -> PictureInput:
    """The tiny model's contract."""
    usual: dict[str, Any] = {
        "tensor": "image",
        "side": SIDE,
        "layout": Layout.NHWC,
        "colour": Colour.RGB,
        "resize": Resize.STRETCH,
        "resize_to": SIDE,
        "interpolation": Interpolation.BILINEAR,
        "mean": (0.0, 0.0, 0.0),
        "std": (255.0, 255.0, 255.0),
    }
    return PictureInput(**(usual | changes))


def own_model(folder: Path, body: bytes | None = None, **changes: Any) -> ModelEntry:
    """An entry for a file in `folder` that holds `body` (by default the tiny model)."""
    body = onnx_bytes() if body is None else body
    path = folder / "own.onnx"
    path.write_bytes(body)
    usual: dict[str, Any] = {
        "name": "colours",
        "version": "1",
        "task": Task.FRAMES,
        "source": Address(location=str(path)),
        "model": Member(sha256=hashlib.sha256(body).hexdigest()),
        "conversion": None,
        "input": picture_input(),
        "output": Output(tensor="last", activation=Activation.NONE),
        "labels": ("red", "green", "blue"),
        "probes": (Probe(input="rgb 255 51 0", expected={"red": 1.0, "green": 0.2, "blue": 0.0}, atol=0.002),),
        "licence": "CC0-1.0",
    }
    return ModelEntry(**(usual | changes))
