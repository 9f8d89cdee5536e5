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
"""Faster kernels may make the arena larger by one part in this many."""


def packed(draft: Draft, ops: Ops) -> Plan:
    """Return the plan in the smallest arena that is found.

    Args:
        draft: operators, steps and blocks.
        ops: the operators with their kernels.
    """
    blocks = draft.blocks(ops)
    offsets, arena_bytes = place([one.block for one in blocks])
    return draft.plan(ops, list(zip(blocks, offsets, strict=True)), arena_bytes)


def most_pixels(graph: Graph, draft: Draft, variants: Sequence[Sequence[RowOp]]) -> Ops:
    """Choose kernels: those with the most work first, each as many pixels at a time as fit.

    The arena may be ARENA_GROWTH larger than with portable kernels, which need no working memory,
    or as large as the least that this family needs.

    Args:
        graph: the model.
        draft: operators, steps and blocks.
        variants: of each operator, the most pixels at a time first; the last needs least memory.
    """
    chosen = [each[-1] for each in variants]
    if not any(item.kernel.pixels for item in chosen):
        return tuple(chosen)
    portable = _arena_bytes(draft, draft.lowered.ops)
    limit = max(portable + portable // ARENA_GROWTH, _arena_bytes(draft, chosen))
    for index in sorted(range(len(chosen)), key=lambda k: (-chosen[k].macs(graph), k)):
        for trial in variants[index]:
            if trial.kernel.pixels <= 1:
                break
            others = [*chosen[:index], trial, *chosen[index + 1 :]]
            if _fits(draft, others, limit):
                chosen = others
                break
    return tuple(chosen)


def _arena_bytes(draft: Draft, ops: Sequence[RowOp]) -> int:
    return place([one.block for one in draft.blocks(tuple(ops))])[1]


def _fits(draft: Draft, ops: Sequence[RowOp], limit_bytes: int) -> bool:
    """Say whether all blocks are found places in an arena; most that do not fit are seen early."""
    blocks = [one.block for one in draft.blocks(tuple(ops))]
    return peak_bytes(blocks) <= limit_bytes and place(blocks, limit_bytes)[1] <= limit_bytes
