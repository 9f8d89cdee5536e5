"""Which convolutions on the DSP extension get Winograd's weights, four times the model's own."""

from dataclasses import replace

from edgesq.graph import Graph
from edgesq.kernels.dsp import winograd
from edgesq.kernels.dsp.cost import instructions
from edgesq.kernels.portable import conv_kernel
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Conv2D

_PIXELS = 3
"""That a kernel which does not grow may compute together: what Winograd must be better than."""


def grown(
    graph: Graph, ops: Ops, room_bytes: int, worth: float, coded: frozenset[int], family: str
) -> frozenset[int]:
    """Return the outputs of operators whose weights may grow: those that gain most per byte.

    Args:
        graph: the model.
        ops: operators as lowered.
        room_bytes: most bytes by which weights may grow.
        worth: instructions per image that each of them must save.
        coded: convolutions, by output, whose weights are decoded: none of these.
        family: of the kernels.
    """
    gains = {
        item.output: (_gain(graph, item, conv, family), winograd.extra_bytes(graph, conv))
        for item in ops
        if isinstance(conv := item.op, Conv2D)
        and conv.output not in coded
        and winograd.fits(graph, conv)
    }
    chosen = set()
    for output, (gain, extra) in sorted(gains.items(), key=lambda one: -one[1][0] / one[1][1]):
        if gain > worth * extra and extra <= room_bytes:
            chosen.add(output)
            room_bytes -= extra
    return frozenset(chosen)


def _gain(graph: Graph, item: RowOp, conv: Conv2D, family: str) -> float:
    """Return the instructions per image that Winograd saves."""
    direct = replace(item, kernel=conv_kernel(item, family, _PIXELS, 0))
    quick = replace(item, kernel=winograd.kernel(graph, conv, family))
    return instructions(graph, direct) - instructions(graph, quick)
