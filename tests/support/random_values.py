"""Layers of random networks that take values one by one, or two by two."""

from collections.abc import Callable

from hypothesis import strategies as st

from edgesq.formats.tflite.writer import RELU_N1_TO_1
from support.random_sketch import Sketch
from support.tflite_builder import NONE, RELU, RELU6

Layer = Callable[[Sketch, int], None]


def _activation(sketch: Sketch) -> int:
    return sketch.draw(st.sampled_from([NONE, RELU, RELU6, RELU_N1_TO_1]))


def _binary(kind: str) -> Layer:
    def add(sketch: Sketch, source: int) -> None:
        operands = sketch.draw(st.permutations([source, sketch.alike(source)]))
        sketch.add("binary", operands, kind, sketch.quant(), _activation(sketch))

    return add


def _alike(kind: str) -> Layer:
    """MAXIMUM and MINIMUM take and give one scale."""

    def add(sketch: Sketch, source: int) -> None:
        quant = sketch.net.quants[source]
        if sketch.one_of(True, False):
            shape = (sketch.net.shapes[source][-1],)
            sketch.add("by_constant", [source], kind, shape, quant, quant=quant)
            return
        other = sketch.alike(source)
        if sketch.net.quants[other] != quant:
            sketch.add("unary", [other], "QUANTIZE", quant)
            other = sketch.made[-1]
        sketch.add("binary", [source, other], kind, quant)

    return add


def _prelu(sketch: Sketch, source: int) -> None:
    shape = (sketch.net.shapes[source][-1],)
    sketch.add("by_constant", [source], "PRELU", shape, sketch.quant(), quant=sketch.quant())


def _squared(sketch: Sketch, source: int) -> None:
    other = sketch.alike(source)
    widest = max(sketch.net.quants[one][0] for one in (source, other))
    quant = (widest * widest * 40, sketch.number(-128, 127))
    sketch.add("binary", [source, other], "SQUARED_DIFFERENCE", quant)


def _by_constant(kind: str) -> Layer:
    def add(sketch: Sketch, source: int) -> None:
        channels = sketch.net.shapes[source][-1]
        of_maps = [(1, 1, 1, channels)] if sketch.shape(source) else []
        shape = sketch.one_of((channels,), (), (1,), *of_maps)
        options = {"quant": sketch.quant(), "activation": _activation(sketch)}
        first = sketch.one_of(False, True)
        sketch.add("by_constant", [source], kind, shape, sketch.quant(), first=first, **options)

    return add


def _by_pixel(kind: str) -> Layer:
    def add(sketch: Sketch, source: int) -> None:
        shapes, channels = sketch.net.shapes, sketch.net.shapes[source][-1]
        pixels = [one for one in sketch.made if shapes[one] in ((channels,), (1, 1, channels))]
        if not pixels and sketch.shape(source):
            sketch.add("mean", [source], sketch.quant(), keep=sketch.one_of(True, False))
            pixels = sketch.made[-1:]
        if pixels:
            pixel = sketch.draw(st.sampled_from(pixels))
            operands = sketch.draw(st.permutations([source, pixel]))
            sketch.add("binary", operands, kind, sketch.quant(), _activation(sketch))

    return add


def _by_part(kind: str) -> Layer:
    """Meet a row, a column, a channel or a pixel of a map, or constants of such a shape."""

    def add(sketch: Sketch, source: int) -> None:
        shape = sketch.shape(source)
        size = tuple(sketch.number(0, 1) * (n - 1) + 1 for n in shape or ())
        if not shape:
            return
        if sketch.one_of(False, True):
            options = {"quant": sketch.quant(), "activation": _activation(sketch)}
            first = sketch.one_of(False, True)
            sketch.add("by_constant", [source], kind, size, sketch.quant(), first=first, **options)
            return
        sketch.add("part", [source], (0, 0, 0), size)
        if sketch.one_of(False, True):
            other = tuple(sketch.number(0, 1) * (n - 1) + 1 for n in shape)
            sketch.add("part", [source], (0, 0, 0), other)
            source = sketch.made[-2]
        operands = sketch.draw(st.permutations([source, sketch.made[-1]]))
        sketch.add("binary", operands, kind, sketch.quant(), _activation(sketch))

    return add


def _curve(kind: str) -> Layer:
    def add(sketch: Sketch, source: int) -> None:
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
        quant = fixed[kind] if kind in fixed else sketch.quant()
        if kind == "HARD_SWISH" and sketch.net.quants[source][0] / quant[0] > 64:
            return  # TensorFlow Lite takes no output scale so fine
        sketch.add("unary", [source], kind, quant)

    return add


def _leaky(sketch: Sketch, source: int) -> None:
    alpha = sketch.draw(st.sampled_from([0.1, 0.0, 0.3, 1.5]))
    sketch.add("unary", [source], "LEAKY_RELU", sketch.quant(), alpha=alpha)


def _softplus(sketch: Sketch, source: int) -> None:
    """Three operators that are one function."""
    sketch.add("unary", [source], "EXP", sketch.quant())
    sketch.add("by_constant", sketch.made[-1:], "ADD", (), sketch.quant(), quant=sketch.quant())
    sketch.add("unary", sketch.made[-1:], "LOG", sketch.quant())


def _swish(sketch: Sketch, source: int) -> None:
    sketch.add("unary", [source], "LOGISTIC", (1 / 256, -128))
    sketch.add("binary", [source, sketch.made[-1]], "MUL", sketch.quant())


def _by_floats(sketch: Sketch, source: int) -> None:
    kind = sketch.one_of("ABS", "COS", "FLOOR", "NEG", "SIGN", "SIN", "SQUARE", "ADD", "MUL")
    number = 0.7 if kind in ("ADD", "MUL") else None
    sketch.add("by_floats", [source], kind, sketch.quant(), number)


def _bound(kind: str) -> Layer:
    def add(sketch: Sketch, source: int) -> None:
        sketch.add("bound", [source], kind, sketch.number(-128, 127))

    return add


_KINDS = ("ADD", "SUB", "MUL")
_CURVES = (
    "ABS",
    "EXP",
    "GELU",
    "HARD_SWISH",
    "LOGISTIC",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_0_TO_1",
    "RELU_N1_TO_1",
    "TANH",
)

VALUE_LAYERS: dict[str, Layer] = {
    **{kind: _binary(kind) for kind in _KINDS},
    **{f"{kind} by a constant": _by_constant(kind) for kind in _KINDS},
    **{f"{kind} by a pixel": _by_pixel(kind) for kind in _KINDS},
    **{f"{kind} by a part": _by_part(kind) for kind in _KINDS},
    **{kind: _curve(kind) for kind in _CURVES},
    **{kind: _bound(kind) for kind in ("MAXIMUM", "MINIMUM")},
    "LEAKY_RELU": _leaky,
    "MAXIMUM of two": _alike("MAXIMUM"),
    "MINIMUM of two": _alike("MINIMUM"),
    "PRELU": _prelu,
    "SQUARED_DIFFERENCE": _squared,
    "by floats": _by_floats,
    "softplus": _softplus,
    "swish": _swish,
}
