"""Pictures of RAM against speed, and of size against loss."""

from collections.abc import Sequence

from edgesq.builds.facts import SizePoint
from edgesq.choices import Goal
from edgesq.pages import LossPoint, Picture, PlanPoint, losses, plans
from edgesq.plan import Candidate


def plan_picture(candidates: Sequence[Candidate], chosen: Candidate, goal: Goal) -> Picture:
    """Return arena bytes against estimated instructions.

    Args:
        candidates: from bands of one row to whole maps.
        chosen: the plan to mark.
        goal: what that one is best at.
    """
    *banded, whole = candidates
    labels = [str(max(each.bands.by_height.values(), default=1)) for each in banded]
    points = zip([*banded, whole], [*labels, "whole maps"], strict=True)
    return plans(
        [_point(each, label) for each, label in points],
        _point(chosen, goal.value),
        chosen.request.limit_bytes,
    )


def _point(candidate: Candidate, label: str) -> PlanPoint:
    return PlanPoint(candidate.plan.arena_bytes, candidate.instructions, label)


def loss_picture(points: Sequence[SizePoint], chosen_bytes: int) -> Picture:
    """Return the size of the image against KL and agreement.

    Args:
        points: by size; the last one is int8.
        chosen_bytes: the image to mark.
    """
    shown = [LossPoint(each.image_bytes, each.kl, each.agreement) for each in points]
    return losses(shown, chosen_bytes)
