"""Small networks whose values are taken one by one, or two by two: name to .tflite."""

from collections.abc import Callable

from edgesq.formats.tflite.writer import RELU_N1_TO_1
from support.networks import FINER, RECTIFIED, USUAL, Network, Quant
from support.tflite_builder import NONE, RELU, RELU6

VALUE_NETWORKS: dict[str, Callable[[], bytes]] = {}


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    VALUE_NETWORKS[build.__name__] = build
    return build


# ADD, SUB, MUL of two computed operands

_SCALES: dict[str, tuple[Quant, Quant, Quant, int]] = {
    "plain": (FINER, (0.11, 40), (0.13, -20), NONE),
    "relu": (USUAL, FINER, RECTIFIED, RELU),
    "relu6": (USUAL, (0.07, 3), (0.05, -100), RELU6),
    "relu_n1_to_1": (USUAL, FINER, (0.013, 4), RELU_N1_TO_1),
    "powers_of_two": ((0.25, 0), (0.125, 5), (0.5, -1), NONE),
    "fine_output": (USUAL, USUAL, (0.0011, 0), NONE),
}


def _two(kind: str, name: str) -> Callable[[], bytes]:
    one, two, out, activation = _SCALES[name]

    def build() -> bytes:
        net = Network((4, 5, 3))
        first, second = net.conv(net.input, 6, quant=one), net.conv(net.input, 6, (3, 3), quant=two)
        return net.build(net.binary(first, second, kind, out, activation))

    return build


VALUE_NETWORKS |= {
    f"{kind.lower()}_{name}": _two(kind, name) for kind in ("ADD", "SUB", "MUL") for name in _SCALES
}

# One operand is a constant: one value, or one per channel, on either side

_SHAPES = {"scalar": (), "one": (1,), "channels": (5,), "pixel": (1, 1, 1, 5), "row": (1, 5)}


def _constant(kind: str, name: str, *, first: bool) -> Callable[[], bytes]:
    def build() -> bytes:
        net = Network((4, 3, 5))
        constant = net.constant(_SHAPES[name], (0.021, 11))
        one, two = (constant, net.input) if first else (net.input, constant)
        return net.build(net.binary(one, two, kind, (0.06, -7), RELU6 if first else NONE))

    return build


VALUE_NETWORKS |= {
    f"{kind.lower()}_constant_{name}{'_first' if first else ''}": _constant(kind, name, first=first)
    for kind in ("ADD", "SUB", "MUL")
    for name in _SHAPES
    for first in (False, True)
}


@network
def normalized_after_relu() -> bytes:
    """What batch normalization behind a ReLU becomes: MUL and ADD with constants, twice."""
    net = Network((7, 6, 3))
    step = net.input
    for channels in (6, 5):
        step = net.conv(step, channels, (3, 3), activation=RELU, quant=RECTIFIED)
        step = net.binary(step, net.constant((channels,), (0.012, 0)), "MUL", USUAL)
        step = net.binary(step, net.constant((channels,), (0.006, 0)), "ADD", (0.06, -30))
    return net.build(net.mean(step))


# One operand is a computed pixel


@network
def squeeze_and_excite() -> bytes:
    net = Network((6, 5, 3))
    trunk = net.conv(net.input, 8, (3, 3), activation=RELU, quant=RECTIFIED)
    gate = net.conv(net.mean(trunk, RECTIFIED, keep=True), 2, activation=RELU, quant=RECTIFIED)
    gate = net.unary(net.conv(gate, 8), "LOGISTIC", (1 / 256, -128))
    scaled = net.binary(trunk, gate, "MUL", RECTIFIED)
    return net.build(net.conv(scaled, 4, (3, 3), (2, 2)))


@network
def squeeze_and_excite_the_image() -> bytes:
    """The gate comes first among the operands, and the image itself is kept until it is there."""
    net = Network((5, 4, 3))
    gate = net.unary(net.mean(net.input, USUAL), "HARD_SWISH")
    return net.build(net.binary(gate, net.input, "MUL", USUAL))


@network
def sub_pixel_from_rows() -> bytes:
    net = Network((5, 4, 3))
    mean = net.mean(net.input, FINER, keep=True)
    left = net.binary(net.input, mean, "SUB", USUAL)
    right = net.binary(mean, net.input, "SUB", (0.07, 9))
    return net.build(net.binary(left, right, "ADD", USUAL))


@network
def pixels_meet_pixels() -> bytes:
    net = Network((4, 4, 3))
    one, two = net.mean(net.input), net.mean(net.conv(net.input, 3), USUAL)
    return net.build(net.binary(one, two, "MUL", (0.02, -3)))


@network
def mul_by_itself() -> bytes:
    net = Network((3, 4, 3))
    return net.build(net.binary(net.input, net.input, "MUL", (0.1, -128)))


# Values taken one by one

_CURVES: dict[str, tuple[str, Quant, Quant]] = {
    "quantize": ("QUANTIZE", USUAL, (0.021, 14)),
    "quantize_coarser": ("QUANTIZE", FINER, (0.33, -50)),
    "quantize_zero_point": ("QUANTIZE", USUAL, (USUAL[0], 30)),
    "relu": ("RELU", USUAL, RECTIFIED),
    "relu_same_scale": ("RELU", USUAL, USUAL),
    "relu6": ("RELU6", (0.09, 5), (6 / 255, -128)),
    "relu_n1_to_1": ("RELU_N1_TO_1", USUAL, (2.0, 1)),
    "leaky_relu": ("LEAKY_RELU", USUAL, (0.04, -90)),
    "logistic": ("LOGISTIC", USUAL, (1 / 256, -128)),
    "tanh": ("TANH", USUAL, (1 / 128, 0)),
    "hard_swish": ("HARD_SWISH", USUAL, (0.037, -98)),
    "hard_swish_wide": ("HARD_SWISH", (0.9, 3), (0.9, 3)),
    "abs": ("ABS", USUAL, RECTIFIED),
    "exp": ("EXP", FINER, (0.03, -128)),
    "log": ("LOG", RECTIFIED, FINER),
    "sqrt": ("SQRT", RECTIFIED, RECTIFIED),
    "rsqrt": ("RSQRT", RECTIFIED, RECTIFIED),
    "gelu": ("GELU", USUAL, (0.03, -90)),
}


def _curve(name: str) -> Callable[[], bytes]:
    kind, before, after = _CURVES[name]
    fields = {"alpha": 0.2} if kind == "LEAKY_RELU" else {}

    def build() -> bytes:
        net = Network((4, 5, 3), before)
        return net.build(net.unary(net.input, kind, after, **fields))

    return build


VALUE_NETWORKS |= {f"lookup_{name}": _curve(name) for name in _CURVES}


@network
def softplus_of_three_operators() -> bytes:
    net = Network((4, 5, 3), FINER)
    raised = net.binary(net.unary(net.input, "EXP", (0.03, -128)), net.one(), "ADD", (0.03, -128))
    return net.build(net.unary(raised, "LOG", RECTIFIED))


@network
def swish_whose_sigmoid_is_read_too() -> bytes:
    """Of two results one function each; the second one begins with the image as well."""
    net = Network((4, 5, 3))
    gate = net.unary(net.conv(net.input, 3), "LOGISTIC", (1 / 256, -128))
    swish = net.binary(gate, net.unary(gate, "RELU6", RECTIFIED), "MUL", USUAL)
    return net.build(net.binary(net.conv(gate, 3), swish, "ADD", USUAL))


@network
def selu_of_seven_operators() -> bytes:
    net = Network((4, 5, 3), USUAL)
    high = net.binary(net.input, net.one((0.01, 0)), "MUL", USUAL)
    low = net.binary(net.unary(net.input, "EXP", FINER), net.one(), "SUB", FINER)
    low = net.binary(low, net.one((0.014, 0)), "MUL", USUAL)
    return net.build(net.conv(net.select(net.input, low, high, 0), 2))


@network
def floats_between_int8() -> bytes:
    """What TensorFlow Lite has in float32 only."""
    net = Network((4, 5, 3), FINER)
    step = net.conv(net.input, 4)
    for kind in ("SIN", "SQUARE", "NEG", "FLOOR", "COS", "SIGN"):
        real = net.real(net.real(step, "DEQUANTIZE"), kind)
        step = net.unary(net.real(real, "ADD", 0.37), "QUANTIZE", FINER)
        step = net.conv(step, 4)
    powered = net.real(net.real(net.real(step, "DEQUANTIZE"), "ABS"), "POW", 1.7)
    return net.build(net.unary(net.real(powered, "SUB", 2.5, first=True), "QUANTIZE", USUAL))


@network
def extremes_of_two_maps() -> bytes:
    net = Network((4, 5, 6))
    one, two = net.conv(net.input, 6, quant=USUAL), net.conv(net.input, 6, (3, 3), quant=USUAL)
    high = net.by_constant(net.binary(one, two, "MAXIMUM", USUAL), "MINIMUM", (6,), USUAL, USUAL)
    return net.build(net.binary(high, net.mean(one, USUAL, keep=True), "MINIMUM", USUAL))


@network
def extremes_by_a_constant_per_channel() -> bytes:
    net = Network((4, 5, 7), FINER)
    low = net.by_constant(net.input, "MAXIMUM", (7,), FINER, FINER)
    return net.build(net.by_constant(low, "MINIMUM", (7,), FINER, FINER, first=True))


@network
def squared_difference_of_two_scales() -> bytes:
    net = Network((4, 5, 3), FINER)
    one, two = net.conv(net.input, 5, quant=FINER), net.conv(net.input, 5, (3, 3), quant=(0.011, 7))
    step = net.binary(one, two, "SQUARED_DIFFERENCE", (0.02, -128))
    return net.build(net.by_constant(step, "SQUARED_DIFFERENCE", (5,), FINER, (0.09, -128)))


@network
def prelu_of_channels() -> bytes:
    net = Network((4, 5, 3))
    step = net.by_constant(net.conv(net.input, 9), "PRELU", (9,), (0.004, 10), USUAL)
    step = net.by_constant(net.conv(step, 4), "PRELU", (1, 1, 4), (0.9, -3), (0.4, 5))
    return net.build(net.by_constant(step, "PRELU", (), (0.01, 0), USUAL))


@network
def softsign_divides() -> bytes:
    net = Network((4, 5, 3), USUAL)
    sum_ = net.binary(net.unary(net.input, "ABS", RECTIFIED), net.one(), "ADD", (0.05, -128))
    quotient = net.binary(net.input, sum_, "DIV", (1 / 128, 0))
    return net.build(net.binary(net.conv(quotient, 3), net.conv(net.input, 3), "ADD", USUAL))


@network
def lookups_in_place() -> bytes:
    """Each overwrites what only it reads; the one that two read is left alone."""
    net = Network((6, 5, 3))
    step = net.unary(net.conv(net.input, 4, (3, 3)), "HARD_SWISH", USUAL)
    both = [net.unary(step, "RELU", RECTIFIED), net.unary(step, "LEAKY_RELU", USUAL, alpha=0.1)]
    step = net.unary(net.binary(both[0], net.conv(both[1], 4), "ADD"), "TANH", (1 / 128, 0))
    return net.build(net.conv(net.unary(step, "QUANTIZE", USUAL), 3, (3, 3), (2, 2)))


@network
def bounds_of_any_kind() -> bytes:
    """Clip to any two bounds, as the converter writes it; each bound may come first."""
    net = Network((5, 4, 3))
    low = net.bound(net.bound(net.input, "MINIMUM", 60), "MAXIMUM", -77)
    high = net.bound(net.bound(net.conv(net.input, 3), "MAXIMUM", -128), "MINIMUM", 17)
    return net.build(net.unary(net.binary(low, high, "ADD"), "RELU_0_TO_1", (1 / 255, -128)))


@network
def global_maximum() -> bytes:
    net = Network((7, 5, 3))
    gate = net.conv(net.global_max(net.conv(net.input, 4, (3, 3)), keep=True), 4)
    return net.build(net.dense(net.global_max(net.binary(net.conv(net.input, 4), gate, "MUL")), 3))


@network
def rows_of_three_axes() -> bytes:
    """Tensors [1, W, C], as Conv1D and its like leave them, also where the image comes in."""
    net = Network((12, 3))
    step = net.dense(net.unary(net.input, "RELU", RECTIFIED), 5, keep=True)
    step = net.conv(net.reshape(step, (1, 12, 5)), 4, (1, 3))
    row = net.reshape(step, (12, 4))
    step = net.concat([row, net.part(row, (0, 1), (12, 3))])
    return net.build(net.binary(net.mean(step, USUAL), net.global_max(step), "ADD", FINER))


@network
def lookup_of_a_running_maximum() -> bytes:
    net = Network((9, 8, 3))
    pooled = net.max_pool(net.conv(net.input, 4), (3, 3), (2, 2))
    return net.build(net.conv(net.unary(pooled, "RELU", RECTIFIED), 2, (3, 3)))


@network
def concat_of_other_scales() -> bytes:
    """A QUANTIZE each brings inputs to the scale of the concatenation, as the converter does."""
    net = Network((5, 4, 3))
    one = net.unary(net.conv(net.input, 3, quant=FINER), "QUANTIZE", USUAL)
    two = net.unary(net.conv(net.input, 2, (3, 3), quant=(0.2, 5)), "QUANTIZE", USUAL)
    return net.build(net.conv(net.concat([one, net.conv(net.input, 4), two]), 3, (3, 3)))


@network
def concat_of_a_quantized_image() -> bytes:
    net = Network((5, 4, 3), FINER)
    return net.build(net.concat([net.unary(net.input, "QUANTIZE", USUAL), net.conv(net.input, 2)]))


@network
def lookup_before_softmax() -> bytes:
    net = Network((4, 4, 3))
    logits = net.unary(net.mean(net.conv(net.input, 5)), "RELU", USUAL)
    return net.build(net.softmax(logits))


@network
def lookup_of_a_reshape() -> bytes:
    net = Network((4, 4, 3))
    flat = net.reshape(net.conv(net.input, 3), (48,))
    return net.build(net.unary(flat, "LEAKY_RELU", USUAL, alpha=0.3))


@network
def reshape_of_a_softmax() -> bytes:
    """As Keras' MobileNet ends; the logits are observed all the same."""
    net = Network((4, 4, 3))
    probabilities = net.softmax(net.mean(net.conv(net.input, 5, (3, 3))))
    return net.build(net.reshape(net.reshape(probabilities, (1, 1, 5)), (5,)))


@network
def reshape_of_a_map_of_softmax() -> bytes:
    net = Network((4, 3, 3))
    return net.build(net.reshape(net.softmax(net.conv(net.input, 4, (3, 3))), (2, 6, 4)))
