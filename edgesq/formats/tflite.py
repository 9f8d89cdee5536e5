"""Read an int8 .tflite into a `Graph`, and run it by TensorFlow Lite's reference kernels."""

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.formats.softmax_guard import make_guard, needs_guard, without_softmax
from edgesq.formats.tflite_check import (
    activation_problem,
    graph_problem,
    operator_problem,
    structure_problem,
    window_problem,
)
from edgesq.formats.tflite_conv import (
    read_conv2d,
    read_depthwise_conv2d,
    read_fully_connected,
)
from edgesq.graph import (
    Add,
    AveragePool2D,
    Concatenation,
    Graph,
    Int8Array,
    MaxPool2D,
    Mean,
    Op,
    Quantization,
    Reshape,
    Softmax,
    Tensor,
    Window,
    digest,
)
from edgesq.quantize import captured_output

_INT32, _INT8 = 2, 9
"""schema.fbs, enum TensorType."""
_DTYPES: dict[int, np.dtype[Any]] = {_INT32: np.dtype("<i4"), _INT8: np.dtype("i1")}
_SAME_PADDING = 0
_IDENTIFIER = b"TFL3"


def read_graph(content: bytes, where: str = "model") -> Graph:
    """Parse a .tflite with int8 activations, batch 1, one input and one output.

    Args:
        content: the bytes of the file.
        where: what an error message calls it.

    Raises:
        ModelError: not a .tflite, not int8, or with operators the runtime does not know (all of
            them are named at once).
    """
    return _Reader(_parse(content, where), where).graph(digest(content))


def _parse(content: bytes, where: str) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != _IDENTIFIER:
        raise ModelError("this is not a .tflite file", where=where, hint="expected TFL3 at byte 4")
    try:
        return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    except Exception as error:
        raise ModelError(
            f"the .tflite file is corrupt: {error}", where=where, hint="export it again"
        ) from error


def _operator_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {
        value: name
        for name, value in vars(schema.BuiltinOperator).items()
        if not name.startswith("_")
    }


def _named(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Give each operator its layer's name, short and unique.

    The converter calls a fused convolution "net/conv1_1/Relu;net/conv1_1/BiasAdd;..." and the
    output "StatefulPartitionedCall:0"; these become "conv1" and the operator's kind.
    """
    named: list[Op] = []
    counts: Counter[str] = Counter()
    for op in ops:
        layer = posixpath.dirname(op.name.split(";")[0])
        name = posixpath.basename(layer).removesuffix("_1") or op.kind.lower()
        counts[name] += 1
        number = f"#{counts[name]}" if counts[name] > 1 else ""
        named.append(dataclasses.replace(op, name=name + number))
    return tuple(named)


class _Reader:
    """Turns the flatbuffer's objects into the frozen graph, checking as it goes."""

    def __init__(self, model: Any, where: str) -> None:
        self.model = model
        self.where = where
        if len(model.subgraphs or ()) != 1:
            raise self.error("the model must have exactly one subgraph")
        self.refuse(structure_problem(model))
        self.source = model.subgraphs[0]
        self.index: dict[int, int] = {}
        self.tensors: list[Tensor] = []

    def error(self, message: str, hint: str | None = None) -> ModelError:
        return ModelError(message, where=self.where, hint=hint)

    def refuse(self, problem: str | None) -> None:
        if problem:
            raise self.error(problem, "the file is damaged, or needs more than the runtime has")

    def graph(self, sha256: str) -> Graph:
        builders = self.builders()
        operators = [(self.kind(operator), operator) for operator in self.source.operators]
        unknown = [
            f"{kind} ({', '.join(map(self.name, operator.outputs))})"
            for kind, operator in operators
            if kind not in builders
        ]
        if unknown:
            raise self.error(
                f"the runtime does not know {', '.join(unknown)}",
                f"it knows {', '.join(sorted(builders))}",
            )
        if len(self.source.inputs) != 1 or len(self.source.outputs) != 1:
            raise self.error("the model must have one input and one output")
        if not operators:
            raise self.error("the model has no operators")
        for kind, operator in operators:
            self.refuse(operator_problem(kind, operator))
        first = self.tensor(self.source.inputs[0])
        ops = _named(builders[kind](operator) for kind, operator in operators)
        last = self.tensor(self.source.outputs[0])
        graph = Graph(tuple(self.tensors), ops, first, last, sha256)
        self.refuse(graph_problem(graph))
        return graph

    def builders(self) -> dict[str, Callable[[Any], Op]]:
        return {
            "CONV_2D": lambda operator: read_conv2d(self, operator),
            "DEPTHWISE_CONV_2D": lambda operator: read_depthwise_conv2d(self, operator),
            "FULLY_CONNECTED": lambda operator: read_fully_connected(self, operator),
            "MAX_POOL_2D": lambda operator: self.pool(MaxPool2D, operator),
            "AVERAGE_POOL_2D": lambda operator: self.pool(AveragePool2D, operator),
            "CONCATENATION": self.concatenation,
            "ADD": self.add,
            "MEAN": self.mean,
            "SOFTMAX": self.softmax,
            "RESHAPE": self.reshape,
        }

    def kind(self, operator: Any) -> str:
        code = self.model.operatorCodes[operator.opcodeIndex]
        value = max(code.builtinCode, code.deprecatedBuiltinCode)
        return _operator_names().get(value, f"operator {value}")

    def name(self, index: int) -> str:
        raw = self.source.tensors[index].name
        return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)

    def data(self, index: int) -> np.ndarray[Any, Any] | None:
        tensor = self.source.tensors[index]
        raw = self.model.buffers[tensor.buffer].data
        if raw is None or len(raw) == 0:
            return None
        dtype = _DTYPES.get(tensor.type)
        shape = tuple(int(extent) for extent in tensor.shape)
        if dtype is None or len(raw) != dtype.itemsize * int(np.prod(shape)):
            raise self.error(f"constant {self.name(index)} is damaged or not int8 / int32")
        values: np.ndarray[Any, Any] = np.frombuffer(bytes(raw), dtype).reshape(shape)
        return values

    def tensor(self, index: int) -> int:
        """Return the graph's index of a tensor, reading it on first use."""
        if index not in self.index:
            self.append(index, self.read(index))
        return self.index[index]

    def read(self, index: int) -> Tensor:
        """Return a tensor as it stands in the file."""
        tensor = self.source.tensors[index]
        name = self.name(index)
        data = self.data(index)
        if tensor.type != _INT8 and not (data is not None and tensor.type == _INT32):
            raise self.error(f"tensor {name} is not int8", "quantize it fully, input and output")
        quantization = tensor.quantization
        if quantization is None or quantization.scale is None or len(quantization.scale) == 0:
            raise self.error(f"tensor {name} has no quantization", "quantize the model to int8")
        shape = tuple(int(extent) for extent in tensor.shape)
        if data is None and (len(shape) not in (2, 4) or shape[0] != 1):
            raise self.error(f"tensor {name} has shape {shape}", "use [1, H, W, C] or [1, C]")
        scale = tuple(float(value) for value in quantization.scale)
        points = [0] if quantization.zeroPoint is None else [*quantization.zeroPoint, 0]
        made = Tensor(name, shape, Quantization(scale, int(points[0])), data)
        if data is None:
            self.refuse(activation_problem(made))
        return made

    def append(self, index: int, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        if index >= 0:
            self.index[index] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def parts(self, operator: Any) -> tuple[str, int]:
        """Name and output of an operator."""
        return self.name(operator.outputs[0]), self.tensor(operator.outputs[0])

    def window(self, options: Any, size: tuple[int, int], source: int, output: int) -> Window:
        image = self.tensors[source].hwc[:2]
        strides = (int(options.strideH), int(options.strideW))
        pads = [0, 0]
        if options.padding == _SAME_PADDING:
            # A stride of 0 is refused below.
            pads = [
                max((-(-extent // (stride or 1)) - 1) * stride + kernel - extent, 0)
                for stride, kernel, extent in zip(strides, size, image, strict=True)
            ]
        tall, wide = pads
        top, left = tall // 2, wide // 2
        window = Window(*size, *strides, top, tall - top, left, wide - left)
        self.refuse_window(window, source, output)
        return window

    def refuse_window(self, window: Window, source: int, output: int) -> None:
        image, result = self.tensors[source].hwc[:2], self.tensors[output].hwc[:2]
        self.refuse(window_problem(window, image, result))

    def clamp(self, activation: int, output: int) -> tuple[int, int]:
        """Return the fused activation as an int8 range."""
        tensor = self.tensors[output]

        def quantized(real: float) -> int:
            level = np.float32(real) / np.float32(tensor.scale)
            return tensor.zero_point + int(np.floor(level + np.float32(0.5)))

        if activation == 0:
            return -128, 127
        if activation == 1:
            return max(-128, quantized(0.0)), 127
        if activation == 3:
            return max(-128, quantized(0.0)), min(127, quantized(6.0))
        raise self.error(f"fused activation {activation} of {tensor.name} is not supported")

    def pool(self, cls: type[MaxPool2D] | type[AveragePool2D], operator: Any) -> Op:
        name, output = self.parts(operator)
        options = operator.builtinOptions
        source = self.tensor(operator.inputs[0])
        self.same_quantization(name, (source, output))
        size = (int(options.filterHeight), int(options.filterWidth))
        window = self.window(options, size, source, output)
        return cls(
            name, (source,), output, window, self.clamp(options.fusedActivationFunction, output)
        )

    def concatenation(self, operator: Any) -> Op:
        name, output = self.parts(operator)
        rank = len(self.tensors[output].shape)
        if int(operator.builtinOptions.axis) % rank != rank - 1:
            raise self.error(f"{name}: only concatenation along the channels is supported")
        inputs = tuple(self.tensor(index) for index in operator.inputs)
        self.same_quantization(name, (*inputs, output))
        return Concatenation(name, inputs, output)

    def same_quantization(self, name: str, indices: tuple[int, ...]) -> None:
        if len({self.tensors[index].quantization for index in indices}) > 1:
            raise self.error(
                f"{name}: inputs and output differ in scale or zero point",
                "convert with TensorFlow's current quantizer",
            )

    def add(self, operator: Any) -> Op:
        name, output = self.parts(operator)
        inputs = tuple(self.tensor(index) for index in operator.inputs)
        if len({self.tensors[index].shape for index in (*inputs, output)}) > 1:
            raise self.error(f"{name}: ADD needs two inputs of one shape (no broadcasting)")
        clamp = self.clamp(operator.builtinOptions.fusedActivationFunction, output)
        return Add(name, inputs, output, clamp)

    def mean(self, operator: Any) -> Op:
        name, output = self.parts(operator)
        source = self.tensor(operator.inputs[0])
        axes = self.data(operator.inputs[1])
        rank = len(self.tensors[source].shape)
        if axes is None or rank != 4 or {int(axis) % rank for axis in axes.flat} != {1, 2}:
            raise self.error(f"{name}: MEAN must be over height and width")
        return Mean(name, (source,), output)

    def softmax(self, operator: Any) -> Op:
        name, output = self.parts(operator)
        result = self.tensors[output]
        if (result.scale, result.zero_point) != (1 / 256, -128):
            raise self.error(f"{name}: SOFTMAX must have output scale 1/256, zero point -128")
        source = self.tensor(operator.inputs[0])
        return Softmax(name, (source,), output, float(operator.builtinOptions.beta))

    def reshape(self, operator: Any) -> Op:
        name, output = self.parts(operator)
        source = self.tensor(operator.inputs[0])
        if np.prod(self.tensors[source].shape) != np.prod(self.tensors[output].shape):
            raise self.error(f"{name}: RESHAPE changes the number of values")
        return Reshape(name, (source,), output)


class ReferenceInterpreter:
    """TensorFlow Lite with its reference kernels (BUILTIN_REF): the oracle of every other stage."""

    def __init__(self, content: bytes, *, optimized: bool = False) -> None:
        """Load a model; `optimized` takes the default kernels, which round differently.

        Raises:
            ModelError: `read_graph` or TensorFlow Lite refuses it.
        """
        reader = _Reader(_parse(content, "model"), "model")
        self._graph = reader.graph(digest(content))
        self._numbers = {mine: theirs for theirs, mine in reader.index.items()}
        self._interpreter = _interpreter(content, optimized)
        self._input = self._interpreter.get_input_details()[0]
        self._guard = None
        if needs_guard(self._graph) and not optimized:
            self._guard = make_guard(self._graph, _interpreter(without_softmax(content), False))

    def observed(self, inputs: Int8Array) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return int8 [n, K] for each tensor of `Graph.observed`."""
        return self.tensors(inputs, self._graph.observed)

    def run(self, inputs: Int8Array) -> Int8Array:
        """Run int8 [n, H, W, C]; return the output, int8 [n, K]."""
        return self.tensors(inputs, (self._graph.output,))[0]

    def tensors(self, inputs: Int8Array, wanted: tuple[int, ...]) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return int8 [n, values] for each graph tensor asked for.

        Raises:
            ModelError: an image makes the classes too alike for TensorFlow Lite's softmax.
        """
        rows: list[list[Int8Array]] = [[] for _ in wanted]
        for pixels in inputs:
            image = pixels.reshape(self._input["shape"])
            if self._guard:
                self._guard.check(image)
            self._interpreter.set_tensor(self._input["index"], image)
            self._interpreter.invoke()
            for row, index in zip(rows, wanted, strict=True):
                values = self._interpreter.get_tensor(self._numbers[index])
                row.append(values.reshape(-1).copy())
        return tuple(np.stack(row) for row in rows)


def _interpreter(content: bytes, optimized: bool) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.AUTO if optimized else OpResolverType.BUILTIN_REF
    try:
        with captured_output():
            made = Interpreter(
                model_content=content,
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=not optimized,
            )
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"TensorFlow Lite refuses the model: {error}", where="model") from error
    return made
