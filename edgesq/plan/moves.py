"""Which bands a search tries next.

Plain weights: higher bands save steps, and tables that are made per band; all operators of a map
height share one.
Coded weights: higher bands are decoded less often, but their rows take memory that larger tiles and
other operators' bands want too. So bands are raised and lowered together and alone, and memory is
moved from one operator to another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.operators import Concatenation, Conv2D
from edgesq.plan.request import Bands

MAX_CODED_ROWS = 14
"""Rows of a band with coded weights that are tried; memory for more is hardly ever there."""

Move = tuple[Bands, ...]
"""Changes of bands that are tried in turn until one helps."""


def heights_of(graph: Graph) -> list[int]:
    """Return the map heights of the operators, lowest first."""
    return sorted({graph.tensors[op.output].hwc[0] for op in graph.ops})


def powers_of_two(height: int) -> list[int]:
    """Return the bands for a map that are tried where weights are plain; the last is all of it."""
    powers = [1 << bit for bit in range(height.bit_length()) if 1 << bit < height]
    return [*powers, height]


def height_moves(graph: Graph) -> Iterator[Move]:
    """Yield for each map height all its bands, of a few rows first."""
    for height in heights_of(graph):
        for rows in powers_of_two(height):
            yield (Bands(by_height={height: rows}),)


class ConvolutionMoves:
    """Moves that change the bands of convolutions, each by its output.

    Args:
        graph: the model.
    """

    def __init__(self, graph: Graph) -> None:
        self._outputs = [op.output for op in graph.ops if isinstance(op, Conv2D)]
        self._choices = {
            output: _fewest_rows(graph.tensors[output].hwc[0]) for output in self._outputs
        }
        self._groups = list(_groups(graph, self._outputs))

    def start(self) -> Bands:
        """Return bands of one row."""
        return Bands(by_output=dict.fromkeys(self._outputs, 1))

    def together(self, _: Bands) -> Iterator[Move]:
        """Yield the same rows for a module or a map height."""
        for group in self._groups:
            for rows in self._choices[group[0]]:
                yield _change(dict.fromkeys(group, rows))

    def alone(self, bands: Bands) -> Iterator[Move]:
        """Yield fewer and more rows for each convolution."""
        for output in self._outputs:
            for rows in self._near(bands, output, 2):
                yield _change({output: rows})

    def exchanged(self, bands: Bands) -> Iterator[Move]:
        """Yield more rows for one convolution and fewer for another."""
        now = bands.by_output
        for more, fewer in permutations(self._outputs, 2):
            for high in self._near(bands, more, 1):
                for low in self._near(bands, fewer, 1):
                    if high > now[more] and low < now[fewer]:
                        yield _change({more: high, fewer: low})

    def _near(self, bands: Bands, output: int, steps: int) -> list[int]:
        """Return the next choices below and above."""
        choices, now = self._choices[output], bands.by_output[output]
        below = [rows for rows in choices if rows < now]
        above = [rows for rows in choices if rows > now]
        return [*below[-steps:], *above[:steps]]


def _change(by_output: Mapping[int, int]) -> Move:
    return (Bands(by_output=by_output),)


def _fewest_rows(height: int) -> list[int]:
    """Return for each number of bands the fewest rows that make no more of them."""
    return sorted(
        {
            rows
            for bands in range(1, height + 1)
            if (rows := ceil_div(height, bands)) <= MAX_CODED_ROWS
        }
    )


def _groups(graph: Graph, outputs: Iterable[int]) -> Iterator[list[int]]:
    """Yield convolutions whose bands are raised together.

    Those that write into one concatenation, these with those that read it, and all of a height.
    """
    for joined in graph.ops:
        if isinstance(joined, Concatenation):
            makers = [output for output in joined.inputs if output in outputs]
            readers = [op.output for op in graph.ops if joined.output in op.inputs]
            if makers:
                yield makers
                yield [*makers, *(output for output in readers if output in outputs)]
    by_height: dict[int, list[int]] = defaultdict(list)
    for output in outputs:
        by_height[graph.tensors[output].hwc[0]].append(output)
    yield from (by_height[height] for height in sorted(by_height))
