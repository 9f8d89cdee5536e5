"""From sums to int8, per output channel, as C arrays."""

from edgesq.arithmetic import conv2d_multipliers, rescale_parameters
from edgesq.codegen.initializer import array, structs
from edgesq.graph import Convolution, FullyConnected, Graph


def requantize_arrays(graph: Graph, op: Convolution, index: int) -> str:
    """Return `multiplier_<index>` and `shift_<index>`."""
    multiplier, shift = conv2d_multipliers(graph, op)
    return array("int32_t", f"multiplier_{index}", multiplier.tolist()) + array(
        "int8_t", f"shift_{index}", shift.tolist()
    )


def rescaling_arrays(graph: Graph, op: FullyConnected, index: int) -> str:
    """Return `rescaling_<index>`. Mirror: struct esq_rescaling."""
    parameters = rescale_parameters(graph, op)
    pairs = zip(parameters.multiplier.tolist(), parameters.limit.tolist(), strict=True)
    elements = [(f"{multiplier}u", f"{limit}u") for multiplier, limit in pairs]
    return structs("struct esq_rescaling", f"rescaling_{index}", elements)
