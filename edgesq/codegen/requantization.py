"""From sums to int8, per output channel, as C arrays."""

from edgesq.arithmetic import conv2d_multipliers, rescale_parameters
from edgesq.codegen.text import rows, template
from edgesq.graph import Convolution, FullyConnected, Graph


def requantize_arrays(graph: Graph, op: Convolution, index: int) -> str:
    """Return `multiplier_<index>` and `shift_<index>`."""
    multiplier, shift = conv2d_multipliers(graph, op)
    return template("requantize_arrays.c").substitute(
        index=index,
        channels=len(shift),
        multiplier=rows(multiplier.tolist()),
        shift=rows(shift.tolist()),
    )


def rescaling_arrays(graph: Graph, op: FullyConnected, index: int) -> str:
    """Return `rescaling_<index>`. Mirror: struct esq_rescaling."""
    parameters = rescale_parameters(graph, op)
    pairs = zip(parameters.multiplier.tolist(), parameters.limit.tolist(), strict=True)
    return template("rescaling_arrays.c").substitute(
        index=index,
        channels=len(parameters.limit),
        rescaling="\n".join(f"    {{{multiplier}u, {limit}u}}," for multiplier, limit in pairs),
    )
