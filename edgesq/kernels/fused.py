"""A kernel family that runs several operators fused, each by a kernel that it has for it.

A kernel sees a strip as a narrow map, so any kernel will do that asks nothing of the width.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial

from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.family import Family
from edgesq.kernels.kernel import FUSED, PORTABLE, Form, Fused, Kernel
from edgesq.kernels.row_op import Chain, Ops, RowOp
from edgesq.kernels.strips import ALIGNMENT_BYTES, Strips, strips_of, window_of
from edgesq.operators import Op

STAGE_BYTES = 112
"""On a 32-bit core: struct esq_stage, two slots, and a window's struct once more."""

_COLUMNS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
"""Of the output in a strip, that are tried, beside the whole row."""

_STRIP_INSTRUCTIONS, _STAGE_INSTRUCTIONS, _ROW_INSTRUCTIONS = 200.0, 260.0, 110.0
"""To begin a strip, a stage in it, and a row of that."""

_MOVED_INSTRUCTIONS = 0.75
"""To move a byte of a column that is kept."""


def fused(family: Family) -> Family:
    """Return a family that runs fused operators too."""
    return replace(
        family,
        kernels=partial(_kernels, family),
        extra_bytes=partial(_extra_bytes, family),
        instructions=partial(_instructions, family),
        tabled_kernels=partial(_tabled_kernels, family),
        grown=partial(_grown, family),
        wide_layer=lambda graph, item: None if item.chain else family.wide_layer(graph, item),
    )


@lru_cache(maxsize=4096)
def least_kernel(chain: Chain, rows: int) -> Kernel | None:
    """Return how a chain runs in the least memory; None where no strips will do.

    Args:
        chain: operators with portable kernels.
        rows: of a band.
    """
    kernels = tuple(stage.item.kernel for stage in chain.stages)
    for columns in _strip_columns(chain):
        strips = strips_of(chain, rows, columns)
        if strips is not None:
            return _kernel(PORTABLE, chain, strips, columns, kernels)
    return None


def _strip_columns(chain: Chain) -> list[int]:
    """Return how many columns of the output a strip may make, least first."""
    width = chain.shapes[-1][1]
    return [*(columns for columns in _COLUMNS if columns < width), width]


def _kernel(
    family: str, chain: Chain, strips: Strips, columns: int, kernels: tuple[Kernel, ...]
) -> Kernel:
    work = max(kernel.work_bytes for kernel in kernels)
    return Kernel(
        family,
        FUSED,
        Form.RUNNING if chain.running else Form.FUSED,
        pixels=max(1, *(kernel.pixels for kernel in kernels)),
        work_bytes=strips.bytes + round_up(work, ALIGNMENT_BYTES),
        fused=Fused(columns, kernels, strips.bytes),
    )


def _kernels(family: Family, graph: Graph, item: RowOp, grows: bool) -> Iterator[Kernel]:
    """Yield the ways to run fused operators, the fastest first; each next one takes less memory."""
    if item.chain is None:
        yield from family.kernels(graph, item, grows)
        return
    found = []
    for columns in _strip_columns(item.chain):
        strips = strips_of(item.chain, item.band_units, columns)
        for kernel in _in_strips(family, graph, item, strips, columns) if strips else ():
            cost = _fused_instructions(family, graph, replace(item, kernel=kernel))
            found.append((cost, kernel.work_bytes, kernel))
    least = float("inf")
    for _, size, kernel in sorted(found, key=lambda one: one[:2]):
        if size < least:
            yield kernel
            least = size


def _in_strips(
    family: Family, graph: Graph, item: RowOp, strips: Strips, columns: int
) -> Iterator[Kernel]:
    """Yield the ways to run fused operators in some strips, by the memory that a kernel may have.

    Kernels work one after the other in the same memory: what one may have, all may.
    """
    assert item.chain is not None
    choices = []
    for stage, widths in zip(item.chain.stages, strips.widths, strict=True):
        choices.append(_priced(family, graph, stage.item, max(widths)))
    least = max(min(kernel.work_bytes for kernel, _ in each) for each in choices)
    sizes = {kernel.work_bytes for each in choices for kernel, _ in each}
    for size in sorted(one for one in sizes if one >= least):
        within = ([one for one in each if one[0].work_bytes <= size] for each in choices)
        kernels = tuple(min(each, key=lambda one: one[1])[0] for each in within)
        yield _kernel(family.name, item.chain, strips, columns, kernels)


@lru_cache(maxsize=8192)
def _priced(
    family: Family, graph: Graph, item: RowOp, columns: int
) -> tuple[tuple[Kernel, float], ...]:
    """Return the kernels for an operator on some columns, and what each takes for all rows."""
    own = _narrow(graph, item.op, columns)
    found = family.kernels(own, item, False)
    plain = [one for one in found if one.coded is None and one.form is Form.DIRECT]
    return tuple(
        (kernel, _narrow_instructions(family, graph, replace(item, kernel=kernel), columns))
        for kernel in plain or [item.kernel]
    )


@lru_cache(maxsize=16384)
def _narrow_instructions(family: Family, graph: Graph, item: RowOp, columns: int) -> float:
    """Estimate an operator on some columns of all rows."""
    return family.instructions(_narrow(graph, item.op, columns), item)


@lru_cache(maxsize=8192)
def _narrow(graph: Graph, op: Op, columns: int) -> Graph:
    """Return a model so narrow that an operator makes some columns of its result."""
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    window = window_of(op)
    seen = min(source.hwc[1], (columns - 1) * window.stride_w + window.width)
    tensors = list(graph.tensors)
    tensors[op.inputs[0]] = replace(source, shape=(1, source.hwc[0], max(seen, 1), source.hwc[2]))
    tensors[op.output] = replace(result, shape=(1, result.hwc[0], columns, result.hwc[2]))
    return Graph(tuple(tensors), (op,), (op.inputs[0],), (op.output,), graph.sha256)


def _extra_bytes(family: Family, graph: Graph, item: RowOp) -> int:
    if item.chain is None:
        return family.extra_bytes(graph, item)
    stages = chosen(item)
    return STAGE_BYTES * len(stages) + sum(family.extra_bytes(graph, one) for one in stages)


def chosen(item: RowOp) -> tuple[RowOp, ...]:
    """Return fused operators, each with its kernel."""
    assert item.chain is not None
    assert item.kernel.fused is not None
    pairs = zip(item.chain.stages, item.kernel.fused.kernels, strict=True)
    return tuple(replace(stage.item, kernel=kernel) for stage, kernel in pairs)


def _instructions(family: Family, graph: Graph, item: RowOp) -> float:
    if item.chain is None:
        return family.instructions(graph, item)
    return _fused_instructions(family, graph, item)


def _fused_instructions(family: Family, graph: Graph, item: RowOp) -> float:
    fused_by = item.kernel.fused
    assert item.chain is not None
    assert fused_by is not None
    strips = strips_of(item.chain, item.band_units, fused_by.columns)
    assert strips is not None
    bands, count = strips.bands, len(strips.widths[0])
    total = bands * count * _STRIP_INSTRUCTIONS + strips.moved_bytes * _MOVED_INSTRUCTIONS
    for one, widths, rows in zip(chosen(item), strips.widths, strips.rows_made, strict=True):
        share = rows / graph.tensors[one.op.output].hwc[0]
        for columns in set(widths) - {0}:
            own = _narrow_instructions(family, graph, one, columns)
            times = widths.count(columns)
            begun = min(bands, rows)  # rows of running maxima are not read in each band
            total += times * (own * share + rows * _ROW_INSTRUCTIONS + begun * _STAGE_INSTRUCTIONS)
    return total


def _tabled_kernels(family: Family, graph: Graph, item: RowOp, kernel: Kernel) -> Iterator[Kernel]:
    if item.chain is None:
        yield from family.tabled_kernels(graph, item, kernel)


def _grown(
    family: Family, graph: Graph, ops: Ops, room: int, worth: float, coded: frozenset[int]
) -> frozenset[int]:
    return family.grown(
        graph, tuple(item for item in ops if item.chain is None), room, worth, coded
    )
