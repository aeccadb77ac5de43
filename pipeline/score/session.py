"""The one door to onnxruntime: a model's very bytes, checked against its entry, on the provider that was asked for.

One thread per session: workers are processes, and batching or threads gain nothing on a CPU core.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Read while the library loads: set later, it has already made a device id and looked up its vendor's address.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

from pipeline.core.errors import ModelError
from pipeline.score.entry import Activation, Layout, ModelEntry, PictureInput
from pipeline.score.features import FEATURE_SHAPES
from pipeline.score.files import Stored
from pipeline.score.params import Provider

_PROVIDERS = {
    # Without TF32 the numbers of a GPU stay within the probes' tolerance of a CPU's.
    Provider.CUDA: ("CUDAExecutionProvider", {"use_tf32": "0"}),
    Provider.CPU: ("CPUExecutionProvider", {}),
}
_ROUNDING = 1e-4


class Session:
    """A loaded model that maps a batch of inputs to values in 0..1, one per label."""

    def __init__(self, entry: ModelEntry, stored: Stored, provider: Provider) -> None:
        """Raises ModelError if the bytes are no model, differ from the entry, or the provider did not start."""
        self._entry = entry
        self._labels = stored.labels
        self._session = _open(entry, stored.body, provider)
        expected = (None, *input_shape(entry))
        if len(self._session.get_inputs()) != 1:
            raise ModelError(f"{entry.name}: the model has {len(self._session.get_inputs())} inputs; one is supported")
        _agree(entry, "input", self._session.get_inputs(), entry.input.tensor, expected)
        _agree(entry, "output", self._session.get_outputs(), entry.output.tensor, (None, len(stored.labels)))
        first = self._session.get_inputs()[0].shape[0]
        self.max_batch: int | None = first if isinstance(first, int) else None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """f32[n, labels] in 0..1 of f32[n, *input_shape]; ModelError where the model does not answer so."""
        name = self._entry.name
        try:
            (raw,) = self._session.run([self._entry.output.tensor], {self._entry.input.tensor: batch})
        except Exception as e:  # onnxruntime's exceptions share no base
            raise ModelError(f"{name} failed on an input of shape {list(batch.shape)}: {e}") from e
        if raw.shape != (len(batch), len(self._labels)):
            raise ModelError(f"{name} answered {list(raw.shape)}, not {[len(batch), len(self._labels)]}")
        values = _activated(raw, self._entry.output.activation)
        if not (np.isfinite(values).all() and values.min() >= -_ROUNDING and values.max() <= 1 + _ROUNDING):
            raise ModelError(f"{name} answered values outside 0..1; correct 'activation' in its registry entry")
        return np.clip(values, 0.0, 1.0)


def input_shape(entry: ModelEntry) -> tuple[int, ...]:
    """The shape of one input, without the batch."""
    if isinstance(entry.input, PictureInput):
        side = entry.input.side
        return (side, side, 3) if entry.input.layout is Layout.NHWC else (3, side, side)
    return FEATURE_SHAPES[entry.input.features]


def _open(entry: ModelEntry, body: bytes, provider: Provider) -> Any:
    onnxruntime.disable_telemetry_events()
    name, options = _PROVIDERS[provider]
    if name not in (offered := onnxruntime.get_available_providers()):
        raise ModelError(
            f"provider {provider} was asked for, but this onnxruntime offers only {', '.join(offered)}; "
            "install watchkeep[gpu], or set the provider to cpu"
        )
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 4  # its messages would land on standard error; failures are raised below
    try:
        session = onnxruntime.InferenceSession(body, settings, providers=[(name, options)])
    except Exception as e:  # onnxruntime's exceptions share no base
        raise ModelError(f"{entry.name}: onnxruntime cannot load the model: {e}") from e
    if session.get_providers()[0] != name:
        raise ModelError(
            f"provider {provider} was asked for, but {entry.name} would run on {session.get_providers()[0]}; "
            "check the driver and its libraries, or set the provider to cpu"
        )
    return session


def _agree(entry: ModelEntry, kind: str, found: list[Any], name: str, shape: tuple[int | None, ...]) -> None:
    by_name = {node.name: node for node in found}
    if name not in by_name:
        raise ModelError(f"{entry.name}: the model has no {kind} {name!r} but {', '.join(map(repr, by_name))}")
    node = by_name[name]
    if node.type != "tensor(float)":
        raise ModelError(f"{entry.name}: {kind} {name!r} is {node.type}, not tensor(float)")
    # A dimension that is no number is free; a fixed one must be the entry's.
    fits = len(node.shape) == len(shape) and all(
        want is None or not isinstance(have, int) or have == want for have, want in zip(node.shape, shape, strict=True)
    )
    if not fits:
        wanted = ["n" if side is None else side for side in shape]
        raise ModelError(f"{entry.name}: {kind} {name!r} has the shape {node.shape}, its entry says {wanted}")


def _activated(raw: NDArray[np.float32], activation: Activation) -> NDArray[np.float32]:
    if activation is Activation.SOFTMAX:
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
    if activation is Activation.SIGMOID:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * raw)), np.float32)
    return raw
