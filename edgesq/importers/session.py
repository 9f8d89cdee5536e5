"""Run an .onnx file in ONNX Runtime, image by image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.importers.network import Place
from edgesq.quantize import captured_output

Range = tuple[float, float]

_SAID = 200


def input_types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the type of each input, as TensorProto numbers it."""
    inputs: list[onnx.ValueInfoProto] = list(model.graph.input)
    return {value.name: int(value.type.tensor_type.elem_type) for value in inputs}


def run_file(
    model: onnx.ModelProto,
    sources: Sequence[Place],
    images: Sequence[NDArray[Any]],
    names: Sequence[str],
) -> Iterator[list[NDArray[Any]]]:
    """Yield for each image what values of the file hold, in ONNX's shapes.

    Args:
        model: the file.
        sources: its inputs, and where the pixels of an image go.
        images: of each input [n, H, W, C] in its dtype.
        names: of the values.

    Raises:
        ModelError: ONNX Runtime cannot run it.
    """
    import onnxruntime

    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        with captured_output():
            session = onnxruntime.InferenceSession(
                asked.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        for parts in zip(*images, strict=True):
            feeds = {
                source.onnx: part.reshape(-1)[source.place]
                for source, part in zip(sources, parts, strict=True)
            }
            yield session.run(list(names), feeds)
    # ONNX Runtime raises exceptions of its own, without a common parent.
    except Exception as error:
        said = " ".join(str(error).split())  # its own source files first, the cause last
        raise ModelError(
            f"ONNX Runtime cannot run it: {said if len(said) <= _SAID else f'... {said[-_SAID:]}'}",
            hint="onnx.checker.check_model may say more; export it again",
        ) from error


def ranges(
    model: onnx.ModelProto,
    sources: Sequence[Place],
    images: Sequence[NDArray[Any]],
    names: Sequence[str],
) -> dict[str, Range]:
    """Return the least and the largest number of each value over all images, as `run_file`."""
    found = dict.fromkeys(names, (np.inf, -np.inf))
    for values in run_file(model, sources, images, names):
        for name, value in zip(names, values, strict=True):
            low, high = found[name]
            found[name] = min(low, float(value.min())), max(high, float(value.max()))
    return found
