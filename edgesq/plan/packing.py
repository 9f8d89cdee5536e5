"""The strategy for plain weights: the smallest arena, and a little more for faster kernels.

Working memory makes such kernels faster by some percent only, so the arena may hardly grow for it:
every block, working memory too, is packed as tightly as is found.
"""

from collections.abc import Sequence

from edgesq.graph import Graph
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.plan.allocation import Plan
from edgesq.plan.arena import live_together, place
from edgesq.plan.draft import Draft
from edgesq.plan.greedy import Greedy

ARENA_GROWTH = 20
"""Faster kernels may make the arena larger by one part in this many, or by `Family.arena_parts`."""

SEARCHED_BLOCKS = 4_000
"""Blocks that searches for places take up, at most, while kernels of a plan are chosen: all of the
plan's for each search. Beyond that the largest are placed first, and no more is tried. A search
that fails places each block some 80 times."""


class Packing:
    """Packs one draft, with whatever kernels; what these do not change is found once.

    Args:
        draft: operators, steps and blocks.

    Attributes:
        draft: the same.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        blocks = draft.blocks(draft.lowered.ops)
        self._together = live_together([one.block for one in blocks])
        self._searched = 0
        self._places = {one.key: place for place, one in enumerate(blocks)}

    def packed(self, ops: Ops, limit_bytes: int = 0) -> Plan:
        """Return the plan in the smallest arena that is found.

        Args:
            ops: the operators with their kernels.
            limit_bytes: of an arena that they were seen to fit.
        """
        offsets, arena_bytes = self._placed(ops)
        if arena_bytes > limit_bytes > 0:
            offsets, arena_bytes = self._placed(ops, limit_bytes)
        placed = list(zip(self.draft.blocks(ops), offsets, strict=True))
        return self.draft.plan(ops, placed, arena_bytes)

    def most_pixels(
        self, graph: Graph, variants: Sequence[Sequence[RowOp]], parts: int
    ) -> tuple[Ops, int]:
        """Choose kernels: those with the most work first, each as many pixels at a time as fit.

        Returns them and the bytes of an arena that they were seen to fit; 0 where there is no
        choice.

        The arena may be larger by `parts` than with portable kernels, which need no working memory,
        or as large as the least that this family needs.

        Args:
            graph: the model.
            variants: of each operator, the most pixels at a time first; the last needs least
                memory.
            parts: see ARENA_GROWTH.
        """
        least = tuple(each[-1] for each in variants)
        if not any(item.kernel.pixels for item in least):
            return least, 0
        portable = self._placed(self.draft.lowered.ops)[1]
        limit = portable + portable * parts // ARENA_GROWTH
        chosen = self.within(graph, variants, limit)
        if self._fits(chosen, limit):
            return chosen, limit
        limit = self._placed(least)[1]
        return self.within(graph, variants, limit), limit

    def within(self, graph: Graph, variants: Sequence[Sequence[RowOp]], limit_bytes: int) -> Ops:
        """Choose kernels within a limit; those that need the least memory where nothing is."""
        chosen = [each[-1] for each in variants]
        sizes = [one.block.bytes for one in self.draft.blocks(tuple(chosen))]
        greedy = Greedy(sizes, [-size for size in sizes], self._together)  # the largest first
        for index in sorted(range(len(chosen)), key=lambda k: (-chosen[k].macs(graph), k)):
            for trial in variants[index][:-1]:
                kept, chosen[index] = chosen[index], trial
                place, size = self._places["work", index], trial.kernel.work_bytes
                greedy.change(place, size, -size)
                if self._peak_bytes(chosen) <= limit_bytes and (
                    greedy.total <= limit_bytes or self._is_found(tuple(chosen), limit_bytes)
                ):
                    break
                chosen[index] = kept
                greedy.undo()
        return tuple(chosen)

    def _peak_bytes(self, ops: Sequence[RowOp]) -> int:
        """Return the most bytes in use in a step."""
        working = zip(self.draft.beside_bytes, ops, strict=True)
        most = max(beside + item.kernel.work_bytes for beside, item in working)
        return max(self.draft.least_bytes, most)

    def _fits(self, ops: Ops, limit_bytes: int) -> bool:
        """Say whether all blocks are found places in an arena."""
        return self._peak_bytes(ops) <= limit_bytes and (
            self._placed(ops, limit_bytes)[1] <= limit_bytes
        )

    def _is_found(self, ops: Ops, limit_bytes: int) -> bool:
        """Say whether they are, as long as there is work left to be spent on that."""
        self._searched += len(self._together)
        return self._searched <= SEARCHED_BLOCKS and self._fits(ops, limit_bytes)

    def _placed(self, ops: Ops, limit_bytes: int = 0) -> tuple[tuple[int, ...], int]:
        blocks = tuple(one.block for one in self.draft.blocks(ops))
        return place(blocks, self._peak_bytes(ops), limit_bytes, self._together)
