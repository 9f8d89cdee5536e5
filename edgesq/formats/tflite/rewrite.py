"""Change numbers of an int8 .tflite, and keep everything else of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError

_DTYPES = {0: np.dtype("<f4"), 2: np.dtype("<i4"), 9: np.dtype("i1")}
"""schema.fbs, enum TensorType: FLOAT32, INT32, INT8."""


@dataclass(frozen=True, eq=False)
class TensorChange:
    """What becomes of one tensor; None keeps what is there.

    Attributes:
        data: constants with the tensor's type and number of values, in its order.
        scale: as many as the tensor has (one, or one per output channel); all above 0.
        zero_point: the same for all channels, in [-128, 127].
    """

    data: NDArray[Any] | None = None
    scale: tuple[float, ...] | None = None
    zero_point: int | None = None


def tensor_names(content: bytes) -> list[str]:
    """Return the names of all tensors of a .tflite with one subgraph, in its order."""
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.Model.GetRootAsModel(content, 0).Subgraphs(0)
    return [_text(graph.Tensors(index).Name()) for index in range(graph.TensorsLength())]


def rewrite(content: bytes, changes: Mapping[str, TensorChange]) -> bytes:
    """Return the model with some tensors changed; the same arguments give the same bytes.

    A buffer that several tensors share is changed for the named one only. A tensor that several
    operators read changes for all of them.

    Args:
        content: the bytes of a .tflite with one subgraph.
        changes: by tensor name, as in `Graph.tensors`.

    Raises:
        ModelError: a name stands for no tensor or several, or a change does not suit its tensor.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for name, change in changes.items():
        _apply(model, _named(model.subgraphs[0].tensors, name), name, change)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _named(tensors: list[Any], name: str) -> Any:
    found = [tensor for tensor in tensors if _text(tensor.name) == name]
    if len(found) != 1:
        raise ModelError(
            f"{len(found)} tensors have this name", where=name, hint="only one can be changed"
        )
    return found[0]


def _text(raw: bytes | str) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw


def _apply(model: Any, tensor: Any, name: str, change: TensorChange) -> None:
    if change.data is not None:
        _set_data(model, tensor, name, change.data)
    quantization = tensor.quantization
    if change.scale is not None:
        count = 0 if quantization is None or quantization.scale is None else len(quantization.scale)
        scale = np.asarray(change.scale, np.float32)
        if len(scale) != count or not (np.isfinite(scale) & (scale > 0)).all():
            raise ModelError(f"{len(scale)} scales for {count}, or one not above 0", where=name)
        quantization.scale, quantization.min, quantization.max = scale, None, None
    if change.zero_point is not None:
        if quantization is None or not -128 <= change.zero_point <= 127:
            raise ModelError(f"cannot have the zero point {change.zero_point}", where=name)
        count = len(quantization.scale)
        quantization.zeroPoint = np.full(count, change.zero_point, np.int64)


def _set_data(model: Any, tensor: Any, name: str, data: NDArray[Any]) -> None:
    from ai_edge_litert import schema_py_generated as schema

    dtype = _DTYPES.get(tensor.type)
    old = model.buffers[tensor.buffer].data
    if dtype is None or data.dtype != dtype or old is None or data.nbytes != len(old):
        raise ModelError(f"{data.dtype} {list(data.shape)} does not suit it", where=name)
    sharing = [other for other in model.subgraphs[0].tensors if other.buffer == tensor.buffer]
    if len(sharing) > 1:
        tensor.buffer = len(model.buffers)
        model.buffers.append(schema.BufferT())
    model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)
