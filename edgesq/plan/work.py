"""Give operators working memory: the more, the more pixels they compute together."""

from collections.abc import Callable
from dataclasses import replace

from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.family import Family
from edgesq.kernels.flash import grown_outputs
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.row_op import Ops, RowOp

ARENA_GROWTH = 20
"""Faster kernels may make the arena larger by one part in this many."""


def fit_work(
    graph: Graph,
    ops: Ops,
    kernels: str,
    arena_bytes: Callable[[Ops, int], int],
    room_bytes: int | None,
) -> Ops:
    """Give operators the working memory of a kernel family.

    Args:
        graph: the model.
        ops: operators as lowered, with portable kernels.
        kernels: name of the family.
        arena_bytes: the arena that a choice of operators leads to, and a size that is enough.
        room_bytes: most bytes by which packed weights may grow; None for one part in
            WEIGHTS_GROWTH.

    Returns:
        the operators; those with the most work first, each computes as many pixels together as the
        arena has room for.
    """
    family = FAMILIES[kernels]
    chosen = [replace(item, kernel=_least(family, graph, item)) for item in ops]
    if not any(item.kernel.pixels for item in chosen):
        return tuple(chosen)
    limit = arena_bytes(ops, 0)
    limit = max(limit + limit // ARENA_GROWTH, arena_bytes(tuple(chosen), 0))
    grown = grown_outputs(graph, ops, kernels, room_bytes)
    for index in sorted(range(len(ops)), key=lambda k: (-ops[k].macs(graph), k)):
        for kernel in family.kernels(graph, ops[index], ops[index].output in grown):
            if kernel.pixels <= 1:
                break
            trial = replace(ops[index], kernel=kernel)
            others = [*chosen[:index], trial, *chosen[index + 1 :]]
            if arena_bytes(tuple(others), limit) <= limit:
                chosen = others
                break
    return tuple(chosen)


def _least(family: Family, graph: Graph, item: RowOp) -> Kernel:
    """Return the kernel of an operator that computes the fewest pixels together."""
    *_, kernel = family.kernels(graph, item, False)
    return kernel
