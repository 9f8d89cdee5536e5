"""Kernels for scalar cores, as a row of the table of families."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from edgesq.graph import Graph
from edgesq.kernels import pairs
from edgesq.kernels.coded import tile_kernels
from edgesq.kernels.cost import Prices, operator_instructions
from edgesq.kernels.family import ANY_CORE, Family, requantization_bytes
from edgesq.kernels.groups import GROUP_BYTES, MAX_GROUPS, group_count, group_graph
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.portable import PORTABLE, conv_kernel
from edgesq.kernels.portable import PRICES as PORTABLE_PRICES
from edgesq.kernels.row_op import RowOp
from edgesq.kernels.scalar import depthwise, values
from edgesq.kernels.scalar.cost import conv_instructions, unpacking_instructions
from edgesq.kernels.scalar.pack import fits
from edgesq.kernels.scalar.params import conv_params
from edgesq.kernels.scalar.windows import taps_of, ways, work_bytes
from edgesq.operators import Conv2D, DepthwiseConv2D, GroupedConv2D, Op

NAME = "scalar"

_REQUANTIZATION_BYTES = 7
"""Per channel: a multiplier, a shift and the sum of its weights."""


def _kernels(graph: Graph, item: RowOp, _: bool) -> Iterator[Kernel]:
    """Yield the kernels of an operator, best first."""
    if isinstance(item.first, DepthwiseConv2D) and depthwise.pack(graph, item.first):
        both = (replace(item.kernel, family=NAME, pixels=depthwise.TOGETHER), item.kernel)
        yield min(both, key=lambda one: _instructions(graph, replace(item, kernel=one)))
        return
    if item.feeder is None and values.is_exact(graph, item):
        yield replace(item.kernel, family=NAME)
        return
    parts = _parts(graph, item.first)
    if not parts or not all(fits(own, part) for own, part in parts):
        yield item.kernel
        return
    own, conv = parts[0]
    kernels = [
        replace(conv_kernel(item, NAME, pixels, work_bytes(pixels, held)), held=held)
        for pixels, held in ways(own, conv)
    ]
    yield from _worth(own, conv, kernels)


def _worth(graph: Graph, conv: Conv2D, kernels: Sequence[Kernel]) -> list[Kernel]:
    """Return the kernels that are faster than all behind them, which take less memory."""
    found = [kernels[-1]]
    least = conv_instructions(graph, conv, kernels[-1])
    for kernel in reversed(kernels[:-1]):
        cost = conv_instructions(graph, conv, kernel)
        if cost < least:
            found.append(kernel)
            least = cost
    return found[::-1]


def _parts(graph: Graph, op: Op) -> list[tuple[Graph, Conv2D]]:
    """Return the convolutions that the kernels see: an operator itself, or its groups."""
    if isinstance(op, Conv2D):
        return [(graph, op)]
    if isinstance(op, GroupedConv2D) and group_count(graph, op) <= MAX_GROUPS:
        return [group_graph(graph, op, group) for group in range(group_count(graph, op))]
    return []


def _coded_kernels(graph: Graph, item: RowOp) -> Iterator[Kernel]:
    conv = item.first
    assert isinstance(conv, Conv2D)
    if not fits(graph, conv):
        yield from PORTABLE.coded_kernels(graph, item)
        return
    for kernel in _kernels(graph, item, False):
        yield from tile_kernels(graph, conv, kernel, taps_of(graph, conv))


def _extra_bytes(graph: Graph, item: RowOp) -> int:
    """Return the bytes by which packed weights, and the structs of groups, exceed the weights."""
    op, kernel = item.first, item.kernel
    if kernel.family != NAME:
        return 0
    parts = _parts(graph, op)
    structs = len(parts) * GROUP_BYTES if kernel.form is Form.GROUPS else 0
    return structs + sum(_padding_bytes(own, part) for own, part in parts)


def _padding_bytes(graph: Graph, op: Conv2D) -> int:
    shape = graph.tensors[op.weights].shape
    return shape[0] * (taps_of(graph, op) - int(np.prod(shape[1:])))


_PRICES = Prices(
    values={**PORTABLE_PRICES.values, **values.PRICES},
    summed=PORTABLE_PRICES.summed,
    decoding=PORTABLE_PRICES.decoding,
    conv=conv_instructions,
    unpacking=unpacking_instructions,
    depthwise=depthwise.instructions,
)
"""Of a Cortex-M3."""

_instructions = partial(operator_instructions, _PRICES)


def _takes_coded(graph: Graph, op: Conv2D) -> bool:
    return fits(graph, op) or PORTABLE.takes_coded(graph, op)


SCALAR = Family(
    name=NAME,
    core_has=ANY_CORE,
    code_bytes=7_168,
    kernels=_kernels,
    coded_kernels=_coded_kernels,
    takes_coded=_takes_coded,
    extra_bytes=_extra_bytes,
    requantization_bytes=partial(requantization_bytes, _REQUANTIZATION_BYTES),
    conv_params=conv_params,
    instructions=_instructions,
    decoding=_PRICES.decoding,
    folds_zero_point=True,
    arena_parts=2,
    mul_params=pairs.mul_params,
)
