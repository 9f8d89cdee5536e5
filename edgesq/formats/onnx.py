"""ONNX: the exact integer model, the float and QDQ models of tf2onnx, and a way to run them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.formats.onnx_float import float_onnx, qdq_onnx
from edgesq.formats.onnx_integer import integer_onnx

__all__ = ["float_onnx", "integer_onnx", "onnx_bytes", "onnx_session", "qdq_onnx", "run_onnx"]


def onnx_bytes(model: onnx.ModelProto) -> bytes:
    """Serialize a model; the same model always gives the same bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def run_onnx(
    model: onnx.ModelProto | bytes, inputs: NDArray[Any], threads: int = 1
) -> tuple[NDArray[Any], ...]:
    """Run images one by one in ONNX Runtime on the CPU.

    Args:
        model: with one input of batch 1.
        inputs: [n, H, W, C] in the dtype of the model's input.
        threads: that ONNX Runtime may use.

    Returns:
        one array [n, K] for each output of the model, in its order.
    """
    session = onnx_session(model, threads)
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: image[np.newaxis]}) for image in inputs]
    return tuple(np.concatenate(column) for column in zip(*rows, strict=True))


def onnx_session(model: onnx.ModelProto | bytes, threads: int = 1) -> Any:
    """Return a quiet session of ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    content = model if isinstance(model, bytes) else onnx_bytes(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
