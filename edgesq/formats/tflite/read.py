"""Read an int8 .tflite into a `Graph`, and run it by TensorFlow Lite's reference kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.extras import LITERT, require
from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.constant_channels import with_small_constants
from edgesq.formats.tflite.edges import from_outside, to_outside
from edgesq.formats.tflite.graph import make_graph
from edgesq.formats.tflite.reader import open_model
from edgesq.formats.tflite.softmax_guard import guarded, make_guard, up_to
from edgesq.formats.tflite.tidy import for_litert
from edgesq.formats.tflite.unsigned_sums import with_unsigned_sums
from edgesq.formats.tflite.unused_channels import without_unused_channels
from edgesq.graph import Graph, Int8Array, digest
from edgesq.operators import Convolution
from edgesq.quantize import captured_output

_MAX_LETTERS = 200
"""Longest part of LiteRT's message that is shown: it may say the same of every tensor."""


def read_graph(content: bytes, where: str = "model") -> Graph:
    """Parse a .tflite with int8 or uint8 activations and batch 1.

    Its ends may be of another type or float32; the graph's are the int8 tensors inside, uint8 ones
    128 below. Channels that are the
    same for every input are in small numbers, or left out where the output does not need them.

    Args:
        content: the bytes of the file.
        where: what an error message calls it.

    Raises:
        ModelError: not a .tflite, not int8, or with operators the runtime does not know (all of
            them are named at once).
    """
    graph = read_stored_graph(content, where)
    if graph.is_int16 or any(
        isinstance(op, Convolution) and op.wide is not None for op in graph.ops
    ):
        return graph
    return without_unused_channels(with_small_constants(graph))


def read_stored_graph(content: bytes, where: str = "model") -> Graph:
    """Do the same, but keep all constants as the file has them, so that it can be written anew."""
    return make_graph(open_model(content, where), digest(content))[0]


def reading_notes(content: bytes) -> tuple[str, ...]:
    """Return what `read_graph` leaves out of a model that it takes, and why, in words."""
    reader = open_model(content, "model")
    make_graph(reader, "")
    return tuple(reader.notes)


def operator_kinds(content: bytes) -> set[str]:
    """Return the names of the operators of a .tflite that `read_graph` takes."""
    reader = open_model(content, "model")
    return {reader.kind(operator) for operator in reader.source.operators}


class ReferenceInterpreter:
    """TensorFlow Lite with its reference kernels (BUILTIN_REF): the oracle of every other stage."""

    def __init__(self, content: bytes, *, optimized: bool = False) -> None:
        """Load a model; `optimized` takes the default kernels, which round differently.

        Raises:
            ModelError: `read_graph` or TensorFlow Lite refuses it.
            MissingExtraError: LiteRT is not installed.
        """
        require(LITERT)
        reader = open_model(content, "model")
        self._graph, _ = make_graph(reader, digest(content))
        own = {mine: theirs for theirs, mine in reader.index.items()}
        self._seen = reader.seen
        self._numbers = own | {mine: seen.index for mine, seen in reader.seen.items()}
        tidy = with_unsigned_sums(for_litert(reader))
        self._interpreter = _interpreter(tidy, optimized)
        _hold_shapes(self._interpreter, self._graph, own)
        details = {one["index"]: one for one in self._interpreter.get_input_details()}
        outside = [details[index] for index in listed(reader.source.inputs)]
        self._inputs = dict(zip(self._graph.inputs, outside, strict=True))
        if optimized:  # it keeps no tensors but the last
            self._numbers |= zip(self._graph.outputs, reader.results, strict=True)
        self._guards = [
            make_guard(self._graph, one, _interpreter(up_to(tidy, number), False))
            for one in ([] if optimized else guarded(self._graph))
            for number in [self._numbers[one.inputs[0]]]
        ]

    def observed(self, inputs: Int8Array, steps: int = 1, first: int = 0) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return int8 [n, K] for each tensor of `Graph.observed`.

        Args:
            inputs: images, in the order of their sequence where the model keeps state.
            steps: images of a sequence: a reset comes before each so many. 1: each by itself.
            first: number of the first image among those that this model has run.
        """
        return self.tensors(inputs, self._graph.observed, steps, first)

    def run(self, inputs: Int8Array) -> Int8Array:
        """Run int8 [n, H, W, C]; return the first output, int8 [n, K]."""
        return self.outputs(inputs)[0]

    def outputs(self, inputs: Int8Array) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return int8 [n, K] for each output."""
        return self.tensors(inputs, self._graph.outputs)

    def tensors(
        self, inputs: Int8Array, wanted: tuple[int, ...], steps: int = 1, first: int = 0
    ) -> tuple[Int8Array, ...]:
        """Run images of `Graph.image_shape`; return int8 [n, values] for each graph tensor.

        All else is as above.

        Raises:
            ModelError: an image makes the classes too alike for TensorFlow Lite's softmax.
        """
        tensors = self._graph.tensors
        rows: list[list[Int8Array]] = [[] for _ in wanted]
        for number, image in enumerate(inputs, first):
            if self._graph.stateful and number % steps == 0:
                self._interpreter.reset_all_variables()
            given = self._outside(image)
            for guard in self._guards:
                guard.check(given)
            for index, pixels in given.items():
                self._interpreter.set_tensor(index, pixels)
            try:
                self._interpreter.invoke()
            except (RuntimeError, ValueError) as error:
                raise _refused(error) from error
            for row, index in zip(rows, wanted, strict=True):
                values = self._interpreter.get_tensor(self._numbers[index])
                if index in self._seen:
                    seen = self._seen[index]
                    values = np.broadcast_to(values.reshape(seen.shape), seen.to)
                row.append(from_outside(values, tensors[index]).reshape(-1).copy())
        return tuple(np.stack(row) for row in rows)

    def _outside(self, image: Int8Array) -> dict[int, NDArray[Any]]:
        """Return the inputs of an image as the file takes them, by their numbers there."""
        found = {}
        for tensor, values in self._graph.split(image).items():
            end = self._inputs[tensor]
            outside = to_outside(values, self._graph.tensors[tensor], end["dtype"])
            found[end["index"]] = outside.reshape(end["shape"])
        return found


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
        raise _refused(error) from error
    return made


def _refused(error: Exception) -> ModelError:
    reason = " ".join(str(error).split())[:_MAX_LETTERS]
    return ModelError(f"TensorFlow Lite refuses the model: {reason}", where="model")


def _hold_shapes(interpreter: Any, graph: Graph, numbers: dict[int, int]) -> None:
    """Refuse a model if LiteRT gives a tensor another shape than the graph."""
    shapes = {one["index"]: tuple(one["shape"]) for one in interpreter.get_tensor_details()}
    for op in graph.ops:
        if op.output not in numbers:
            continue
        tensor = graph.tensors[op.output]
        made = shapes.get(numbers[op.output])
        if made != tensor.shape:
            raise ModelError(
                f"TensorFlow Lite makes the shape {made} of {tensor.name}, not {tensor.shape}",
                where=op.name,
            )
