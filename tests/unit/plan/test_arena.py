"""The arena: blocks placed side by side where both are in use, and as low as they go."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.integers import round_up
from edgesq.plan.arena import Block, live_together, place, used_bytes
from edgesq.plan.greedy import Greedy

blocks = st.lists(
    st.builds(Block, st.integers(1, 500), st.integers(1, 255)), min_size=1, max_size=12
)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(blocks)
def test_place(wanted: list[Block]) -> None:
    least = int(used_bytes(wanted).max())
    offsets, total = place(tuple(wanted), least, 0, live_together(wanted))
    spans = [(start, start + block.bytes) for start, block in zip(offsets, wanted, strict=True)]
    for one, two in combinations(range(len(wanted)), 2):
        if wanted[one].live & wanted[two].live:
            assert spans[one][1] <= spans[two][0] or spans[two][1] <= spans[one][0]
    assert total == round_up(max(end for _, end in spans), 16)
    assert all(start % 16 == 0 for start in offsets)
    used = [sum(block.bytes for block in wanted if block.live >> step & 1) for step in range(8)]
    assert total >= max(used) == least


changes = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 500), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(blocks, changes)
def test_a_change_places_blocks_as_if_it_had_been_there_before(
    wanted: list[Block], changes: list[tuple[int, int, bool]]
) -> None:
    """Each change gives a block another size and the first rank; some are taken back."""
    together = live_together(wanted)
    sizes, ranks = [one.bytes for one in wanted], [*range(len(wanted))]
    greedy = Greedy(sizes, ranks, together)
    for number, (index, size, is_kept) in enumerate(changes):
        place = index % len(wanted)
        before = list(greedy.places)
        greedy.change(place, size, -1 - number)
        if is_kept:
            sizes[place], ranks[place] = size, -1 - number
            assert greedy.places == Greedy(sizes, ranks, together).places
        else:
            greedy.undo()
            assert greedy.places == before
