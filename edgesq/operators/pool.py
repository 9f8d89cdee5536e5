"""Pools."""

from dataclasses import dataclass

from edgesq.operators.base import Access, Windowed


@dataclass(frozen=True)
class MaxPool2D(Windowed, kind="MAX_POOL_2D", access=Access.MAXIMUM):
    """Maximum over a window; padded places do not count."""

    clamp: tuple[int, int]


@dataclass(frozen=True)
class AveragePool2D(Windowed, kind="AVERAGE_POOL_2D"):
    """Mean over the part of a window inside the image, rounded half away from zero."""

    clamp: tuple[int, int]


class HalvesUpPool2D(AveragePool2D, kind="AVERAGE_POOL_2D"):
    """The same, rounded half up, as TensorFlow Lite does on uint8."""
