"""The strategy for plain weights: the smallest arena, and a little more for faster kernels.

Working memory makes such kernels faster by some percent only, so the arena may hardly grow for it:
every block, working memory too, is packed as tightly as is found.
"""

from collections.abc import Sequence

from edgesq.graph import Graph
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.plan.allocation import Plan
from edgesq.plan.arena import peak_bytes, place
from edgesq.plan.draft import Draft

ARENA_GROWTH = 20
"""Faster kernels may make the arena larger by one part in this many, or by `Family.arena_parts`."""


def packed(draft: Draft, ops: Ops, limit_bytes: int = 0) -> Plan:
    """Return the plan in the smallest arena that is found.

    Args:
        draft: operators, steps and blocks.
        ops: the operators with their kernels.
        limit_bytes: of an arena that they were seen to fit.
    """
    blocks = draft.blocks(ops)
    offsets, arena_bytes = place([one.block for one in blocks])
    if arena_bytes > limit_bytes > 0:
        offsets, arena_bytes = place([one.block for one in blocks], limit_bytes)
    return draft.plan(ops, list(zip(blocks, offsets, strict=True)), arena_bytes)


def most_pixels(
    graph: Graph, draft: Draft, variants: Sequence[Sequence[RowOp]], parts: int
) -> tuple[Ops, int]:
    """Choose kernels: those with the most work first, each as many pixels at a time as fit.

    Returns them and the bytes of an arena that they were seen to fit; 0 where there is no choice.

    The arena may be larger by `parts` than with portable kernels, which need no working memory,
    or as large as the least that this family needs.

    Args:
        graph: the model.
        draft: operators, steps and blocks.
        variants: of each operator, the most pixels at a time first; the last needs least memory.
        parts: see ARENA_GROWTH.
    """
    least = [each[-1] for each in variants]
    if not any(item.kernel.pixels for item in least):
        return tuple(least), 0
    portable = _arena_bytes(draft, draft.lowered.ops)
    limit = portable + portable * parts // ARENA_GROWTH
    chosen = _within(graph, draft, variants, limit)
    if _fits(draft, chosen, limit):
        return tuple(chosen), limit
    limit = _arena_bytes(draft, least)
    return tuple(_within(graph, draft, variants, limit)), limit


def _within(
    graph: Graph, draft: Draft, variants: Sequence[Sequence[RowOp]], limit_bytes: int
) -> list[RowOp]:
    """Choose kernels within a limit; those that need the least memory where nothing is."""
    chosen = [each[-1] for each in variants]
    for index in sorted(range(len(chosen)), key=lambda k: (-chosen[k].macs(graph), k)):
        for trial in variants[index][:-1]:
            others = [*chosen[:index], trial, *chosen[index + 1 :]]
            if _fits(draft, others, limit_bytes):
                chosen = others
                break
    return chosen


def _arena_bytes(draft: Draft, ops: Sequence[RowOp]) -> int:
    return place([one.block for one in draft.blocks(tuple(ops))])[1]


def _fits(draft: Draft, ops: Sequence[RowOp], limit_bytes: int) -> bool:
    """Say whether all blocks are found places in an arena; most that do not fit are seen early."""
    blocks = [one.block for one in draft.blocks(tuple(ops))]
    return peak_bytes(blocks) <= limit_bytes and place(blocks, limit_bytes)[1] <= limit_bytes
