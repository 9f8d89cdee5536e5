"""One recipe that was tried, as the report of a build says it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What a recipe gave on images that it was not fitted to.

    Attributes:
        recipe: in words.
        images: that it was judged on.
        kl: mean KL(float || int8), in nats.
        agreement: share of images with the same largest score.
        sqnr_db: of the scores; None where they are equal.
        seconds: it took.
        is_kept: whether it is the one that was taken.
    """

    recipe: str
    images: int
    kl: float
    agreement: float
    sqnr_db: float | None
    seconds: float
    is_kept: bool = False
