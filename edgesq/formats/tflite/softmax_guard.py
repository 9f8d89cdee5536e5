"""Keep TensorFlow Lite's reference softmax from ending the process.

Where 512 or more classes are as likely as the likeliest one, it would shift an int32 by 32 bits;
LiteRT asserts that this never happens, and aborts. So the sum is computed from the logits first, by
the same model without its softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    SOFTMAX_SUM_INTEGER_BITS,
    Int64Array,
    rounding_divide_by_pot,
    softmax_exp_table,
)
from edgesq.errors import ModelError
from edgesq.graph import Graph
from edgesq.operators import Softmax, SoftmaxInt16

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

_CLASSES = 512
_SUM_LIMIT = _CLASSES << (31 - SOFTMAX_SUM_INTEGER_BITS)


def guarded(graph: Graph) -> list[Softmax]:
    """Return the softmaxes at the end of the model with enough classes to matter."""
    makers = (graph.maker(output) for output in graph.outputs)
    return [
        one
        for one in makers
        if isinstance(one, Softmax)
        and not isinstance(one, SoftmaxInt16)
        and graph.tensors[one.output].hwc[2] >= _CLASSES
    ]


def up_to(content: bytes, result: int) -> bytes:
    """Return the model up to one tensor, by its number in the file, which is then its output."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    needed, kept = {result}, []
    for one in reversed(graph.operators):
        if needed.intersection(one.outputs):
            needed.update(one.inputs)
            kept.append(one)
    graph.operators, graph.outputs = kept[::-1], [result]
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@dataclass(frozen=True)
class SoftmaxGuard:
    """The model up to its logits, and the terms of the softmax that follows.

    Attributes:
        logits: interpreter of the model without its softmax.
        terms: int64 [256], an exponential in Q12.19 by distance from the largest logit.
        name: of the softmax.
    """

    logits: Interpreter
    terms: Int64Array
    name: str

    def check(self, inputs: Mapping[int, NDArray[Any]]) -> None:
        """Compute the logits of an image and the sums of their exponentials.

        Args:
            inputs: by their numbers in the file, as it takes them.

        Raises:
            ModelError: TensorFlow Lite would abort.
        """
        for index, values in inputs.items():
            self.logits.set_tensor(index, values)
        self.logits.invoke()
        values = self.logits.get_tensor(self.logits.get_output_details()[0]["index"])
        below = values.max(axis=-1, keepdims=True).astype(np.int64) - values
        if self.terms[below].sum(axis=-1).max() >= _SUM_LIMIT:
            raise ModelError(
                f"TensorFlow Lite's softmax cannot take {_CLASSES} or more classes that are all "
                "nearly as likely as the likeliest",
                where=self.name,
                hint="give a trained model, or one without softmax",
            )


def make_guard(graph: Graph, last: Softmax, logits: Interpreter) -> SoftmaxGuard:
    """Put a guard of one softmax together; `logits` runs the model up to what it reads."""
    exponentials = softmax_exp_table(graph, last)
    terms = rounding_divide_by_pot(exponentials, SOFTMAX_SUM_INTEGER_BITS)
    return SoftmaxGuard(logits, terms, last.name)
