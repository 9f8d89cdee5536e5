"""Choose band heights for a model whose weights are decoded once per band.

Higher bands are decoded less often and take more of the arena, which larger tiles and Winograd's
weights want too; so nothing less than a whole plan says what a band is worth. First each map height
in turn takes the best band, then each Fire module: the operators that write into one concatenation,
and those that read it.
"""

from collections.abc import Callable, Iterator

from edgesq.graph import Concatenation, Graph
from edgesq.plan.planner import Plan

BANDS = (2, 3, 4, 5, 7)
"""Rows that are tried beside one; more is hardly ever there to be had."""

LEAST_HEIGHT = 2

Bands = dict[int, int]
"""As for `make_plan`."""


def best_bands(
    graph: Graph,
    streamed: frozenset[int],
    plan_with: Callable[[Bands], Plan],
    cost: Callable[[Plan], float],
    limit_bytes: int | None,
) -> Iterator[tuple[Bands, Plan]]:
    """Yield ever faster plans whose arena is within a limit; the first one whatever it takes.

    Args:
        graph: the model.
        streamed: convolutions, by output.
        plan_with: makes a plan.
        cost: estimated instructions of a plan.
        limit_bytes: None for no limit.
    """
    bands: Bands = {}
    plan = plan_with(bands)
    least = cost(plan)
    yield bands, plan
    for keys, height in _groups(graph, streamed):
        for trial in list(_trials(keys, height, bands)):
            plan = plan_with(trial)
            fits = limit_bytes is None or plan.arena_bytes <= limit_bytes
            if fits and cost(plan) < least:
                bands, least = trial, cost(plan)
                yield bands, plan


def _trials(keys: tuple[int, ...], height: int, bands: Bands) -> Iterator[Bands]:
    """Yield the bands to try: of a module those near its height's; of a height all.

    The height before it may have taken the room that a few rows of this one would use better.
    """
    if keys != (height,):
        for rows in _near(bands.get(height, 1)):
            yield {**bands, **dict.fromkeys(keys, rows)}
        return
    for rows in BANDS:
        yield {**bands, height: rows}
    before = max((other for other in bands if 0 <= other < height), default=None)
    if before is not None:
        for rows in BANDS[:2]:
            for fewer in (other for other in BANDS if other < bands[before]):
                yield {**bands, before: fewer, height: rows}


def _near(rows: int) -> tuple[int, ...]:
    return tuple(other for other in (rows - 1, rows + 1, rows + 2) if other > 0)


def _groups(graph: Graph, streamed: frozenset[int]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield keys of bands that are raised together, with their maps' height: lowest maps first."""
    heights = {graph.tensors[output].hwc[0] for output in streamed}
    yield from (((height,), height) for height in sorted(heights) if height >= LEAST_HEIGHT)
    for joined in graph.ops:
        if isinstance(joined, Concatenation):
            readers = [op.output for op in graph.ops if joined.output in op.inputs]
            module = streamed.intersection((*joined.inputs, *readers))
            if module:
                yield (
                    tuple(~output for output in sorted(module)),
                    graph.tensors[joined.output].hwc[0],
                )
