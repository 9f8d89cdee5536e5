"""Read the weights of a .tflite: int8, or uint8 with a zero point.

TensorFlow Lite takes uint8 weights less their zero point, which may need nine bits: channels that
have such are wide. Its convolutions of uint8 multiply the scales of input and weights in float32.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import quantize_multiplier
from edgesq.formats.tflite.check import scale_problem
from edgesq.formats.tflite.reader import UINT8, Reader
from edgesq.graph import Quantization, Tensor

Numbers = NDArray[np.int16]


def read_weights(reader: Reader, index: int) -> Tensor:
    """Return weights as they are stored; of uint8 less their zero point, int16.

    Raises:
        ModelError: they are damaged.
    """
    stored = reader.read(index)
    if reader.type(index) != UINT8 or stored.data is None:
        return stored
    reader.refuse(scale_problem(stored))
    data = stored.data.astype(np.int16) - np.int16(stored.zero_point)
    return replace(stored, data=data, quantization=Quantization(stored.quantization.scale, 0))


def as_multiplied(reader: Reader, operator: Any, weights: Tensor) -> Tensor:
    """Return a convolution's weights with the scale that gives TensorFlow Lite's multiplier.

    Raises:
        ModelError: there is none.
    """
    if reader.type(operator.inputs[1]) != UINT8:
        return weights
    ends = (operator.inputs[0], operator.outputs[0])
    scale = _scale(weights.scale, *(reader.tensors[reader.tensor(end)].scale for end in ends))
    if scale is None:
        raise reader.error(f"{weights.name}: no scale gives TensorFlow Lite's multiplier")
    return replace(weights, quantization=Quantization((scale,), 0))


def _scale(weights: float, source: float, output: float) -> float | None:
    """Return the scale that in float64 gives the multiplier that float32 gives; None: none does."""
    product = float(np.float32(source) * np.float32(weights))
    near = product / source
    wanted = quantize_multiplier(product / output)
    tried = (near, np.nextafter(near, 0.0), np.nextafter(near, np.inf))
    fitting = (float(one) for one in tried if quantize_multiplier(source * one / output) == wanted)
    return next(fitting, None)


def narrow(reader: Reader, weights: Tensor, channel_axis: int) -> tuple[int, dict[str, Any]]:
    """Add weights as the graph has them.

    Args:
        reader: the file.
        weights: int8 or int16, of four axes.
        channel_axis: the axis that is the output's channels, 0 or 3; 3 with a first axis of 1.

    Returns:
        the graph's number of the int8 weights, and the further attributes of a Convolution.
    """
    data = weights.data
    assert data is not None
    cut = np.clip(data, -128, 127).astype(np.int8)
    index = reader.append(-1, replace(weights, shape=cut.shape, data=cut))
    others: Sequence[int] = [axis for axis in range(4) if axis != channel_axis]
    channels = np.flatnonzero((cut != data).any(axis=tuple(others)))
    if not channels.size:
        return index, {}
    by_channel = data if channel_axis == 0 else data.transpose(3, 1, 2, 0)
    exact = np.ascontiguousarray(by_channel[channels], np.int16)
    name = f"{weights.name}/wide"
    wide = reader.append(-1, replace(weights, name=name, shape=exact.shape, data=exact))
    return index, {"wide": wide, "wide_channels": tuple(channels.tolist())}
