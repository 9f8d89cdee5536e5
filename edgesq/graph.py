"""The frozen picture of a quantized model that every later stage reads.

All activations are int8, or all are int16 with int8 weights; batch 1, layout [1, H, W, C],
[1, W, C] (read as H = 1) or [1, C] (read as H = W = 1). Scales are the exact float32 values of the
.tflite, so that every stage derives the same integers from them.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.operators import Convolution, Op, Reshape, Softmax, Stateful, TransposeConv

Int8Array = NDArray[np.signedinteger[Any]]
"""Levels of activations: int8, or int16 where the model has these."""
Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Constant = Int8Array | Int16Array | Int32Array | NDArray[np.int64]

MAX_INT16 = (1 << 15) - 1


@dataclass(frozen=True)
class Quantization:
    """How stored integers map to reals: real = scale * (q - zero_point).

    Attributes:
        scale: float32 values; one for a tensor, or one per output channel for weights and biases.
        zero_point: in [-128, 127]; 0 for weights and biases.
    """

    scale: tuple[float, ...]
    zero_point: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """One value of the graph.

    Attributes:
        name: as in the .tflite.
        shape: [1, H, W, C], [1, W, C] or [1, C] for activations, OHWI for weights ([1, H, W, O]
            where they are depthwise), [O] for biases, [C], [1] or [H, W, C]
            for operands.
        quantization: scale and zero point.
        data: int8 weights and operands, int16 weights of time and of wide channels, int32 biases,
            or int64 ones where activations are int16; None for activations.
        is_plane: whether [1, H, W] is an image of one channel, and not one row of W channels.
        value_bytes: of a value of an activation: 1 for int8, 2 for int16.
    """

    name: str
    shape: tuple[int, ...]
    quantization: Quantization
    data: Constant | None = None
    is_plane: bool = False
    value_bytes: int = 1

    @property
    def hwc(self) -> tuple[int, int, int]:
        """Height, width and channels of an activation; [1, C] is one pixel, [1, W, C] one row."""
        height, width, channels = (1, 1, 1, *self.shape, *([1] if self.is_plane else []))[-3:]
        return height, width, channels

    @property
    def stored(self) -> tuple[int, int, int]:
        """Height, width and bytes of a pixel, which are all that the runtime knows."""
        height, width, channels = self.hwc
        return height, width, channels * self.value_bytes

    @property
    def dtype(self) -> type[np.int8] | type[np.int16]:
        """The type of an activation's values."""
        return np.int8 if self.value_bytes == 1 else np.int16

    @property
    def levels(self) -> tuple[int, int]:
        """The least and the greatest value that an activation can have."""
        return (-128, 127) if self.value_bytes == 1 else (-MAX_INT16 - 1, MAX_INT16)

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantized value."""
        return self.quantization.scale[0]

    @property
    def zero_point(self) -> int:
        """The zero point, in [-128, 127]."""
        return self.quantization.zero_point


@dataclass(frozen=True, eq=False)
class Graph:
    """A model: tensors, operators in topological order, inputs and outputs.

    Attributes:
        inputs: tensors that each image brings, in the file's order; at least one.
        outputs: tensors that the model is run for, in the file's order; at least one, each once.
        sha256: hex digest of the .tflite bytes this was read from; the model's identity.
    """

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    sha256: str

    @property
    def is_int16(self) -> bool:
        """Whether activations are int16."""
        return any(self.tensors[index].value_bytes == 2 for index in self.inputs)

    @property
    def input(self) -> int:
        """The image: of several inputs the first with most rows."""
        return max(self.inputs, key=lambda index: self.tensors[index].hwc[0])

    @property
    def output(self) -> int:
        """The first output: the only one of a classifier."""
        return self.outputs[0]

    @cached_property
    def sent(self) -> tuple[int, ...]:
        """The inputs in the order in which they are sent: whole ones, then those sent by rows."""
        return tuple(sorted(self.inputs, key=lambda index: index in self.sent_by_rows))

    @cached_property
    def sent_by_rows(self) -> tuple[int, ...]:
        """Inputs as high as the image, and the image: a row of each is sent in turn.

        So two images beside each other are computed without keeping one of them. What is of
        another height is sent whole before the first row.
        """
        height = self.tensors[self.input].hwc[0]
        return tuple(index for index in self.inputs if self.tensors[index].hwc[0] == height)

    @cached_property
    def input_rows(self) -> tuple[tuple[int, int], ...]:
        """Input and row of it of everything that an image brings, in the order of sending."""
        whole = [index for index in self.sent if index not in self.sent_by_rows]
        height = self.tensors[self.input].hwc[0]
        return (
            *((index, row) for index in whole for row in range(self.tensors[index].hwc[0])),
            *((index, row) for row in range(height) for index in self.sent_by_rows),
        )

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of an image as stages hand it on: [H, W, C].

        Of several inputs all values make one array, [values], in the order of `input_rows`.
        """
        if len(self.inputs) == 1:
            return self.tensors[self.input].hwc
        return (sum(math.prod(self.tensors[index].hwc) for index in self.inputs),)

    def split(self, image: Int8Array) -> dict[int, Int8Array]:
        """Return the inputs, int8 [H, W, C] by tensor, of an image of `image_shape`."""
        if len(self.inputs) == 1:
            return {self.input: image.reshape(self.tensors[self.input].hwc)}
        found: dict[int, list[Int8Array]] = {index: [] for index in self.inputs}
        values, place = image.reshape(-1), 0
        for index, _ in self.input_rows:
            _, width, channels = self.tensors[index].hwc
            found[index].append(values[place : place + width * channels])
            place += width * channels
        return {
            index: np.concatenate(rows).reshape(self.tensors[index].hwc)
            for index, rows in found.items()
        }

    def columns(self, images: Int8Array) -> tuple[Int8Array, ...]:
        """Return each input of images [n, *`image_shape`], int8 [n, H, W, C], as `inputs`."""
        if len(self.inputs) == 1:
            return (images,)
        rows = [self.split(image) for image in images]
        return tuple(np.stack([row[index] for row in rows]) for index in self.inputs)

    def join(self, inputs: Mapping[int, Int8Array]) -> Int8Array:
        """Return an image of `image_shape` of the inputs, int8 [H, W, C] by tensor."""
        if len(self.inputs) == 1:
            return inputs[self.input].reshape(self.image_shape)
        shaped = {index: inputs[index].reshape(self.tensors[index].hwc) for index in self.inputs}
        return np.concatenate([shaped[index][row].reshape(-1) for index, row in self.input_rows])

    def maker(self, tensor: int) -> Op | None:
        """Return the operator that computes a tensor, perhaps reshaped after it; None without."""
        last = self._makers.get(tensor)
        while isinstance(last, Reshape):
            last = self._makers.get(last.inputs[0])
        return last

    @cached_property
    def _makers(self) -> dict[int, Op]:
        return {op.output: op for op in self.ops}

    @property
    def last(self) -> Op | None:
        """The operator that computes the first output; None without."""
        return self.maker(self.output)

    @property
    def softmax(self) -> Softmax | None:
        """The softmax that the first output comes from; None without."""
        return self.last if isinstance(self.last, Softmax) else None

    @property
    def logits(self) -> int | None:
        """The tensor before the softmax of the first output; None without."""
        return self.logits_of(self.output)

    def logits_of(self, output: int) -> int | None:
        """Return the tensor before the softmax that an output comes from; None without."""
        maker = self.maker(output)
        return maker.inputs[0] if isinstance(maker, Softmax) else None

    @property
    def scores(self) -> int:
        """The tensor that ranks classes: the logits where there are some, else the first output.

        A softmax in int8 has equal values where its logits differ.
        """
        return self.output if self.logits is None else self.logits

    @cached_property
    def observed(self) -> tuple[int, ...]:
        """Tensors a verifier compares: the outputs, then the logits that a softmax would blur."""
        logits = (self.logits_of(output) for output in self.outputs)
        return tuple(dict.fromkeys((*self.outputs, *(one for one in logits if one is not None))))

    @property
    def observed_ends(self) -> list[int]:
        """Where all observed tensors but the last end, one behind the other, in bytes."""
        sizes = (math.prod(self.tensors[index].stored) for index in self.observed)
        return list(accumulate(sizes))[:-1]

    def typed(self, observed: Sequence[Int8Array]) -> tuple[Int8Array, ...]:
        """Return observed tensors that came as bytes, at most all of them, as int8 or int16."""
        tensors = (self.tensors[index] for index in self.observed)
        return tuple(
            values.view(np.dtype(tensor.dtype).newbyteorder("<"))
            for tensor, values in zip(tensors, observed, strict=False)
        )

    @property
    def image_bytes(self) -> int:
        """Bytes of an image, of all inputs together."""
        return sum(math.prod(self.tensors[index].stored) for index in self.inputs)

    @property
    def input_names(self) -> tuple[str, ...]:
        """What the inputs are called outside the file: `input`, or `input0` and so on."""
        return _numbered("input", len(self.inputs))

    @property
    def observed_names(self) -> tuple[str, ...]:
        """What `observed` are called: `output` and `logits`, or `output0`, .., `logits0`, .."""
        names = dict(zip(self.outputs, _numbered("output", len(self.outputs)), strict=True))
        for output, name in list(names.items()):
            logits = self.logits_of(output)
            if logits is not None:
                names.setdefault(logits, name.replace("output", "logits"))
        return tuple(names[index] for index in self.observed)

    def macs(self, op: Op) -> int:
        """Multiply-accumulates of one operator per image; 0 of one without weights."""
        if isinstance(op, Stateful):
            _, steps, _ = self.tensors[op.inputs[0]].hwc
            return steps * sum(math.prod(self.tensors[index].shape) for index in op.factors)
        if not isinstance(op, Convolution):
            return 0
        pixels = op.inputs[0] if isinstance(op, TransposeConv) else op.output
        height, width, _ = self.tensors[pixels].hwc
        return height * width * int(np.prod(self.tensors[op.weights].shape))

    @property
    def stateful(self) -> tuple[Stateful, ...]:
        """Operators that keep values from one image to the next."""
        return tuple(op for op in self.ops if isinstance(op, Stateful))

    @property
    def state_bytes(self) -> int:
        """Bytes kept from one image to the next; 0 where each is computed by itself."""
        return sum(state.bytes for op in self.stateful for state in op.states)

    def constants(self, op: Op) -> tuple[int, ...]:
        """Tensors of one operator that are constants: weights and bias, or an operand."""
        return tuple(index for index in op.parameters if self.tensors[index].data is not None)

    def constant(self, index: int) -> Constant:
        """Values of a tensor that is a constant."""
        data = self.tensors[index].data
        assert data is not None, "only constants are asked for"
        return data

    def exact_weights(self, op: Convolution) -> Constant:
        """Weights of a convolution, those of wide channels too: int8, or int16 where there are."""
        weights = self.constant(op.weights)
        if op.wide is None:
            return weights
        axes = [(0, 1, 2, 3), (3, 1, 2, 0)][op.channel_axis == 3]
        exact = weights.transpose(axes).astype(np.int16)
        exact[list(op.wide_channels)] = self.constant(op.wide)
        return np.ascontiguousarray(exact.transpose(axes))

    def op_weights_bytes(self, op: Op) -> int:
        """Bytes of the constants of one operator."""
        return sum(self.constant(index).nbytes for index in self.constants(op))

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of the whole network per image."""
        return sum(self.macs(op) for op in self.ops)

    @property
    def weights_bytes(self) -> int:
        """Bytes of all constants."""
        return sum(tensor.data.nbytes for tensor in self.tensors if tensor.data is not None)


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}{number}" for number in range(count))


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()
