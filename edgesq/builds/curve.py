"""Pictures of RAM against speed, and of size against loss."""

from collections.abc import Sequence

from edgesq.builds.facts import SizePoint
from edgesq.choices import Goal
from edgesq.pages import LossPoint, Picture, PlanPoint, losses, plans
from edgesq.plan import Bands, Candidate


def plan_picture(candidates: Sequence[Candidate], chosen: Candidate, goal: Goal) -> Picture:
    """Return arena bytes against estimated instructions.

    Args:
        candidates: from the least RAM to whole maps.
        chosen: the plan to mark.
        goal: what that one is best at.
    """
    *banded, whole = candidates
    labels = [_label(each.bands) for each in banded]
    points = zip([*banded, whole], [*labels, "whole maps"], strict=True)
    return plans(
        [_point(each, label) for each, label in points],
        _point(chosen, goal.value),
        chosen.request.limit_bytes,
    )


def _label(bands: Bands) -> str:
    """Return the rows per step, or below one how many operators are fused, or maps whole."""
    if bands.is_below_rows:
        count = sum(len(fusion.outputs) for fusion in bands.fused or ())
        return f"{count} fused" if count else f"{len(bands.whole or ())} whole"
    return str(max(bands.by_height.values(), default=1))


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
