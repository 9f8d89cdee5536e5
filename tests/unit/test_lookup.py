"""Tables of 256 answers equal TensorFlow Lite's reference kernels, for many scales."""

from collections.abc import Iterator

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.kernels.affine import BITS, DROPPED_BITS, affine
from edgesq.lookup import lookup_table
from edgesq.reference import run
from support.tflite_builder import TfliteBuilder

EVERY = np.arange(-128, 128).astype(np.int8)
SCALES = 120
Quant = tuple[float, int]

FIXED: dict[str, Quant] = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
KINDS = (
    "HARD_SWISH",
    "LEAKY_RELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_0_TO_1",
    "RELU_N1_TO_1",
    *FIXED,
    "ABS",
    "EXP",
    "GELU",
    "LOG",
    "RSQRT",
    "SQRT",
)
ROOTS = ("RSQRT", "SQRT")


def quants(kind: str, seed: int) -> Iterator[tuple[Quant, Quant]]:
    """Scales of input and output: any, and powers of two, whose products are often ties."""
    random = np.random.default_rng(seed)
    for number in range(SCALES):
        points = random.integers(-128, 128, 2).tolist()
        if kind in ROOTS:
            points[0] = -128  # TensorFlow Lite stops at what is negative
        if number % 3 == 0:
            scale, out = (float(2.0 ** random.integers(-8, 3)) for _ in range(2))
        else:
            scale = float(10 ** random.uniform(-4, 1))
            out = float(scale * 10 ** random.uniform(-1, 1))
        yield (scale, points[0]), FIXED.get(kind, (out, points[1]))


def model(kind: str, source: Quant, result: Quant, alpha: float) -> bytes:
    builder = TfliteBuilder()
    one, two = builder.value((1, 256), *source), builder.value((1, 256), *result)
    if kind == "LEAKY_RELU":
        builder.op(kind, [one], two, "LeakyReluOptions", alpha=alpha)
    elif kind == "GELU":
        builder.op(kind, [one], two, "GeluOptions", approximate=alpha > 0.2)
    else:
        builder.op(kind, [one], two, None)
    return builder.build(one, two)


def golden(content: bytes) -> Int8Array:
    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], EVERY[np.newaxis])
    interpreter.invoke()
    values: Int8Array = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_all_inputs(kind: str) -> None:
    wrong, compared = [], 0
    for number, (source, result) in enumerate(quants(kind, KINDS.index(kind))):
        content = model(kind, source, result, (0.0, 0.1, 0.3, 1.7)[number % 4])
        if kind == "HARD_SWISH" and not 2**-8 < source[0] / result[0] < 100:
            continue  # refused: see below
        graph = read_graph(content)
        if not np.array_equal(lookup_table(graph, graph.ops[0]), golden(content)):
            wrong.append((source, result))
        compared += 1
    assert wrong == []
    assert compared > 0.8 * SCALES


@pytest.mark.parametrize(
    ("kind", "source", "result", "alpha", "says"),
    [
        ("HARD_SWISH", (1.0, 0), (0.001, 0), 0, "too fine or too coarse for HARD_SWISH"),
        ("HARD_SWISH", (0.001, 0), (9.0, 0), 0, "too fine or too coarse for HARD_SWISH"),
        ("LEAKY_RELU", (0.1, 0), (0.1, 0), -0.5, "alpha -0.5 is not a usable slope"),
        ("LEAKY_RELU", (0.1, 0), (0.1, 0), float("nan"), "is not a usable slope"),
        ("QUANTIZE", (1.0, 0), (1e-9, 0), 0, "too fine for QUANTIZE"),
        ("LOGISTIC", (1.0, 0), (0.01, 0), 0, "LOGISTIC must have output scale 1/256"),
        ("TANH", (1.0, 0), (1 / 128, 5), 0, "TANH must have output scale 1/128, zero point 0"),
    ],
)
def test_what_is_refused(kind: str, source: Quant, result: Quant, alpha: float, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_graph(model(kind, source, result, alpha))


# ADD, SUB and MUL with a constant per channel, as a slope and an offset


def by_constant(kind: str, seed: int, activation: int = 0) -> bytes:
    random, builder = np.random.default_rng(seed), TfliteBuilder()
    channels = int(random.integers(2, 40))
    scale, constant = (float(10 ** random.uniform(-3, -0.5)) for _ in range(2))
    span = scale * constant * 12_000 if kind == "MUL" else 128 * (scale + constant)
    points = random.choice([-128, 0, 7, -90], 3).tolist()
    source = builder.value((1, 1, 256, channels), scale, points[0])
    values = random.integers(-128, 128, channels).astype(np.int8)
    other = builder.constant(values, [constant], zero_point=points[1])
    out = float(span / 128 * 10 ** random.uniform(-0.7, 0.5))
    result = builder.value((1, 1, 256, channels), out, points[2])
    operands = [other, source] if seed % 2 else [source, other]
    options = f"{kind.capitalize()}Options"
    builder.op(kind, operands, result, options, fusedActivationFunction=activation)
    return builder.build(source, result)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_slopes_and_offsets_are_exact(kind: str) -> None:
    """Those of ADD and SUB always are; those of MUL often, and else there are none."""
    found = 0
    for seed in range(60):
        graph = read_graph(by_constant(kind, seed, (0, 1, 3)[seed % 3]))
        (op,) = graph.ops
        lines = affine(graph, op)
        if lines is None:
            assert kind == "MUL"
            continue
        found += 1
        channels = lines.slope.size
        image = np.repeat(EVERY[np.newaxis, :, np.newaxis], channels, axis=2)
        levels = (image.astype(np.int64) * lines.slope + lines.offset) >> BITS
        low, high = getattr(op, "clamp", (-128, 127))
        assert np.array_equal(np.clip(levels, low, high), run(graph, image)[graph.output])
        assert not np.any(lines.offset % (1 << DROPPED_BITS))
        assert np.all(np.abs(lines.slope) * 128 + np.abs(lines.offset) < 1 << 31)
    assert found == 60 if kind != "MUL" else 10 < found < 60
