"""A random network in the making, and the bounds that its layers keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from edgesq.formats.tflite import operator_kinds
from edgesq.formats.tflite.uint8 import SAME_IN_UINT8
from support.networks import FINER, RECTIFIED, USUAL, Network, Quant
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID
from support.uint8_files import as_uint8

MAX_EXTENT, MAX_CHANNELS, MAX_VALUES = 14, 24, 1_000
"""Of one activation."""
BANDS = (1, 2, 3, 1000)
"""Rows per step that a graph is planned with."""


@dataclass(frozen=True)
class Drawn:
    """A network, the function that makes it (for tests/support/cases.py), and rows per step.

    Attributes:
        layers: entries of LAYERS that it has.
    """

    content: bytes
    source: str
    band: int
    layers: frozenset[str] = frozenset()


_LISTED = ("concat", "pack")
"""Methods that take their sources as a list."""


class Sketch:
    """A network in the making that notes how it is made.

    Attributes:
        net: the network.
        made: its tensors, in order.
        layers: entries of LAYERS that added something.
        sources: the inputs that each tensor comes from.
    """

    may_be_uint8 = True

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        extents, channels = st.integers(1, 9), st.sampled_from([1, 2, 3, 4, 8, 16])
        shape = (draw(extents), draw(extents), draw(channels))
        quant, number = self.quant(), draw(st.integers(0, 9))
        self.net = Network(shape, quant, number)
        self.made = [self.net.input]
        self.layers: set[str] = set()
        self.sources: dict[int, frozenset[int]] = {}
        self.lines = [f"net = Network({shape}, {quant}, {number})"]
        self.names = {self.net.input: "net.input"}
        if draw(st.sampled_from([False, False, False, True])):
            self.beside(shape, quant)

    def beside(self, image: tuple[int, int, int], quant: Quant) -> None:
        """Add another input: an image of the same rows, a map of others, or a vector."""
        shapes = [image, (*image[:2], 3), (3, 2, 4), (5,)]
        shape = self.draw(st.sampled_from(shapes))
        own = self.draw(st.sampled_from([quant, FINER]))
        result = self.net.beside(shape, own)
        self.names[result] = f"t{len(self.made)}"
        self.lines.append(f"{self.names[result]} = net.beside({shape}, {own})")
        self.made.insert(self.draw(st.integers(0, 1)), result)

    def add(self, method: str, sources: Sequence[int], *rest: object, **options: object) -> None:
        """Call a method of the network; some take their sources as a list."""
        first: list[object] = [list(sources)] if method in _LISTED else list(sources)
        result = getattr(self.net, method)(*first, *rest, **options)
        read = (self.sources.get(source, frozenset([source])) for source in sources)
        self.sources[result] = frozenset().union(*read)
        names = ", ".join(self.names[source] for source in sources)
        words = [f"[{names}]" if method in _LISTED else names, *map(repr, rest)]
        words += [f"{name}={value!r}" for name, value in options.items()]
        self.names[result] = f"t{len(self.made)}"
        self.lines.append(f"{self.names[result]} = net.{method}({', '.join(words)})")
        self.made.append(result)

    def drawn(self) -> Drawn:
        """Return the network: the last tensor is an output, and up to two others are.

        So is what is made of an input that the last tensor does not come from.
        """
        outputs = [self.made[-1]]
        shown = self.sources[outputs[0]]
        for one in self.net.inputs:
            if one not in shown:
                self.add("softmax", [one])
                outputs.append(self.made[-1])
        others = [one for one in self.made if one not in (*self.net.inputs, *outputs)]
        more = min(self.draw(st.sampled_from([0, 0, 0, 1, 2])), len(others))
        outputs += [others.pop(self.number(0, len(others) - 1)) for _ in range(more)]
        names = ", ".join(self.names[one] for one in outputs)
        body = "\n".join(f"    {line}" for line in self.lines)
        made, content = f"net.build({names})", self.net.build(*outputs)
        is_uint8 = self.one_of(False, False, True) and self.may_be_uint8
        if is_uint8 and operator_kinds(content) <= SAME_IN_UINT8:
            made, content = f"as_uint8({made})", as_uint8(content)
        source = f"@network\ndef found() -> bytes:\n{body}\n    return {made}\n"
        band = self.draw(st.sampled_from(BANDS))
        return Drawn(content, source, band, frozenset(self.layers))

    # What layers draw

    def shape(self, tensor: int) -> tuple[int, int, int] | None:
        """Rows, columns and channels; None of a tensor [1, C]."""
        shape = self.net.shapes[tensor]
        return (shape[0], shape[1], shape[2]) if len(shape) == 3 else None

    def number(self, low: int, high: int) -> int:
        """Return one of [low, high], which hypothesis shrinks to `low`."""
        return self.draw(st.integers(low, max(low, high)))

    def one_of(self, *choices: object) -> object:
        """Return a choice, which hypothesis shrinks to the first."""
        return self.draw(st.sampled_from(choices))

    def quant(self) -> Quant:
        """Return a scale and zero point."""
        usual = st.sampled_from([USUAL, FINER, RECTIFIED])
        scales = st.sampled_from([0.004, 0.05, 0.11, 0.3])
        return self.draw(st.one_of(usual, st.tuples(scales, st.integers(-128, 127))))

    def channels(self) -> int:
        """Return a number of channels to make."""
        return self.draw(st.sampled_from([1, 2, 3, 4, 5, 8, 12, 16]))

    def activation(self) -> int:
        """Return a fused activation."""
        return self.draw(st.sampled_from([NONE, RELU, RELU6]))

    def windows(self, source: int) -> tuple[tuple[int, int], tuple[int, int], int] | None:
        """Return size, stride and padding of windows over a tensor."""
        shape = self.shape(source)
        if shape is None:
            return None
        padding = self.draw(st.sampled_from([SAME, VALID]))
        most = [5 if padding == SAME else min(5, extent) for extent in shape]
        size = (self.number(1, most[0]), self.number(1, most[1]))
        strides = [(1, 1), (1, 1), (2, 2), (1, 2), (3, 1)]
        return size, self.draw(st.sampled_from(strides)), padding

    def alike(self, source: int) -> int:
        """Return a tensor of the same shape, perhaps the same."""
        shapes = self.net.shapes
        return self.draw(
            st.sampled_from([one for one in self.made if shapes[one] == shapes[source]])
        )

    def joinable(self, source: int) -> list[int]:
        """Return tensors that a concatenation can put beside one."""
        shape, quants = self.net.shapes[source], self.net.quants
        return [
            one
            for one in self.made
            if self.net.shapes[one][:-1] == shape[:-1] and quants[one] == quants[source]
        ]


def fits(height: int, width: int, channels: int) -> bool:
    """Say whether an activation is small enough."""
    small = max(height, width) <= MAX_EXTENT and channels <= MAX_CHANNELS
    return small and height * width * channels <= MAX_VALUES
