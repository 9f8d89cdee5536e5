"""A kernel family that runs dilated and transposed convolutions by its kernels for plain ones."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from edgesq.graph import Graph
from edgesq.kernels.family import Family
from edgesq.kernels.kernel import PORTABLE, Form, Kernel
from edgesq.kernels.phases import PHASE_BYTES, Phase, Phases, is_phased, phases_of
from edgesq.kernels.portable import portable_kernel
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Access, Convolution

_ROW_INSTRUCTIONS = 90.0
"""To enter a kernel for a row of a phase."""


def phased(family: Family) -> Family:
    """Return a family that takes dilated and transposed convolutions too.

    What only plain convolutions have, as coded weights and transformed ones, these have not.
    """
    return replace(
        family,
        kernels=partial(_kernels, family),
        takes_coded=lambda graph, op: not is_phased(op) and family.takes_coded(graph, op),
        short_channels=lambda graph, op: (
            None if is_phased(op) else family.short_channels(graph, op)
        ),
        extra_bytes=partial(_extra_bytes, family),
        instructions=partial(_instructions, family),
        tabled_kernels=partial(_tabled_kernels, family),
        grown=partial(_grown, family),
        gains_by_code=lambda graph, op: not is_phased(op) and family.gains_by_code(graph, op),
        phase_kernel=partial(_phase_kernel, family),
    )


def _kernels(family: Family, graph: Graph, item: RowOp, grows: bool) -> Iterator[Kernel]:
    op = item.first
    if graph.tensors[item.op.output].value_bytes > 1:
        yield item.kernel  # of what is no byte, the portable one alone knows
        return
    if not is_phased(op):
        yield from family.kernels(graph, item, grows)
        return
    assert isinstance(op, Convolution)
    phases = phases_of(graph, op)
    chosen = phases.widest
    plain = family.kernels(chosen.graph, _phase_item(item, phases, chosen), False)
    found = [replace(kernel, form=Form.PHASES) for kernel in plain if _is_simple(kernel)]
    fast = [
        kernel
        for kernel in found
        if kernel.family != PORTABLE
        and phases.see_all
        and all(_phase_kernel(family, graph, item, kernel, phase) for phase in phases.all)
    ]
    yield from fast or [item.kernel]


def _is_simple(kernel: Kernel) -> bool:
    return kernel.form is Form.DIRECT and kernel.coded is None and kernel.tabled is None


def _phase_item(item: RowOp, phases: Phases, phase: Phase) -> RowOp:
    """Return a phase as the operator that a family is asked about, a row at a time."""
    *inputs, result = item.pixel_bytes
    pixels = (*(size * phases.input_step for size in inputs), result * phases.output_step)
    kernel = portable_kernel(phase.graph, phase.conv, None, Access.WINDOW)
    made = replace(item, op=phase.conv, pixel_bytes=pixels, window=phase.conv.window)
    return replace(made, band_units=1, kernel=kernel)


def _phase_kernel(
    family: Family, graph: Graph, item: RowOp, kernel: Kernel, phase: Phase
) -> Kernel | None:
    """Return how one phase runs in the memory of an operator's kernel; None where it cannot."""
    assert isinstance(item.op, Convolution)
    own = _phase_item(item, phases_of(graph, item.op), phase)
    if kernel.family == PORTABLE:
        return own.kernel
    for found in family.kernels(phase.graph, own, False):
        same = (found.family, found.name) == (kernel.family, kernel.name)
        if same and _is_simple(found) and found.work_bytes <= kernel.work_bytes:
            return found
    return None


def _phase_items(family: Family, graph: Graph, item: RowOp) -> Iterator[tuple[Phase, RowOp]]:
    assert isinstance(item.op, Convolution)
    phases = phases_of(graph, item.op)
    for phase in phases.all:
        kernel = _phase_kernel(family, graph, item, item.kernel, phase)
        assert kernel is not None, "kernels that some phase lacks are not yielded"
        yield phase, replace(_phase_item(item, phases, phase), kernel=kernel)


def _extra_bytes(family: Family, graph: Graph, item: RowOp) -> int:
    op = item.first
    if not is_phased(op):
        return family.extra_bytes(graph, item)
    assert isinstance(op, Convolution)
    phases = phases_of(graph, op)
    items = list(_phase_items(family, graph, item))
    structs = PHASE_BYTES * len(items)
    if phases.share_weights:
        return structs + family.extra_bytes(items[0][0].graph, items[0][1])
    again = (len(items) - 1) * (
        family.requantization_bytes(graph, op) + graph.constant(op.bias).nbytes
    )
    own = graph.constant(op.weights).size
    packed = sum(
        one.graph.constant(one.conv.weights).size + family.extra_bytes(one.graph, part)
        for one, part in items
    )
    return structs + again + packed - own


def _instructions(family: Family, graph: Graph, item: RowOp) -> float:
    if not is_phased(item.first):
        return family.instructions(graph, item)
    return sum(
        family.instructions(phase.graph, one)
        + _ROW_INSTRUCTIONS * phase.graph.tensors[phase.conv.output].hwc[0]
        for phase, one in _phase_items(family, graph, item)
    )


def _tabled_kernels(family: Family, graph: Graph, item: RowOp, kernel: Kernel) -> Iterator[Kernel]:
    if not is_phased(item.first):
        yield from family.tabled_kernels(graph, item, kernel)


def _grown(
    family: Family, graph: Graph, ops: Ops, room: int, worth: float, coded: frozenset[int]
) -> frozenset[int]:
    plain = tuple(item for item in ops if not is_phased(item.first))
    return family.grown(graph, plain, room, worth, coded)
