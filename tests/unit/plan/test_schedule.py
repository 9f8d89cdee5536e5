"""How high a ring must be for rows that are in use at given steps."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.plan.schedule import rows_held

spans = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda one: (one[0], sum(one))),
    min_size=1,
    max_size=12,
)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(spans)
def test_rows_used_at_once_are_closer_than_a_ring_is_high(steps: list[tuple[int, int]]) -> None:
    """In whatever order they begin; and no ring is higher than that takes."""
    apart = [
        below - above
        for (above, one), (below, two) in combinations(enumerate(steps), 2)
        if set(range(one[0], one[1] + 1)) & set(range(two[0], two[1] + 1))
    ]
    assert rows_held(dict(enumerate(steps))) == max(apart, default=0) + 1


def test_a_row_that_is_there_before_those_above_it() -> None:
    """A part of a concatenation that is copied first, and read last."""
    assert rows_held({0: (2, 2), 1: (5, 5), 2: (7, 7), 3: (9, 9), 4: (4, 10)}) == 4
