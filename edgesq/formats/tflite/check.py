"""Refuse a damaged .tflite before it can mislead a later stage.

A flatbuffer has no checksum: a flipped bit may give an index outside its list, a shape that fits no
operator, a scale that is not a number. What passes here is safe to plan, to generate and to run:
every window touches its image and no 32-bit sum can overflow.
"""

from collections.abc import Collection, Iterable
from typing import Any

from edgesq.graph import Tensor
from edgesq.limits import MAX_NODES, MAX_SIDE, MAX_UINT16, MAX_VALUES
from edgesq.operators import Window

_MAX_DILATION = 255
"""Most rows, or columns, from one tap of a window to the next."""

_MAX_PIXELS = 1 << 22
"""Most pixels of one activation: their sum, at most 255 each, fits 31 bits."""

_MAX_PARTS = 10 * MAX_NODES
"""Most tensors, buffers, operators and the like that a file may have together."""

SCALES = (2.0**-64, 2.0**64)
INT8_SPAN = 255
SUM_LIMIT = (1 << 31) - INT8_SPAN
"""A sum below it, requantized, takes a zero point without overflowing."""


def is_overgrown(model: Any, file_bytes: int) -> bool:
    """Say whether a flatbuffer's lists and texts are more than its bytes, or its parts too many.

    Parts may point at the same bytes: a small file can unpack to any size.

    Args:
        model: a packed Model.
        file_bytes: of the file.
    """
    graphs = [model.Subgraphs(number) for number in range(min(model.SubgraphsLength(), MAX_NODES))]
    counts = [
        *(model.SubgraphsLength(), model.BuffersLength(), model.OperatorCodesLength()),
        *(model.MetadataLength(), model.SignatureDefsLength(), model.MetadataBufferLength()),
        *(count for one in graphs for count in (one.TensorsLength(), one.OperatorsLength())),
    ]
    if sum(counts) > _MAX_PARTS:
        return True
    total = 0
    for graph in graphs:
        tensors = (graph.Tensors(number) for number in range(graph.TensorsLength()))
        total += sum(one.ShapeLength() + len(one.Name() or b"") for one in tensors)
        operators = (graph.Operators(number) for number in range(graph.OperatorsLength()))
        total += sum(one.InputsLength() + one.OutputsLength() for one in operators)
    return bool(total > file_bytes)


def structure_problem(model: Any) -> str | None:
    """Say what is wrong with the lists and indices of an unpacked flatbuffer, or None.

    Args:
        model: a ModelT; of its first subgraph, shapes and lists of indices become lists of int.
    """
    source = model.subgraphs[0]
    lists = (source.tensors, source.operators, model.operatorCodes, model.buffers)
    if source.inputs is None or source.outputs is None or any(part is None for part in lists):
        return "a list is missing"
    count = len(source.tensors)
    if any(not 0 <= index < count for index in (*source.inputs, *source.outputs)):
        return "an input or output is not in the list of tensors"
    for tensor in source.tensors:
        if not 0 <= tensor.buffer < len(model.buffers):
            return "a tensor's buffer is not in the list"
        if not _is_text(tensor.name):
            return "a tensor's name is not text"
        tensor.shape = listed(tensor.shape)
    for operator in source.operators:
        if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
            return "an operator's code is not in the list"
        operator.inputs, operator.outputs = listed(operator.inputs), listed(operator.outputs)
        operator.intermediates = listed(operator.intermediates)
        indices = [*operator.inputs, *operator.outputs, *operator.intermediates]
        if any(not -1 <= index < count for index in indices):
            return "an operator's tensor is not in the list"
    return None


def _is_text(name: bytes | None) -> bool:
    """Say whether LiteRT, which decodes strictly, will take a name."""
    try:
        (name or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def listed(values: Iterable[int] | None) -> list[int]:
    """Return a vector of the file as list, empty where there is none."""
    return [] if values is None else [int(value) for value in values]


def operator_problem(
    kind: str, operator: Any, options: str | None, counts: Collection[int]
) -> str | None:
    """Say what is wrong with the parts of one operator, or None.

    Args:
        kind: its name.
        operator: an OperatorT.
        options: class of the options it must have; None where they are not read.
        counts: how many inputs it may have.
    """
    inputs, outputs = operator.inputs, operator.outputs
    if len(inputs) not in counts or len(outputs) != 1:
        return f"{kind} has {len(inputs)} inputs and {len(outputs)} outputs"
    if -1 in (*inputs[:2], *outputs):
        return f"{kind} lacks an input or output"
    if options is not None and type(operator.builtinOptions).__name__ != options:
        return f"{kind} has no options"
    return None


def activation_problem(tensor: Tensor) -> str | None:
    """Say what is wrong with the size, scale or zero point of an activation, or None."""
    height, width, channels = tensor.hwc
    pixels = height * width
    too_large = max(height, width) > MAX_SIDE or channels > MAX_UINT16
    if too_large or pixels > _MAX_PIXELS or pixels * channels > MAX_VALUES:
        return f"{tensor.name}: {height} x {width} x {channels} is more than the runtime takes"
    return scale_problem(tensor)


def scale_problem(tensor: Tensor) -> str | None:
    """Say what is wrong with the scale or zero point of a tensor that has one of each, or None."""
    low, high = SCALES
    if len(tensor.quantization.scale) != 1 or not low <= tensor.scale <= high:
        return f"{tensor.name}: the scale is not one usable number"
    if tensor.value_bytes == 2 and tensor.zero_point != 0:
        return f"{tensor.name}: zero point {tensor.zero_point} of int16, which must be 0"
    if not -128 <= tensor.zero_point <= 127:
        return f"{tensor.name}: zero point {tensor.zero_point} is not an int8"
    return None


def window_problem(window: Window, image: tuple[int, int], output: tuple[int, int]) -> str | None:
    """Say why windows of this kind do not make `output` (H, W) from `image` (H, W), or None."""
    if not all(0 < by <= _MAX_DILATION for by in (window.dilation_h, window.dilation_w)):
        return f"a window dilated by {window.dilation_h} x {window.dilation_w}"
    for size, stride, pads, extent, count in (
        (window.tall, window.stride_h, (window.pad_top, window.pad_bottom), image[0], output[0]),
        (window.wide, window.stride_w, (window.pad_left, window.pad_right), image[1], output[1]),
    ):
        if not (0 < size <= MAX_UINT16 and 0 < stride <= MAX_UINT16):
            return f"a window of {size} with stride {stride}"
        padded = extent + sum(pads)
        if (
            padded < size
            or max(pads) >= size
            or min(pads) < 0
            or count != (padded - size) // stride + 1
        ):
            return (
                f"{count} windows of {size} with stride {stride} over {extent} and {pads} padding"
            )
    return None
