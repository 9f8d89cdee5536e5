"""What an export says of how far it is."""

from collections.abc import Sequence

from edgesq.builds import Stage


def check_announced(stages: Sequence[Stage]) -> None:
    """Hold what was told against what was announced: every step, once, in order."""
    begun = [stage for stage in stages if not stage.detail]
    assert {stage.total for stage in stages} == {len(begun)}
    assert [stage.number for stage in begun] == list(range(1, len(begun) + 1))
    assert len({stage.name for stage in begun}) == len(begun)
