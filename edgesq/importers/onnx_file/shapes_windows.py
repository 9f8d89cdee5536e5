"""Shapes that operators over windows and matrices make, and how much they multiply."""

from __future__ import annotations

import math
from collections.abc import Callable

from edgesq.importers.onnx_file.view import Shape, View, WrongError, counted
from edgesq.integers import ceil_div

Rule = Callable[[View], Shape]


def conv(source: int, weights: int, bias: int) -> Rule:
    """Return the rule of a convolution with these positions of its inputs."""

    def rule(view: View) -> Shape:
        image, kernel = view.shape(source), view.shape(weights)
        if len(image) < 3 or len(kernel) != len(image):
            raise WrongError(f"weights {list(kernel)} over an image {list(image)}")
        group = int(view.attributes.get("group", 1))
        if group < 1 or kernel[1] * group != image[1] or kernel[0] % group or not kernel[0]:
            raise WrongError(f"weights {list(kernel)} in {group} groups over {list(image)}")
        if view.attributes.get("kernel_shape", list(kernel[2:])) != list(kernel[2:]):
            raise WrongError(f"kernel_shape is not that of its weights {list(kernel)}")
        added = view.given(bias)
        if added is not None and added.shape != (kernel[0],):
            raise WrongError(f"a bias {list(added.shape)} for {kernel[0]} channels")
        return (*image[:1], kernel[0], *_windows(view, image, list(kernel[2:])))

    return rule


def conv_transpose(view: View) -> Shape:
    """Return the shape that a transposed convolution makes."""
    image, kernel = view.shape(0), view.shape(1)
    if len(image) < 3 or len(kernel) != len(image) or not all(kernel):
        raise WrongError(f"weights {list(kernel)} over an image {list(image)}")
    group = int(view.attributes.get("group", 1))
    if group < 1 or kernel[0] != image[1] or image[1] % group:
        raise WrongError(f"weights {list(kernel)} in {group} groups over {list(image)}")
    rank, outputs = len(kernel) - 2, kernel[1] * group
    added = view.given(2)
    if added is not None and added.shape != (outputs,):
        raise WrongError(f"a bias {list(added.shape)} for {outputs} channels")
    strides = view.window("strides", 1, rank, 1)
    dilations = view.window("dilations", 1, rank, 1)
    more = view.window("output_padding", 0, rank, 0)
    pads = view.window("pads", 0, 2 * rank, 0)
    auto = view.attributes.get("auto_pad", "NOTSET")
    wanted = view.attributes.get("output_shape")
    found = []
    for axis, (extent, size) in enumerate(zip(image[2:], kernel[2:], strict=True)):
        made = (extent - 1) * strides[axis] + more[axis] + (size - 1) * dilations[axis] + 1
        if wanted is not None:
            made = int(list(wanted)[-rank:][axis])
        elif auto.startswith("SAME"):
            made = extent * strides[axis]
        elif auto == "NOTSET":
            made -= pads[axis] + pads[axis + rank]
        found.append(made)
    if min(found) < 1:
        raise WrongError(f"an image {found}")
    counted((*image[:1], outputs, *found))
    return (*image[:1], outputs, *found)


def pool(view: View) -> Shape:
    """Return the shape that a pool over windows makes."""
    image = view.shape()
    if view.attributes.get("channels_last", 0):
        raise WrongError("channels_last 1; 0 is supported")
    if len(image) < 3:
        raise WrongError(f"windows over {list(image)}")
    kernel = view.window("kernel_shape", 0, len(image) - 2, 1)
    return (*image[:2], *_windows(view, image, kernel))


def _windows(view: View, image: Shape, kernel: list[int]) -> list[int]:
    """Return how many windows fit in each direction."""
    rank = len(kernel)
    if min(kernel) < 1:
        raise WrongError(f"a window of {kernel}")
    strides = view.window("strides", 1, rank, 1)
    dilations = view.window("dilations", 1, rank, 1)
    pads = view.window("pads", 0, 2 * rank, 0)
    auto = view.attributes.get("auto_pad", "NOTSET")
    if auto not in ("NOTSET", "SAME_LOWER", "SAME_UPPER", "VALID"):
        raise WrongError(f"auto_pad {auto}")
    found = []
    for axis, (extent, size, step, apart) in enumerate(
        zip(image[2:], kernel, strides, dilations, strict=True)
    ):
        reach = (size - 1) * apart + 1
        before, after = (pads[axis], pads[axis + rank]) if auto == "NOTSET" else (0, 0)
        if auto.startswith("SAME"):
            found.append(ceil_div(extent, step))
            continue
        room = extent + before + after - reach
        count = room // step + 1
        if view.attributes.get("ceil_mode", 0) and room % step:
            count += (count * step) < extent + before
        if room < 0:
            raise WrongError(f"a window of {reach} over {extent + before + after}")
        found.append(count)
    around = [
        one + before + after
        for one, before, after in zip(image[2:], pads[:rank], pads[rank:], strict=True)
    ]
    counted((*image[:2], *around))
    return found


def gemm(matrix: int) -> Rule:
    """Return the rule of Gemm and QGemm, whose matrix is input `matrix`."""

    def rule(view: View) -> Shape:
        left, right = view.shape(), view.shape(matrix)
        if len(left) != 2 or len(right) != 2:
            raise WrongError(f"{list(left)} times {list(right)}")
        rows, inner = left[::-1] if view.attributes.get("transA", 0) else left
        other, columns = right[::-1] if view.attributes.get("transB", 0) else right
        if inner != other:
            raise WrongError(f"{list(left)} times {list(right)}")
        return rows, columns

    return rule


def matmul(matrix: int) -> Rule:
    """Return the rule of MatMul and QLinearMatMul, whose matrix is input `matrix`."""

    def rule(view: View) -> Shape:
        left, right = view.shape(), view.shape(matrix)
        if not left or not right:
            raise WrongError("a product of single numbers")
        rows = (1, *left) if len(left) == 1 else left
        columns = (*right, 1) if len(right) == 1 else right
        if rows[-1] != columns[-2]:
            raise WrongError(f"{list(left)} times {list(right)}")
        made = (*broadcast(rows[:-2], columns[:-2]), rows[-2], columns[-1])
        made = made[:-2] + made[-1:] if len(left) == 1 else made
        return made[:-1] if len(right) == 1 else made

    return rule


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that several have together as ONNX widens them."""
    rank = max(map(len, shapes), default=0)
    filled = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    made = []
    for extents in zip(*filled, strict=True):
        wide = {extent for extent in extents if extent != 1}
        if len(wide) > 1:
            raise WrongError(f"{' and '.join(str(list(shape)) for shape in shapes)} together")
        made.append(wide.pop() if wide else 1)
    return tuple(made)


def products(view: View, made: Shape) -> int:
    """Return about how many products or comparisons an operator takes."""
    each = 1
    if view.kind in ("Conv", "QLinearConv"):
        each = math.prod(view.shape(3 if view.kind == "QLinearConv" else 1)[1:])
    elif view.kind == "ConvTranspose":
        each = math.prod(view.shape(1)[2:]) * view.shape(0)[1]
    elif view.kind in ("Gemm", "MatMul", "QGemm", "QLinearMatMul"):
        each = view.shape()[-1] if not view.attributes.get("transA", 0) else view.shape()[0]
    elif "Pool" in view.kind and "kernel_shape" in view.attributes:
        each = math.prod(int(one) for one in view.attributes["kernel_shape"])
    return math.prod(made) * each
