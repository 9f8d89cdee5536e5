"""A SqueezeNet as the int8 graph that a plan needs, in milliseconds: neither trained nor quantized.

Shapes and the order of operators are those of `squeezenet`'s model once it is quantized, which a
test holds. Weights are drawn as an untrained layer's are, and scales follow from them, so that
kernels requantize as they do in a trained network, nearly: what a plan says of flash is exact only
once weights are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import Graph, Int8Array, Int32Array, Quantization, Tensor
from edgesq.integers import ceil_div
from edgesq.operators import Add, Concatenation, Conv2D, MaxPool2D, Mean, Op, Softmax, Window
from edgesq.zoo.architecture import (
    FIRE_MODULES,
    Bypass,
    FireWidths,
    Layout,
    Metaparameters,
    Shape,
    check,
)

_SEED = 2016
_INT8 = (-128, 127)
_WHOLE = -128
"""Zero point of values that are never below 0."""

_INPUT_SCALE = 1 / 255
_SPREAD = 6.0
"""Largest value of a map, in its standard deviations."""


def squeezenet_graph(
    layout: Layout,
    input_shape: Shape,
    classes: int,
    bypass: Bypass = "none",
    metaparameters: Metaparameters | None = None,
) -> Graph:
    """Return the graph of `squeezenet(..., relu_conv10=False)`, its softmax included.

    Args:
        layout: the version.
        input_shape: height, width, channels.
        classes: number of outputs.
        bypass: as of `squeezenet`.
        metaparameters: widths of the Fire modules; None for the paper's.

    Raises:
        ModelError: as `squeezenet`.
    """
    check(layout, input_shape, classes, bypass)
    widths = metaparameters or Metaparameters()
    net = _Net()
    image = net.tensor("input", input_shape, _INPUT_SCALE)
    size, stride = layout.conv1_size, layout.conv1_stride
    x = net.convolution(image, "conv1", layout.conv1_filters, size, stride, same=stride == 1)
    for number in range(1, FIRE_MODULES + 2):
        if number > 1:
            x = _fire(net, x, widths.fire(number - 2), bypass, f"fire{number}")
        if number in layout.pools_after:
            x = net.ceil_max_pool(x, f"pool{number}")
    x = net.convolution(x, "conv10", classes, 1, relu=False)
    x = net.apply(Mean, "pool10", (x,), (1, classes), net.steps(x))
    output = net.apply(Softmax, "softmax", (x,), (1, classes), (1 / 256, _WHOLE), beta=1.0)
    return Graph(tuple(net.tensors), tuple(net.ops), (image,), (output,), "0" * 64)


def _fire(net: "_Net", x: int, widths: FireWidths, bypass: Bypass, name: str) -> int:
    """Add a Fire module; the converter writes the convolution around it first."""
    height, width, channels = net.tensors[x].hwc
    same_channels = channels == widths.out
    around = None
    if bypass == "complex" and not same_channels:
        around = net.convolution(x, f"{name}_bypass1x1", widths.out, 1, relu=False)
    elif bypass != "none" and same_channels:
        around = x
    squeezed = net.convolution(x, f"{name}_squeeze1x1", widths.squeeze, 1)
    expanded = tuple(
        net.convolution(squeezed, f"{name}_expand{size}x{size}", filters, size)
        for size, filters in ((1, widths.expand_1x1), (3, widths.expand_3x3))
    )
    shape = (1, height, width, widths.out)
    out = net.apply(Concatenation, f"{name}_concat", expanded, shape, net.steps(expanded[0]))
    if around is None:
        return out
    pair = (around, out)
    return net.apply(
        Add, f"{name}_bypass", pair, shape, net.steps(around), operands=pair, clamp=_INT8
    )


@dataclass
class _Net:
    """A graph that grows; tensors are known by their number."""

    tensors: list[Tensor] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(_SEED))

    def steps(self, index: int) -> tuple[float, int]:
        """Return a tensor's scale and zero point."""
        return self.tensors[index].scale, self.tensors[index].zero_point

    def tensor(self, name: str, shape: Sequence[int], scale: float) -> int:
        """Add an activation, [H, W, C] or [1, ...]."""
        whole = (1, *shape) if len(shape) == 3 else tuple(shape)
        self.tensors.append(Tensor(name, whole, _per_tensor(scale, _WHOLE)))
        return len(self.tensors) - 1

    def apply(
        self,
        kind: type[Op],
        name: str,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        steps: tuple[float, int],
        **fields: object,
    ) -> int:
        """Add an operator and the tensor that it writes."""
        self.tensors.append(Tensor(name, shape, _per_tensor(*steps)))
        output = len(self.tensors) - 1
        self.ops.append(kind(name, inputs, output, **fields))
        return output

    def convolution(
        self,
        x: int,
        name: str,
        filters: int,
        size: int,
        stride: int = 1,
        *,
        same: bool = True,
        relu: bool = True,
    ) -> int:
        """Add a square convolution with weights as He's uniform initializer draws them."""
        height, width, channels = self.tensors[x].hwc
        axes = [_axis(extent, size, stride, same=same) for extent in (height, width)]
        limit = np.sqrt(6 / (channels * size * size))
        drawn = self.random.uniform(-limit, limit, (filters, size, size, channels))
        steps = np.abs(drawn).max(axis=(1, 2, 3)) / 127
        data = np.rint(drawn / steps[:, np.newaxis, np.newaxis, np.newaxis]).astype(np.int8)
        self._constant(f"{name}/weights", data, steps)
        self._constant(f"{name}/bias", np.zeros(filters, np.int32), steps * self.tensors[x].scale)
        weights = len(self.tensors) - 2
        reach = _SPREAD / 255 if relu else 2 * _SPREAD / 255
        return self.apply(
            Conv2D,
            name,
            (x,),
            (1, axes[0][0], axes[1][0], filters),
            (reach, _WHOLE if relu else 0),
            window=Window(size, size, stride, stride, *axes[0][1], *axes[1][1]),
            weights=weights,
            bias=weights + 1,
            clamp=_INT8,
        )

    def _constant(
        self, name: str, data: Int8Array | Int32Array, steps: NDArray[np.float64]
    ) -> None:
        scales = tuple(map(float, steps.astype(np.float32)))
        self.tensors.append(Tensor(name, data.shape, Quantization(scales, 0), data))

    def ceil_max_pool(self, x: int, name: str) -> int:
        """Add a 3x3 max pool of stride 2; two where one axis is odd and the other even."""
        height, width, _ = self.tensors[x].hwc
        tall, wide = (_pool_axis(extent) for extent in (height, width))
        if _is_valid(height) == _is_valid(width):
            return self._pool(x, name, (3, 3), (2, 2), (tall, wide))
        x = self._pool(x, f"{name}_rows", (3, 1), (2, 1), (tall, (width, (0, 0))))
        return self._pool(x, f"{name}_columns", (1, 3), (1, 2), ((tall[0], (0, 0)), wide))

    def _pool(
        self,
        x: int,
        name: str,
        size: tuple[int, int],
        stride: tuple[int, int],
        axes: tuple["_Axis", "_Axis"],
    ) -> int:
        shape = (1, axes[0][0], axes[1][0], self.tensors[x].hwc[2])
        window = Window(*size, *stride, *axes[0][1], *axes[1][1])
        return self.apply(MaxPool2D, name, (x,), shape, self.steps(x), window=window, clamp=_INT8)


_Axis = tuple[int, tuple[int, int]]
"""Extent of the output, and padding before and behind the input."""


def _axis(extent: int, size: int, stride: int, *, same: bool) -> _Axis:
    """Return where a window goes along an axis, padded as TensorFlow does."""
    if not same:
        return (extent - size) // stride + 1, (0, 0)
    out = ceil_div(extent, stride)
    pad = max((out - 1) * stride + size - extent, 0)
    return out, (pad // 2, pad - pad // 2)


def _pool_axis(extent: int) -> _Axis:
    return _axis(extent, 3, 2, same=not _is_valid(extent))


def _is_valid(extent: int) -> bool:
    """Say whether a pool needs no padding, as `squeezenet` decides it."""
    return extent >= 3 and extent % 2 == 1


def _per_tensor(scale: float, zero_point: int) -> Quantization:
    return Quantization((float(np.float32(scale)),), zero_point)
