"""The frozen picture of an int8 model that every later stage reads.

All activations are int8, batch 1, layout [1, H, W, C], [1, W, C] (read as H = 1) or [1, C] (read as
H = W = 1). Scales are the exact float32 values of the .tflite, so that every stage derives the same
integers from them.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.operators import Convolution, Op, Reshape, Softmax

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]


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
            where they are depthwise), [O] for biases, [C] or [1] for operands.
        quantization: scale and zero point.
        data: int8 weights and operands or int32 biases; None for activations.
        is_plane: whether [1, H, W] is an image of one channel, and not one row of W channels.
    """

    name: str
    shape: tuple[int, ...]
    quantization: Quantization
    data: Int8Array | Int32Array | None = None
    is_plane: bool = False

    @property
    def hwc(self) -> tuple[int, int, int]:
        """Height, width and channels of an activation; [1, C] is one pixel, [1, W, C] one row."""
        height, width, channels = (1, 1, 1, *self.shape, *([1] if self.is_plane else []))[-3:]
        return height, width, channels

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
    """A model: tensors, operators in topological order, one input and one output.

    Attributes:
        sha256: hex digest of the .tflite bytes this was read from; the model's identity.
    """

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    input: int
    output: int
    sha256: str

    @property
    def last(self) -> Op | None:
        """The operator that computes the output, perhaps reshaped after it; None without."""
        makers = {op.output: op for op in self.ops}
        last = makers.get(self.output)
        while isinstance(last, Reshape):
            last = makers.get(last.inputs[0])
        return last

    @property
    def softmax(self) -> Softmax | None:
        """The softmax that the output comes from; None without."""
        return self.last if isinstance(self.last, Softmax) else None

    @property
    def logits(self) -> int | None:
        """The tensor before a final softmax; None without."""
        return None if self.softmax is None else self.softmax.inputs[0]

    @property
    def scores(self) -> int:
        """The tensor that ranks classes: the logits where there are some, else the output.

        A softmax in int8 has equal values where its logits differ.
        """
        return self.observed[-1]

    @property
    def observed(self) -> tuple[int, ...]:
        """Tensors a verifier compares: the output, then the logits that a softmax would blur."""
        return (self.output,) if self.logits is None else (self.output, self.logits)

    def macs(self, op: Op) -> int:
        """Multiply-accumulates of one operator per image; 0 for all but convolutions."""
        if not isinstance(op, Convolution):
            return 0
        height, width, _ = self.tensors[op.output].hwc
        return height * width * int(np.prod(self.tensors[op.weights].shape))

    def constants(self, op: Op) -> tuple[int, ...]:
        """Tensors of one operator that are constants: weights and bias, or an operand."""
        return tuple(index for index in op.parameters if self.tensors[index].data is not None)

    def constant(self, index: int) -> Int8Array | Int32Array:
        """Values of a tensor that is a constant."""
        data = self.tensors[index].data
        assert data is not None, "only constants are asked for"
        return data

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


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()
