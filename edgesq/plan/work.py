"""Give operators working memory: the more, the more pixels they compute together."""

from collections.abc import Callable

from edgesq.graph import Graph
from edgesq.kernels.row_op import Ops
from edgesq.kernels.work import macs, pixel_ways, with_pixels, worth_winograd

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
        ops: operators as lowered, for portable kernels.
        kernels: "portable", "dsp" or "mve".
        arena_bytes: the arena that a choice of operators leads to, and a size that is enough.
        room_bytes: most bytes by which packed weights may grow; None for one part in
            WEIGHTS_GROWTH.

    Returns:
        the operators; those with the most work first, each computes as many pixels together as the
        arena has room for.
    """
    if kernels == "portable":
        return ops
    limit = arena_bytes(ops, 0)
    chosen = [with_pixels(graph, item, kernels, 1) for item in ops]
    limit = max(limit + limit // ARENA_GROWTH, arena_bytes(tuple(chosen), 0))
    winograd = worth_winograd(graph, ops, kernels, room_bytes)
    for index in sorted(range(len(ops)), key=lambda k: (-macs(graph, ops[k]), k)):
        for trial in pixel_ways(graph, ops[index], kernels, winograd):
            if not chosen[index].pixels or trial.pixels == 1:
                break
            others = [*chosen[:index], trial, *chosen[index + 1 :]]
            if arena_bytes(tuple(others), limit) <= limit:
                chosen = others
                break
    return tuple(chosen)
