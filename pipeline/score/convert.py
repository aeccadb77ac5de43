"""Conversions of model files, by name. Each is a pure function of bytes; nothing is executed, nothing unpickled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

from pipeline.core.errors import ModelError

_TOOLS = ("numpy", "onnx")


def convert(name: str, source: bytes) -> bytes:
    """The ONNX bytes that conversion `name` makes of `source`. Deterministic for the same `tools`."""
    if name not in CONVERSIONS:
        raise ModelError(f"there is no conversion {name!r}; known: {', '.join(CONVERSIONS)}")
    return CONVERSIONS[name](source)


def _yamnet_float32(source: bytes) -> bytes:
    # onnx takes long to import, and only a fetch needs it.
    from pipeline.score.convert_yamnet import yamnet_float32

    return yamnet_float32(source)


CONVERSIONS: Mapping[str, Callable[[bytes], bytes]] = {"yamnet-float32": _yamnet_float32}


def refuse_references(model: bytes, shown: str) -> None:
    """Raise ModelError if the ONNX bytes are none, or point at files beside them (weights must be inside)."""
    import onnx

    try:
        graph = onnx.load_model_from_string(model).graph
    except Exception as e:  # protobuf's, whose package is not ours to name
        raise ModelError(f"{shown} is no ONNX model: {e}") from e
    if any(t.data_location == onnx.TensorProto.EXTERNAL for t in graph.initializer):
        raise ModelError(f"{shown} keeps weights in other files; save it as one file and record its new sha256")


def tools() -> dict[str, str]:
    """The versions that decide the bytes of a conversion."""
    return {name: version(name) for name in _TOOLS}
