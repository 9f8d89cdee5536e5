"""Serialize ONNX models and run them in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.formats.onnx import float_model


def onnx_bytes(model: onnx.ModelProto) -> bytes:
    """Serialize a model; the same model always gives the same bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def qdq_onnx(tflite: bytes) -> onnx.ModelProto:
    """Write the model as `float_model.qdq_onnx` does, and try whether it runs.

    Raises:
        ModelError: tf2onnx cannot convert the model, or makes a file of it that does not run.
    """
    model = float_model.qdq_onnx(tflite)
    shape = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    try:
        run_onnx(model, np.zeros(shape, np.int8))
    # ONNX Runtime's errors have no class in common.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError("tf2onnx writes a model that does not run", hint=reason) from error
    return model


def run_onnx(
    model: onnx.ModelProto | bytes, inputs: NDArray[Any], threads: int = 1
) -> tuple[NDArray[Any], ...]:
    """Run images one by one in ONNX Runtime on the CPU.

    Args:
        model: with one input of batch 1.
        inputs: [n, ...] in the dtype of the model's input, with as many values each.
        threads: that ONNX Runtime may use.

    Returns:
        one array [n, K] for each output of the model, in its order.
    """
    session = onnx_session(model, threads)
    source = session.get_inputs()[0]
    rows = [session.run(None, {source.name: image.reshape(source.shape)}) for image in inputs]
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
