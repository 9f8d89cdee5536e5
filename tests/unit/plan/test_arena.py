"""The arena: blocks placed side by side where both are in use, and as low as they go."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.integers import round_up
from edgesq.plan.arena import Block, place

blocks = st.lists(
    st.builds(Block, st.integers(1, 500), st.integers(1, 255)), min_size=1, max_size=12
)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(blocks)
def test_place(wanted: list[Block]) -> None:
    offsets, total = place(wanted)
    spans = [(start, start + block.bytes) for start, block in zip(offsets, wanted, strict=True)]
    for one, two in combinations(range(len(wanted)), 2):
        if wanted[one].live & wanted[two].live:
            assert spans[one][1] <= spans[two][0] or spans[two][1] <= spans[one][0]
    assert total == round_up(max(end for _, end in spans), 16)
    assert all(start % 16 == 0 for start in offsets)
    used = [sum(block.bytes for block in wanted if block.live >> step & 1) for step in range(8)]
    assert total >= max(used)
