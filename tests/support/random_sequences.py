"""Random layers that keep state from one image to the next."""

from collections.abc import Callable

from support.random_sketch import Sketch


def _svdf(sketch: Sketch, source: int) -> None:
    """Filter a pixel in time; of a map its mean."""
    if sketch.shape(source):
        sketch.add("mean", [source], sketch.quant())
        source = sketch.made[-1]
    memory, rank = sketch.number(1, 6), sketch.number(1, 2)
    options = {"quant": sketch.quant(), "bias": sketch.one_of(True, False)}
    sketch.add("svdf", [source], sketch.number(1, 8), memory, rank, **options)


SEQUENCE_LAYERS: dict[str, Callable[[Sketch, int], None]] = {"SVDF": _svdf}
