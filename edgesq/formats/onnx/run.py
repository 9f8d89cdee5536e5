"""Serialize ONNX models and run them in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray


def onnx_bytes(model: onnx.ModelProto) -> bytes:
    """Serialize a model; the same model always gives the same bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def run_onnx(
    model: onnx.ModelProto | bytes, *inputs: NDArray[Any], threads: int = 1
) -> tuple[NDArray[Any], ...]:
    """Run images one by one in ONNX Runtime on the CPU.

    Args:
        model: of batch 1.
        inputs: [n, ...] for each of its inputs, in its dtype, with as many values each.
        threads: that ONNX Runtime may use.

    Returns:
        one array [n, K] for each output of the model, in its order.
    """
    session = onnx_session(model, threads)
    sources = session.get_inputs()
    rows = [
        session.run(
            None,
            {one.name: part.reshape(one.shape) for one, part in zip(sources, image, strict=True)},
        )
        for image in zip(*inputs, strict=True)
    ]
    return tuple(np.concatenate(column) for column in zip(*rows, strict=True))


def onnx_session(model: onnx.ModelProto | bytes, threads: int = 1) -> Any:
    """Return a quiet session of ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its exceptions say the same
    content = model if isinstance(model, bytes) else onnx_bytes(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
