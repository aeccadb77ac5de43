"""YAMNet in float32 with a free batch, rebuilt from a published quantised (QDQ, 8-bit) export.

Weights keep exactly the values that the quantised model uses; only the rounding of activations goes, the sigmoid at the
end (which the export left to its caller) comes, and the batch is freed.

    audio  f32[n, 1, 96, 64]  patches of ln(mel + 0.001)
    scores f32[n, classes]    sigmoid
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipeline.core.errors import ModelError

_MAX_BYTES = 64 << 20
_OPSET, _IR_VERSION = 17, 8


def yamnet_float32(archive: bytes) -> bytes:
    """ONNX bytes of the zip that holds model.onnx and its weights model.data; the same bytes for the same tools."""
    graph = _load(archive).graph
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    through, exact = _quantisers(graph.node, arrays)

    def origin(name: str) -> str:
        while name in through:
            name = through[name]
        return name

    nodes = []
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            continue
        inputs = [origin(name) for name in node.input]
        if node.op_type == "Reshape":
            # Its constant target shape holds a batch of one.
            nodes.append(helper.make_node("Flatten", inputs[:1], list(node.output)))
            continue
        kept = helper.make_node(node.op_type, inputs, list(node.output))
        kept.attribute.extend(node.attribute)
        nodes.append(kept)
    nodes.append(helper.make_node("Sigmoid", list(nodes[-1].output), ["scores"]))
    used = dict.fromkeys(name for node in nodes for name in node.input if name in arrays)
    weights = [numpy_helper.from_array(exact.get(name, arrays[name]).astype(np.float32), name) for name in used]
    return _assemble(nodes, weights, classes=len(arrays[nodes[-2].input[1]]))


def _assemble(nodes: list[Any], weights: list[Any], *, classes: int) -> bytes:
    audio = helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["n", 1, 96, 64])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", classes])
    graph = helper.make_graph(nodes, "yamnet", [audio], [scores], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _quantisers(
    nodes: Iterable[Any], arrays: dict[str, NDArray[Any]]
) -> tuple[dict[str, str], dict[str, NDArray[np.float32]]]:
    """What each (de)quantiser's output really is, and the values that quantised weights really have."""
    through: dict[str, str] = {}
    exact: dict[str, NDArray[np.float32]] = {}
    for node in nodes:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        source = node.input[0]
        through[node.output[0]] = source
        if node.op_type == "QuantizeLinear" and source in arrays:
            scale, zero = arrays[node.input[1]], arrays[node.input[2]]
            exact[source] = _rounded(arrays[source], scale, zero)
    return through, exact


def _rounded(weight: NDArray[Any], scale: NDArray[Any], zero: NDArray[Any]) -> NDArray[np.float32]:
    """Quantised and back: `scale` and `zero` hold for the whole tensor, or for each output channel (axis 0)."""
    limits = np.iinfo(zero.dtype)
    each = (-1, *[1] * (weight.ndim - 1)) if scale.ndim else ()
    scale, offset = scale.astype(np.float32).reshape(each), zero.astype(np.float32).reshape(each)
    levels = np.clip(np.rint(weight / scale) + offset, limits.min, limits.max)
    return np.asarray((levels - offset) * scale, np.float32)


def _load(archive: bytes) -> Any:
    """The model with its external weights put inside, in memory: no name of the archive becomes a path."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        parts = {info.filename.rpartition("/")[2]: info for info in opened.infolist() if not info.is_dir()}
        if missing := {"model.onnx", "model.data"} - set(parts):
            raise ModelError(f"the quantised YAMNet lacks {', '.join(sorted(missing))}")
        if any(parts[name].file_size > _MAX_BYTES for name in ("model.onnx", "model.data")):
            raise ModelError(f"the quantised YAMNet is larger than {_MAX_BYTES} bytes")
        model, weights = onnx.load_model_from_string(opened.read(parts["model.onnx"])), opened.read(parts["model.data"])
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            place = {entry.key: entry.value for entry in tensor.external_data}
            start, size = int(place.get("offset", 0)), int(place["length"])
            tensor.raw_data = weights[start : start + size]
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT
    return model
