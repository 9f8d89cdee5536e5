"""Take a float .tflite: float32, or with constants of float16 or int8 (dynamic range).

It is made one of float32 alone, which TensorFlow's quantizer takes, and is run by LiteRT as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.formats.tflite.reader import FLOAT16, FLOAT32, INT8, UINT8, Reader, open_model
from edgesq.graph import Graph, Int8Array
from edgesq.quantize import captured_output

_EDGES = ("QUANTIZE", "DEQUANTIZE", "CAST")
_DTYPES: dict[int, np.dtype[Any]] = {
    FLOAT16: np.dtype("<f2"),
    INT8: np.dtype("i1"),
    UINT8: np.dtype("u1"),
}
Float32Array = NDArray[np.float32]


def is_float_tflite(content: bytes, where: str) -> bool:
    """Say whether a .tflite computes in float32 alone, but for integers that tell shapes.

    Raises:
        ModelError: it is damaged.
    """
    reader = open_model(content, where)
    types = {
        reader.type(index)
        for one in reader.source.operators
        if reader.kind(one) not in _EDGES
        for index in one.outputs
        if index >= 0
    }
    return FLOAT32 in types and not types & {INT8, UINT8}


class FloatTflite:
    """A float .tflite of one image.

    Attributes:
        content: the same in float32 alone, with a batch of 1.
        shape: of the image, [1, H, W, C], [1, W, C] or [1, C].
        hwc: height, width and channels.
        notes: what was decided.
    """

    def __init__(self, content: bytes, where: str) -> None:
        """Read a file.

        Raises:
            ModelError: it is damaged, has several inputs or one that is no float32 image of a fixed
                size, or constants that are sparse.
        """
        reader = open_model(content, where)
        self.shape = _image(reader)
        self.hwc: tuple[int, int, int] = (1, 1, 1, *self.shape[1:])[-3:]  # type: ignore[assignment]
        count = _widen(reader)
        self.notes: tuple[str, ...] = (f"{count} constants became float32",) if count else ()
        self.content = _packed(reader)
        self._where = where

    def run_int8(self, images: Int8Array, graph: Graph) -> tuple[Int8Array, ...]:
        """Run int8 images as reals; return the file's own tensors on the scales of `graph`.

        Args:
            images: [n, H, W, C], with the scale of the graph's input.
            graph: of the int8 .tflite made of this.

        Raises:
            ModelError: the file has no tensor of the name of the graph's output, or cannot be run.
        """
        source = graph.tensors[graph.input]
        interpreter = self._interpreter()
        names = {one["name"]: one["index"] for one in interpreter.get_tensor_details()}
        known = [one for one in graph.observed if graph.tensors[one].name in names]
        if graph.output not in known:
            raise ModelError("the float model has no such output", where=self._where)
        rows: list[list[Int8Array]] = [[] for _ in known]
        for image in images:
            real = (image.astype(np.float32) - source.zero_point) * np.float32(source.scale)
            interpreter.set_tensor(
                interpreter.get_input_details()[0]["index"], real.reshape(self.shape)
            )
            interpreter.invoke()
            for row, index in zip(rows, known, strict=True):
                tensor = graph.tensors[index]
                values = interpreter.get_tensor(names[tensor.name]).reshape(-1)
                levels = np.round(values / np.float32(tensor.scale)) + tensor.zero_point
                row.append(np.clip(levels, -128, 127).astype(np.int8))
        return tuple(np.stack(row) for row in rows)

    def _interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        try:
            with captured_output():
                made = Interpreter(
                    model_content=self.content,
                    experimental_op_resolver_type=plain,
                    experimental_preserve_all_tensors=True,
                )
                made.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"LiteRT refuses the model: {reason}", where=self._where) from error
        return made


def _image(reader: Reader) -> tuple[int, ...]:
    """Return the shape of the only input, whose batch becomes 1."""
    inputs = reader.source.inputs
    if len(inputs) != 1:
        raise reader.error(
            f"the float model has {len(inputs)} inputs", "one image is what can be quantized here"
        )
    tensor = reader.source.tensors[inputs[0]]
    signature = [] if tensor.shapeSignature is None else [int(one) for one in tensor.shapeSignature]
    shape = signature if len(signature) == len(tensor.shape) else list(tensor.shape)
    fixed = 2 <= len(shape) <= 4 and shape[0] in (-1, 1) and all(one > 0 for one in shape[1:])
    if tensor.type != FLOAT32 or not fixed:
        raise reader.error(
            f"the input {reader.name(inputs[0])} is {shape}, not one float32 image of fixed size",
            "convert the model with the input size that the board will see",
        )
    return (1, *reader.shape(inputs[0])[1:])


def _widen(reader: Reader) -> int:
    """Make constants float32 where operators compute in it; return how many were not."""
    graph, count, kept = reader.source, 0, []
    for one in graph.operators:
        source = one.inputs[0] if len(one.inputs) else -1
        if reader.kind(one) == "DENSIFY":
            raise reader.error("constants are stored sparse", "convert it without sparsity")
        stored = source >= 0 and bool(_bytes(reader, source))
        if reader.kind(one) == "DEQUANTIZE" and stored:
            _make_float(reader, source, one.outputs[0])
            count += 1
        else:
            kept.append(one)
    graph.operators = kept
    for one in kept:
        if not any(index >= 0 and reader.type(index) == FLOAT32 for index in one.outputs):
            continue
        for index in (*one.inputs,):
            if index >= 0 and reader.type(index) in _DTYPES and _bytes(reader, index):
                _make_float(reader, index, index)
                count += 1
    for tensor in graph.tensors:
        tensor.shapeSignature = None
    return count


def _bytes(reader: Reader, index: int) -> bytes:
    data = reader.model.buffers[reader.source.tensors[index].buffer].data
    return b"" if data is None else bytes(data)


def _make_float(reader: Reader, source: int, target: int) -> None:
    """Store the reals of constant `source` as tensor `target`."""
    from ai_edge_litert import schema_py_generated as schema

    stored, shape = reader.source.tensors[source], reader.shape(source)
    dtype, raw = _DTYPES.get(stored.type), _bytes(reader, source)
    if dtype is None or len(raw) != dtype.itemsize * int(np.prod(shape)) or stored.sparsity:
        raise reader.error(f"constant {reader.name(source)} is damaged, sparse or of another type")
    real = np.frombuffer(raw, dtype).reshape(shape).astype(np.float32)
    if stored.type != FLOAT16:
        real = _real(reader, source, real)
    buffer, tensor = schema.BufferT(), reader.source.tensors[target]
    buffer.data = np.frombuffer(real.astype("<f4").tobytes(), np.uint8)
    tensor.buffer, tensor.type, tensor.quantization = len(reader.model.buffers), FLOAT32, None
    reader.model.buffers.append(buffer)


def _real(reader: Reader, index: int, values: Float32Array) -> Float32Array:
    """Return what quantized constants stand for."""
    known = reader.source.tensors[index].quantization
    scale = np.array([] if known is None or known.scale is None else known.scale, np.float32)
    axis = 0 if known is None else int(known.quantizedDimension)
    points = np.array([] if known is None or known.zeroPoint is None else known.zeroPoint)
    if len(scale) != 1 and (axis >= values.ndim or len(scale) != values.shape[axis]):
        raise reader.error(f"constant {reader.name(index)} has {len(scale)} scales")
    shape = [1] * values.ndim
    if len(scale) > 1:
        shape[axis] = -1
    offset = points.astype(np.float32) if len(points) == len(scale) else np.zeros_like(scale)
    return np.asarray((values - offset.reshape(shape)) * scale.reshape(shape), np.float32)


def _packed(reader: Reader) -> bytes:
    import flatbuffers

    model = reader.model
    used = sorted({one.opcodeIndex for one in reader.source.operators})
    model.operatorCodes = [model.operatorCodes[index] for index in used]
    for one in reader.source.operators:
        one.opcodeIndex = used.index(one.opcodeIndex)
    model.signatureDefs, model.metadata = None, None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
