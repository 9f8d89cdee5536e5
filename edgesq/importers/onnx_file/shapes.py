"""The shape of what each operator makes, from what is known before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgesq.importers.onnx_file.shapes_windows import (
    Rule,
    broadcast,
    conv,
    conv_transpose,
    gemm,
    matmul,
    pool,
)
from edgesq.importers.onnx_file.view import Shape, View, WrongError, axis_of
from edgesq.integers import ceil_div
from edgesq.limits import MAX_EXTENT


def _same(view: View) -> Shape:
    return view.shape()


def _all_together(view: View) -> Shape:
    return broadcast(*(each.shape for each in view.inputs if each is not None))


def _pair(left: int, right: int) -> Rule:
    return lambda view: broadcast(view.shape(left), view.shape(right))


def _quantized(view: View) -> Shape:
    """QuantizeLinear and DequantizeLinear: one scale, or one for each place along an axis."""
    shape, scale = view.shape(), view.shape(1)
    if math.prod(scale) != 1:
        axis = axis_of(view.attributes.get("axis", 1), len(shape))
        if scale != (shape[axis],):
            raise WrongError(f"scales {list(scale)} for {list(shape)} along {axis}")
    point = view.given(2)
    if point is not None and point.size != math.prod(scale):
        raise WrongError(f"{point.size} zero points for {math.prod(scale)} scales")
    return shape


def _norm(view: View) -> Shape:
    shape = view.shape()
    if len(shape) < 2 or any(view.shape(one) != (shape[1],) for one in range(1, 5)):
        raise WrongError(f"numbers that are not one for each channel of {list(shape)}")
    return shape


def _reshape(view: View) -> Shape:
    source, listed = view.shape(), view.counts("shape", 1)
    if listed is None:
        raise WrongError("without a shape")
    if not view.attributes.get("allowzero", 0):
        if any(not one and place >= len(source) for place, one in enumerate(listed)):
            raise WrongError(f"{list(source)} to {listed}")
        listed = [one or source[place] for place, one in enumerate(listed)]
    size, rest = math.prod(source), math.prod(one for one in listed if one != -1)
    if listed.count(-1) == 1 and rest and size % rest == 0:
        listed = [size // rest if one == -1 else one for one in listed]
    if min(listed, default=1) < 0 or math.prod(listed) != size:
        raise WrongError(f"{list(source)} to {listed}")
    return tuple(listed)


def _flatten(view: View) -> Shape:
    shape, axis = view.shape(), int(view.attributes.get("axis", 1))
    cut = axis if axis == len(shape) else axis_of(axis, max(len(shape), 1))
    return math.prod(shape[:cut]), math.prod(shape[cut:])


def _squeeze(view: View) -> Shape:
    shape, axes = view.shape(), view.counts("axes", 1)
    if axes is None:
        return tuple(extent for extent in shape if extent != 1)
    gone = {axis_of(axis, len(shape)) for axis in axes}
    if any(shape[axis] != 1 for axis in gone):
        raise WrongError(f"axes {axes} of {list(shape)}")
    return tuple(extent for axis, extent in enumerate(shape) if axis not in gone)


def _unsqueeze(view: View) -> Shape:
    shape, axes = list(view.shape()), view.counts("axes", 1) or []
    rank = len(shape) + len(axes)
    places = sorted({axis_of(axis, rank) for axis in axes})
    if len(places) != len(axes):
        raise WrongError(f"axes {axes}")
    for axis in places:
        shape.insert(axis, 1)
    return tuple(shape)


def _transpose(view: View) -> Shape:
    shape = view.shape()
    order = [int(one) for one in view.attributes.get("perm") or range(len(shape))[::-1]]
    if sorted(order) != list(range(len(shape))):
        raise WrongError(f"{list(shape)} by {order}")
    return tuple(shape[axis] for axis in order)


def _concat(first: int, step: int) -> Rule:
    def rule(view: View) -> Shape:
        shapes = [view.shape(position) for position in range(first, len(view.inputs), step)]
        if not shapes or not shapes[0]:
            raise WrongError("of nothing")
        rank = len(shapes[0])
        axis = axis_of(view.attributes.get("axis", 1), rank)
        around = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes if len(shape) == rank}
        if len(around) > 1 or any(len(shape) != rank for shape in shapes):
            raise WrongError(f"{' and '.join(str(list(shape)) for shape in shapes[:3])} together")
        along = sum(shape[axis] for shape in shapes)
        return (*shapes[0][:axis], along, *shapes[0][axis + 1 :])

    return rule


def _gather(view: View) -> Shape:
    shape, index = view.shape(), view.known(1)
    axis = axis_of(view.attributes.get("axis", 0), len(shape))
    if index.values is not None and index.size:
        low, high = int(index.values.min()), int(index.values.max())
        if low < -shape[axis] or high >= shape[axis]:
            raise WrongError(f"element {low} to {high} of {shape[axis]}")
    return (*shape[:axis], *index.shape, *shape[axis + 1 :])


def _expand(view: View) -> Shape:
    return broadcast(view.shape(), tuple(view.counts("shape", 1) or ()))


def _tile(view: View) -> Shape:
    shape, repeats = view.shape(), view.counts("repeats", 1) or []
    if len(repeats) != len(shape):
        raise WrongError(f"{list(shape)} by {repeats}")
    return tuple(extent * count for extent, count in zip(shape, repeats, strict=True))


def _filled(view: View) -> Shape:
    return tuple(view.counts("shape", 0) or ())


def _range(view: View) -> Shape:
    ends = [view.reals("", position) for position in range(3)]
    if any(end is None or len(end) != 1 for end in ends):
        raise WrongError("without three numbers")
    start, stop, step = (end[0] for end in ends if end)
    count = (stop - start) / step if step else math.inf
    if not math.isfinite(count) or count > MAX_EXTENT:
        raise WrongError(f"from {start} to {stop} by {step}")
    return (max(math.ceil(count), 0),)


def _constant(view: View) -> Shape:
    values = next(iter(view.attributes.values()), None)
    if len(view.attributes) != 1 or isinstance(values, (str, bytes)) or values is None:
        raise WrongError("that is no number")
    return np.shape(values)


def _slice(view: View) -> Shape:
    shape = list(view.shape())
    starts, ends = view.counts("starts", 1), view.counts("ends", 2)
    if starts is None or ends is None:
        raise WrongError("without an end")
    axes, steps = view.counts("axes", 3), view.counts("steps", 4)
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise WrongError(f"from {starts} to {ends} by {steps} along {axes}")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = axis_of(axis, len(shape))
        shape[place] = len(range(*slice(start, end, step).indices(shape[place])))
    return tuple(shape)


def _split(view: View) -> Shape:
    """Return the shape of the first part; `parts` gives all."""
    return parts(view)[0]


def parts(view: View) -> list[Shape]:
    """Return the shapes that Split makes."""
    shape, count = view.shape(), view.outputs
    axis = axis_of(view.attributes.get("axis", 0), len(shape))
    sizes = view.counts("split", 1)
    if sizes is None:
        each = ceil_div(shape[axis], count)
        sizes = [each] * (count - 1) + [shape[axis] - each * (count - 1)]
    if len(sizes) != count or sum(sizes) != shape[axis] or min(sizes) < 0:
        raise WrongError(f"{shape[axis]} into {sizes}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _pad(view: View) -> Shape:
    shape, pads = view.shape(), view.counts("pads", 1) or []
    axes = view.counts("axes", 3)
    axes = list(range(len(shape))) if axes is None else axes
    places = [axis_of(axis, len(shape)) for axis in axes]
    if len(pads) != 2 * len(places) or len({*places}) != len(places):
        raise WrongError(f"{list(shape)} by {pads}")
    made = list(shape)
    for position, axis in enumerate(places):
        made[axis] += pads[position] + pads[position + len(places)]
    return tuple(made)


def _resize(view: View) -> Shape:
    shape = view.shape()
    newer = view.kind == "Resize" and view.opset > 10
    sizes = view.counts("", 3) if newer else None
    scales = None if sizes else view.reals("scales", 2 if newer else 1)
    listed = sizes or scales or []
    axes = [axis_of(axis, len(shape)) for axis in view.attributes.get("axes", range(len(shape)))]
    if len(listed) != len(axes) or view.attributes.get("keep_aspect_ratio_policy", "stretch") != (
        "stretch"
    ):
        raise WrongError(f"{list(shape)} by {listed}")
    made = list(shape)
    for axis, value in zip(axes, listed, strict=True):
        wide = value if sizes else shape[axis] * value
        if not 0 < wide <= MAX_EXTENT:
            raise WrongError(f"{list(shape)} by {listed}")
        made[axis] = math.floor(wide)
    return tuple(made)


def _blocks(to_depth: bool) -> Rule:
    def rule(view: View) -> Shape:
        shape, block = view.shape(), int(view.attributes.get("blocksize", 0))
        if len(shape) != 4 or not 1 <= block <= MAX_EXTENT:
            raise WrongError(f"blocks of {block} of {list(shape)}")
        batch, channels, height, width = shape
        if to_depth and not (height % block or width % block):
            return batch, channels * block * block, height // block, width // block
        if not to_depth and not channels % (block * block):
            return batch, channels // (block * block), height * block, width * block
        raise WrongError(f"blocks of {block} of {list(shape)}")

    return rule


def _global(view: View) -> Shape:
    shape = view.shape()
    if len(shape) < 3:
        raise WrongError(f"of {list(shape)}")
    if view.attributes.get("channels_last", 0):
        return (shape[0], *(1 for _ in shape[2:]), shape[-1])
    return (*shape[:2], *(1 for _ in shape[2:]))


def _reduce(view: View) -> Shape:
    shape = view.shape()
    if view.kind == "ArgMax":
        axes: list[int] | None = [int(view.attributes.get("axis", 0))]
    else:
        axes = view.counts("axes", 1 if view.kind.startswith("R") else len(view.inputs))
    if not axes and view.attributes.get("noop_with_empty_axes", 0):
        return shape
    over = {axis_of(axis, len(shape)) for axis in axes or range(len(shape))}
    if view.attributes.get("keepdims", 1):
        return tuple(1 if axis in over else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in over)


def _with_axis(usual: int) -> Rule:
    def rule(view: View) -> Shape:
        axis_of(view.attributes.get("axis", usual), len(view.shape()))
        return view.shape()

    return rule


def _shape(view: View) -> Shape:
    rank = len(view.shape())
    return (len(range(*slice(*_ends(view)).indices(rank))),)


def _single(_: View) -> Shape:
    return ()


def _ends(view: View) -> tuple[int, int | None]:
    return view.attributes.get("start", 0), view.attributes.get("end")


def shape_values(view: View) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return what Shape and Size give, which is known without their input's numbers."""
    if view.kind == "Size":
        return np.array(view.known(0).size, np.int64)
    return np.array(view.shape()[slice(*_ends(view))], np.int64)


def _flat(*kinds: str) -> dict[str, Rule]:
    return dict.fromkeys(kinds, _same)


def _wide(*kinds: str) -> dict[str, Rule]:
    return dict.fromkeys(kinds, _all_together)


RULES: dict[str, Callable[[View], Shape]] = {
    **_flat("Abs", "Cast", "Ceil", "Clip", "Dropout", "Exp", "Floor", "HardSigmoid", "HardSwish"),
    **_flat("Identity", "LeakyRelu", "Neg", "Not", "Reciprocal", "Relu", "Round", "Sigmoid"),
    **_flat("Celu", "Cos", "Elu", "Gelu", "Log", "Mish", "Selu", "Sign", "Sin", "Softplus"),
    **_flat("Softsign", "ThresholdedRelu"),
    **_flat("Sqrt", "Tanh", "QLinearLeakyRelu", "QLinearSigmoid"),
    **_wide("Add", "And", "Div", "Equal", "Greater", "Less", "Max", "Min", "Mod", "Mul", "Or"),
    **_wide("Mean", "PRelu", "Pow", "Sub", "Sum", "Where"),
    **dict.fromkeys(
        ("ArgMax", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"), _reduce
    ),
    **dict.fromkeys(("AveragePool", "MaxPool", "QLinearAveragePool"), pool),
    **dict.fromkeys(("DequantizeLinear", "QuantizeLinear"), _quantized),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "QLinearGlobalAveragePool"), _global),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), _pair(0, 3)),
    **dict.fromkeys(("QLinearSoftmax", "Softmax", "LogSoftmax"), _with_axis(1)),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    "BatchNormalization": _norm,
    "Concat": _concat(0, 1),
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Conv": conv(0, 1, 2),
    "ConvTranspose": conv_transpose,
    "DepthToSpace": _blocks(False),
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": gemm(1),
    "MatMul": matmul(1),
    "Pad": _pad,
    "QGemm": gemm(3),
    "QLinearConcat": _concat(2, 3),
    "QLinearConv": conv(0, 3, 8),
    "QLinearMatMul": matmul(3),
    "QLinearReduceMean": _reduce,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _single,
    "Slice": _slice,
    "SpaceToDepth": _blocks(True),
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
