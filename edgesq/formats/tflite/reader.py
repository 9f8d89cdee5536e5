"""Unpack a .tflite: its tensors as a `Graph` has them, and what readers of operators share."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.formats.tflite.check import (
    activation_problem,
    is_overgrown,
    listed,
    scale_problem,
    structure_problem,
    window_problem,
)
from edgesq.formats.tflite.unpack import operator_names, unpacked
from edgesq.graph import Quantization, Tensor
from edgesq.integers import ceil_div
from edgesq.limits import MAX_EXTENT, MAX_VALUES
from edgesq.operators import Window

FLOAT32, FLOAT16, INT32, UINT8, INT64, BOOL, INT16, INT8 = 0, 1, 2, 3, 4, 6, 7, 9
"""schema.fbs, enum TensorType."""
_DTYPES: dict[int, np.dtype[Any]] = {
    FLOAT32: np.dtype("<f4"),
    INT32: np.dtype("<i4"),
    INT64: np.dtype("<i8"),
    INT8: np.dtype("i1"),
    INT16: np.dtype("<i2"),
    UINT8: np.dtype("u1"),
}
_ACTIVATIONS = (INT8, UINT8, INT16)
_CONSTANTS = (INT8, UINT8, INT32, INT64)
SAME_PADDING, VALID_PADDING = 0, 1
"""schema.fbs, enum Padding."""
_CUSTOM = 32
MAX_AXES = 8
"""Most axes of a tensor."""
UINT8_OFFSET = 128
"""A uint8 value is this much above the int8 one that stands for it."""
_IDENTIFIER = b"TFL3"

Pair = tuple[int, int]


FUSED: dict[int, tuple[float | None, float | None]] = {
    0: (None, None),
    1: (0.0, None),
    2: (-1.0, 1.0),
    3: (0.0, 6.0),
}
"""schema.fbs, enum ActivationFunctionType: the range to which reals are cut."""


def quantized_range(tensor: Tensor, low: float | None, high: float | None) -> tuple[int, int]:
    """Return a range of reals in levels, rounded as TensorFlow Lite does; None: no limit."""

    def quantized(real: float) -> int:
        level = np.float32(real) / np.float32(tensor.scale)
        return tensor.zero_point + int(np.sign(level) * np.floor(np.abs(level) + np.float32(0.5)))

    least, most = tensor.levels
    return (
        least if low is None else max(least, quantized(low)),
        most if high is None else min(most, quantized(high)),
    )


def dilations_of(options: Any) -> tuple[int, int]:
    """Return the rows and columns from tap to tap of what may be dilated, 1 and 1 of all others."""
    down, across = (int(getattr(options, f"dilation{axis}Factor", 1)) for axis in "HW")
    return down, across


def open_model(content: bytes, where: str) -> "Reader":
    """Unpack a .tflite.

    Args:
        content: the bytes of the file.
        where: what an error message calls it.

    Raises:
        ModelError: it is not a .tflite, or its lists and indices are damaged.
    """
    if content[4:8] != _IDENTIFIER:
        raise ModelError("this is not a .tflite file", where=where, hint="expected TFL3 at byte 4")
    try:
        model = unpacked(content, lambda packed: is_overgrown(packed, len(content)))
    except Exception as error:
        raise ModelError(
            f"the .tflite file is corrupt: {error}", where=where, hint="export it again"
        ) from error
    return Reader(model, where)


Image = tuple[int, int, int]


@dataclass(frozen=True)
class Seen:
    """How the file has the values of a tensor that is the graph's alone.

    Attributes:
        index: the file's number of a tensor.
        shape: [H, W, C] that its values have.
        to: [H, W, C] to which they are repeated.
    """

    index: int
    shape: Image
    to: Image


class Reader:
    """Turns the flatbuffer's tensors into the graph's, checking as it goes.

    Attributes:
        model: the unpacked flatbuffer, a ModelT.
        where: what an error message calls it.
        source: its only subgraph.
        index: the graph's number of each of the file's tensors read so far.
        tensors: of the graph.
        seen: the graph's tensors that the file has not, and how it has their values.
        constants: what is known of the file's tensors that it computes from no image.
        results: the file's numbers of its outputs, or of the last tensors that are computed.
        notes: what was left out, and why.
    """

    def __init__(self, model: Any, where: str) -> None:
        self.model = model
        self.where = where
        if not model.subgraphs:
            raise self.error("the file holds no model")
        self.refuse(structure_problem(model))
        self.source = model.subgraphs[0]
        self.constants: dict[int, np.ndarray[Any, Any]] = {}
        self.notes: list[str] = []
        self.results = listed(self.source.outputs)
        self._left_out: set[int] = set()
        self.index: dict[int, int] = {}
        self.tensors: list[Tensor] = []
        self.seen: dict[int, Seen] = {}

    def error(self, message: str, hint: str | None = None) -> ModelError:
        """Return an error about this file; what cannot be printed of its names is left out."""
        printable = "".join(letter if letter.isprintable() else " " for letter in message)
        return ModelError(printable, where=self.where, hint=hint)

    def refuse(self, problem: str | None) -> None:
        """Raise an error, if there is a problem."""
        if problem:
            raise self.error(problem, "the file is damaged, or needs more than the runtime has")

    def kind(self, operator: Any) -> str:
        """Return an operator's name in the schema."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        value = max(code.builtinCode, code.deprecatedBuiltinCode)
        if value == _CUSTOM:
            raw = code.customCode or b""
            return f"custom operator {raw.decode(errors='replace')!r}"
        return operator_names().get(value, f"operator {value}")

    def leave_out(self, operator: Any) -> None:
        """Note that the graph has nothing of an operator."""
        self._left_out.add(id(operator))

    def is_left_out(self, operator: Any) -> bool:
        """Say whether the graph has nothing of an operator."""
        return id(operator) in self._left_out

    def type(self, index: int) -> int:
        """Return the type of one of the file's tensors in the schema."""
        return int(self.source.tensors[index].type)

    def name(self, index: int) -> str:
        """Return the name of one of the file's tensors."""
        raw = self.source.tensors[index].name
        return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of one of the file's tensors.

        Raises:
            ModelError: no such tensor is ever stored.
        """
        shape = tuple(self.source.tensors[index].shape)
        usable = len(shape) <= MAX_AXES and all(0 < extent <= MAX_EXTENT for extent in shape)
        if not usable or math.prod(shape) > MAX_VALUES:
            shown = list(shape[:MAX_AXES])
            raise self.error(f"tensor {self.name(index)} has shape {shown}", "convert it again")
        return shape

    def is_integer(self, index: int) -> bool:
        """Say whether one of the file's tensors holds integers that stand for themselves."""
        return self.type(index) in (INT32, INT64)

    def fold(self, index: int, values: np.ndarray[Any, Any]) -> None:
        """Make one of the file's integer tensors a constant.

        Raises:
            ValueError: its type does not hold the values.
        """
        kept = values.astype(_DTYPES[self.type(index)])
        if not np.array_equal(kept, values):
            raise ValueError("a result beyond 32 bits")
        self.constants[index] = kept
        self.source.tensors[index].shape = list(values.shape)

    def data(self, index: int) -> np.ndarray[Any, Any] | None:
        """Return the constants of one of the file's tensors, None where it is computed."""
        if index in self.constants:
            return self.constants[index]
        tensor = self.source.tensors[index]
        buffer = self.model.buffers[tensor.buffer]
        if buffer.offset > 1 or tensor.externalBuffer:
            raise self.error(
                f"constant {self.name(index)} lies outside the model", "convert it as one file"
            )
        if buffer.data is None or len(buffer.data) == 0:
            return None
        dtype, shape = _DTYPES.get(tensor.type), self.shape(index)
        if tensor.sparsity is not None:
            raise self.error(
                f"constant {self.name(index)} is stored sparse", "convert it without sparsity"
            )
        if dtype is None or len(buffer.data) != dtype.itemsize * math.prod(shape):
            raise self.error(f"constant {self.name(index)} is damaged or of another type")
        values: np.ndarray[Any, Any] = np.frombuffer(bytes(buffer.data), dtype).reshape(shape)
        self.constants[index] = values
        return values

    def tensor(self, index: int) -> int:
        """Return the graph's index of a tensor, reading it on first use."""
        if index not in self.index:
            self.append(index, self.read(index))
        return self.index[index]

    def read(self, index: int) -> Tensor:
        """Return a tensor as it stands in the file; uint8 becomes int8, 128 below."""
        tensor = self.source.tensors[index]
        name = self.name(index)
        data = self.data(index)
        if tensor.type not in (_ACTIVATIONS if data is None else _CONSTANTS):
            raise self.error(f"tensor {name} is not int8", "quantize it fully, input and output")
        quantization = tensor.quantization
        if quantization is None or quantization.scale is None or len(quantization.scale) == 0:
            raise self.error(f"tensor {name} has no quantization", "quantize the model to int8")
        shape = self.shape(index)
        if tensor.isVariable:
            raise self.error(
                f"tensor {name} keeps its values from one image to the next",
                "the board computes each image by itself",
            )
        if data is None and (len(shape) not in (1, 2, 3, 4) or shape[0] != 1):
            raise self.error(
                f"tensor {name} has shape {list(shape)}",
                "activations must be [1, H, W, C], [1, W, C] or [1, C]",
            )
        scale = tuple(float(value) for value in quantization.scale)
        points = {int(point) for point in listed(quantization.zeroPoint)} or {0}
        if len(points) > 1:
            raise self.error(f"tensor {name} has several zero points", "quantize it symmetrically")
        point = points.pop()
        if tensor.type == UINT8:
            point -= UINT8_OFFSET
            data = None if data is None else (data.astype(np.int16) - UINT8_OFFSET).astype(np.int8)
        size = 2 if tensor.type == INT16 else 1
        made = Tensor(name, shape, Quantization(scale, point), data, value_bytes=size)
        if data is None:
            self.refuse(activation_problem(made))
        return made

    def constant_operand(self, index: int) -> Tensor | None:
        """Return a constant int8 tensor with one scale, None where it is computed."""
        if self.data(index) is None:
            return None
        made = self.read(index)
        if made.data is None or made.data.dtype != np.int8:
            raise self.error(f"constant {made.name} is not int8", "quantize the model fully")
        self.refuse(scale_problem(made))
        return made

    def append(self, index: int, tensor: Tensor) -> int:
        """Add a tensor of the graph; `index` is its number in the file, -1 where it has none."""
        self.tensors.append(tensor)
        if index >= 0:
            self.index[index] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def reshaped(self, index: int, shape: Image) -> int:
        """Add a tensor with the values of one of the file's under another shape [H, W, C]."""
        return self._seen(Seen(index, shape, shape))

    def repeated(self, index: int, shape: Image) -> int:
        """Add a tensor in which one of the file's is repeated to a shape [H, W, C]."""
        return self._seen(Seen(index, self.tensors[self.tensor(index)].hwc, shape))

    def _seen(self, seen: Seen) -> int:
        known = self.tensors[self.tensor(seen.index)]
        made = self.append(-1, replace(known, shape=(1, *seen.to), is_plane=False))
        self.seen[made] = seen
        return made

    def parts(self, operator: Any) -> tuple[str, int]:
        """Return the name and the output of an operator."""
        return self.name(operator.outputs[0]), self.tensor(operator.outputs[0])

    def window(self, options: Any, size: tuple[int, int], source: int, output: int) -> Window:
        """Return the window of a size (H, W), with the padding that the options ask for."""
        image = self.tensors[source].hwc[:2]
        strides = (int(options.strideH), int(options.strideW))
        down, across = (
            by if taps > 1 else min(by, 1)
            for by, taps in zip(dilations_of(options), size, strict=True)
        )
        dilations = (down, across)
        given = getattr(options, "givenPads", None)
        if given is not None:
            return self._window_from(given, size, strides, dilations, source, output)
        pads = [0, 0]
        if options.padding == SAME_PADDING:
            # A stride of 0 is refused below.
            pads = [
                max(
                    (ceil_div(extent, stride or 1) - 1) * stride + (kernel - 1) * by + 1 - extent, 0
                )
                for stride, kernel, by, extent in zip(strides, size, dilations, image, strict=True)
            ]
        tall, wide = pads
        top, left = tall // 2, wide // 2
        window = Window(*size, *strides, top, tall - top, left, wide - left, *dilations)
        self.refuse_window(window, source, output)
        return window

    def _window_from(
        self, before: Pair, size: Pair, strides: Pair, dilations: Pair, source: int, output: int
    ) -> Window:
        """Return the window of which so many rows and columns lie before the image."""
        image, result = self.tensors[source].hwc[:2], self.tensors[output].hwc[:2]
        top, left = before
        behind = [
            max((count - 1) * step + (taps - 1) * by + 1 - extent - first, 0)
            for count, step, taps, by, extent, first in zip(
                result, strides, size, dilations, image, before, strict=True
            )
        ]
        window = Window(*size, *strides, top, behind[0], left, behind[1], *dilations)
        self.refuse_window(window, source, output)
        return window

    def refuse_window(self, window: Window, source: int, output: int) -> None:
        """Raise an error where windows do not lead from one tensor to the other."""
        image, result = self.tensors[source].hwc[:2], self.tensors[output].hwc[:2]
        self.refuse(window_problem(window, image, result))

    def clamp(self, activation: int, output: int) -> tuple[int, int]:
        """Return the fused activation as an int8 range."""
        tensor = self.tensors[output]
        if activation not in FUSED:
            raise self.error(f"fused activation {activation} of {tensor.name} is not supported")
        return quantized_range(tensor, *FUSED[activation])

    def same_quantization(self, name: str, indices: tuple[int, ...]) -> None:
        """Raise an error where tensors differ in scale or zero point."""
        if len({self.tensors[index].quantization for index in indices}) > 1:
            raise self.error(
                f"{name}: inputs and output differ in scale or zero point",
                "convert with TensorFlow's current quantizer",
            )
