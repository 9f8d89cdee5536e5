"""Operators that run fused as C data. Mirror: struct esq_fused in firmware/include/esq_fused.h."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from edgesq.codegen.params.conv import conv_params
from edgesq.codegen.params.fields import window_fields
from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.fused import chosen
from edgesq.kernels.initializer import Fields, Value, clamp_fields, struct, structs
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.row_op import Chain, RowOp, Stage
from edgesq.kernels.strips import Strips, strips_of, window_of
from edgesq.operators import Access, Convolution, MaxPool2D, Op

_NUMBERS = 1000
"""Numbers that the operators of a chain have for their arrays."""


def fused_params(
    graph: Graph, item: RowOp, index: int, places: Mapping[int, str], work: int, maxima: int
) -> str:
    """Return the C text that defines `params_<index>` of operators that run fused.

    Args:
        graph: the model.
        item: the operators.
        index: their number.
        places: C expressions that point to slots, by number.
        work: bytes from the arena's start to their working memory.
        maxima: the same to the row of running maxima, where they keep one.
    """
    chain, kernel = item.chain, item.kernel.fused
    assert chain is not None
    assert kernel is not None
    strips = strips_of(chain, item.band_units, kernel.columns)
    assert strips is not None
    slots = [_slot(chain, strips, work, number) for number in range(len(chain.shapes))]
    if chain.running:
        slots[-2] = _row_of_maxima(chain, maxima)
    text, stages = "", []
    own: list[Value] = []
    for number, (stage, one) in enumerate(zip(chain.stages, chosen(item), strict=True)):
        numbered = _NUMBERS * (index + 1) + number
        text += _twice(graph, one.op, one.kernel, numbered)
        ends = []
        for tensor, channel, slot in _ends(stage, one):
            if tensor in (0, len(slots) - 1):
                ends.append(places[slot])
            else:
                ends.append(f"&slots_{index}[{len(own)}]")
                own.append(_part(slots[tensor], channel, graph.tensors[slot].stored[2]))
        stages.append(_stage(stage, one, numbered, ends, work + kernel.work_offset))
    fields: Fields = {
        "stages": f"stages_{index}",
        "tensors": f"tensors_{index}",
        "columns": kernel.columns,
        "stage_count": len(stages),
        "tensor_count": len(slots),
        "is_running": int(chain.running),
    }
    return (
        text
        + structs("struct esq_slot", f"slots_{index}", own)
        + structs("struct esq_slot", f"tensors_{index}", slots)
        + structs("struct esq_stage", f"stages_{index}", stages)
        + struct("esq_fused", f"params_{index}", fields)
    )


def _ends(stage: Stage, one: RowOp) -> Iterator[tuple[int, int, int]]:
    """Yield what a stage reads and what it writes: the tensor, its first channel, the slot."""
    yield stage.source, stage.channels[0], one.inputs[0]
    yield stage.result, stage.channels[1], one.output


def _part(slot: tuple[int, ...], channel: int, channels: int) -> tuple[int, ...]:
    """Return struct esq_slot of some channels of a tensor."""
    offset, *rest = slot
    return (offset + channel, *rest[:4], channels, *rest[5:])


def _slot(chain: Chain, strips: Strips, work: int, number: int) -> tuple[int, ...]:
    """Return struct esq_slot of what is held of a tensor; that of an end is never read."""
    height, width, pixel_bytes = chain.shapes[number]
    row_bytes = round_up(strips.columns[number] * pixel_bytes, 4)
    rows = max(strips.rows[number], 1)
    place = work + strips.offsets[number]
    return (place, row_bytes, rows, height, width, pixel_bytes, pixel_bytes, 0)


def _row_of_maxima(chain: Chain, place: int) -> tuple[int, ...]:
    height, width, pixel_bytes = chain.shapes[-2]
    row_bytes = round_up(width * pixel_bytes, 4)
    return (place, row_bytes, 1, height, width, pixel_bytes, pixel_bytes, 0)


def _stage(stage: Stage, one: RowOp, number: int, ends: list[str], work: int) -> Fields:
    inside = window_of(stage.item.op).pad_left > 0
    op: Fields = {
        "run": one.kernel.function,
        "params": f"&params_{number}",
        "input": [ends[0]],
        "output": ends[1],
        "work_offset_bytes": work,
        "takes_maximum": int(one.access is Access.MAXIMUM),
    }
    return {
        "op": op,
        "inside": f"&inside_{number}" if inside else f"&params_{number}",
        "window": window_fields(window_of(stage.item.op)),
        "source": stage.source,
        "result": stage.result,
    }


def _twice(graph: Graph, op: Op, kernel: Kernel, number: int) -> str:
    """Return `params_<number>` and, where it is padded on the left, `inside_<number>` without."""
    assert isinstance(op, Convolution | MaxPool2D)
    names = [(op, f"params_{number}")]
    if op.window.pad_left > 0:
        names.append((replace(op, window=replace(op.window, pad_left=0)), f"inside_{number}"))
    text = ""
    for one, name in names:
        if isinstance(one, MaxPool2D):
            text += _pool(one, name)
        else:
            conv = conv_params(graph, one, kernel, number)
            text += ("" if text else conv.arrays) + struct(conv.kind, name, conv.fields)
    return text


def _pool(op: MaxPool2D, name: str) -> str:
    fields: Fields = {"window": window_fields(op.window), **clamp_fields(op.clamp)}
    return struct("esq_pool", name, fields, layer=op.name)
