"""The arithmetic of MEAN and SUM: one requantization of a sum less its zero points."""

from dataclasses import dataclass
from math import prod

from edgesq.arithmetic import quantize_multiplier
from edgesq.graph import Graph
from edgesq.operators import Mean, MeanAlong, Sum


@dataclass(frozen=True)
class MeanParameters:
    """One requantization of sum - offset; of a mean, 1/count is folded into the multiplier."""

    multiplier: int
    shift: int
    offset: int


def reduced_axes(op: Mean | MeanAlong | Sum) -> tuple[int, ...]:
    """Return the axes of [H, W, C] that an operator adds up."""
    return (0, 1) if isinstance(op, Mean) else op.axes


def added_values(graph: Graph, op: Mean | MeanAlong | Sum) -> int:
    """Return how many values each sum is of."""
    shape = graph.tensors[op.inputs[0]].hwc
    return prod(shape[axis] for axis in reduced_axes(op))


def mean_parameters(graph: Graph, op: Mean | MeanAlong | Sum) -> MeanParameters:
    """Derive the multiplier that rescales a sum, and of a mean divides it by its count at once.

    Source: TensorFlow Lite, reference/reduce.h. Its BUILTIN_REF takes the int8 of a SUM for uint8;
    see `edgesq.formats.tflite.unsigned_sums`.
    """
    source, count = graph.tensors[op.inputs[0]], added_values(graph, op)
    multiplier, shift = quantize_multiplier(source.scale / graph.tensors[op.output].scale)
    offset = source.zero_point * count
    if isinstance(op, Sum):
        return MeanParameters(multiplier, shift, offset)
    fold = min(count.bit_length() - 1, 32, 31 + shift)
    return MeanParameters((multiplier << fold) // count, shift - fold, offset)
