"""The whole ladder on networks of int16 activations with int8 weights."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import operator_kinds, read_graph
from edgesq.formats.tflite.int16 import READ
from edgesq.operators import OPERATORS, Int16
from support import random_graphs
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.graph_ladder import problems
from support.int16_files import as_int16
from support.networks import Network, images
from support.random_graphs import LAYERS, draw_graphs
from support.random_sketch import Drawn, Sketch
from support.tflite_builder import RELU, RELU6, SAME, VALID, TfliteBuilder

KNOWN = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "dilated",
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "FULLY_CONNECTED",
    "MEAN",
    "SOFTMAX",
    "ADD",
    "SUB",
    "LOGISTIC",
    "TANH",
    "RELU",
    "RELU6",
    "QUANTIZE",
    "CONCATENATION",
    "CONCATENATION of rows or columns",
    "RESHAPE",
    "PAD",
    "PAD before windows",
    "SLICE",
    "STRIDED_SLICE",
    "SPLIT",
)
"""Layers of random networks that are known in int16."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let random networks have layers that are known in int16 alone, and be int8."""
    for name in set(LAYERS) - set(KNOWN):
        monkeypatch.delitem(LAYERS, name)
    monkeypatch.setattr(random_graphs, "MAX_LAYERS", 5)
    monkeypatch.setattr(Sketch, "may_be_uint8", False)


def drawn(count: int, number: int) -> list[Drawn]:
    """Return random networks in int16; what has one that is refused is left out."""
    found = []
    for one in draw_graphs(count, number):
        content = as_int16(one.content)
        with contextlib.suppress(_RefusedError):
            _read(content)
            found.append(Drawn(content, f"as_int16:\n{one.source}", one.band))
    assert len(found) > count / 3
    return found


class _RefusedError(Exception):
    """A network that is not known in int16, as it should be."""


def _read(content: bytes) -> None:
    try:
        read_graph(content)
    except ModelError as error:
        if re.search("needs two maps|too fine|PADV2 of int16", str(error)):
            raise _RefusedError from error
        raise


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_ladder_holds(number: int, runtime: Runtime, tmp_path: Path) -> None:
    networks = drawn(60, number)
    found = problems(runtime, tmp_path, networks)
    wrong = [(one.source, said) for one, said in zip(networks, found, strict=True) if said]
    assert not wrong, "\n".join(map(str, wrong[0]))


def test_a_product_is_rounded_as_a_float64_and_then_to_an_integer() -> None:
    """The sum in integers of a board; of 53 bits, halves of the last one go to the even number."""
    random = np.random.default_rng(4)
    for _ in range(20_000):
        total, level = int(random.integers(1 << 30, 1 << 37)), int(random.integers(1, 1 << 15))
        exponent = 53 + (total // (2 * level)).bit_length()
        mantissa = ((2 * level + 1) << (exponent - 1)) // total  # the product is just below a half
        if not 1 << 52 <= mantissa < 1 << 53:
            continue
        for by in (mantissa, mantissa + 1, mantissa - 1):
            real = np.float64(total) * np.ldexp(np.float64(by), -exponent)
            below = np.floor(real)
            assert _level(total, by, exponent) == int(below) + (real - below >= 0.5)


def _level(total: int, mantissa: int, exponent: int) -> int:
    """Return what product_level() of esq_conv2d_s16.c does."""
    product = total * mantissa
    above = max(product.bit_length() - 53, 0)
    half = 1 << (above - 1) if above else 0
    return (product + half + (1 << (exponent - 1))) >> exponent


@pytest.mark.emulated
@pytest.mark.slow
@pytest.mark.parametrize("board", ["mps2-an500", "mps3-an547", "microbit", "riscv32-virt"])
def test_boards_compute_the_same(board: str, tmp_path: Path) -> None:
    graphs = {name: read_graph(content) for name, content in _networks().items()}
    cases = [
        Case(name, graph, images(graph.image_shape, 1, dtype=np.int16), 2)
        for name, graph in graphs.items()
    ]
    assert differing(tmp_path, board, cases) == []


def _networks() -> dict[str, bytes]:
    """Return networks that together have every operator."""
    net = Network((9, 7, 3))
    step = net.conv(net.input, 8, (3, 3), (2, 1), SAME, RELU)
    other = net.conv(net.depthwise(step, (3, 2), activation=RELU6, each=2), 8)
    step = net.binary(step, other, "ADD")
    pools = [net.max_pool(step, (2, 2), (1, 2)), net.average_pool(step, (2, 2), (1, 2))]
    joined = net.unary(net.concat(pools), "TANH", (1 / 128, 0))
    words = net.softmax(net.dense(net.mean(joined), 6))
    another = Network((6, 8, 2))
    dilated = another.conv(another.input, 5, (3, 3), dilation=(2, 3))
    dilated = another.depthwise(dilated, (2, 3), dilation=(1, 2), padding=VALID)
    scaled = another.unary(another.unary(dilated, "RELU"), "RELU6")
    squashed = another.unary(another.unary(scaled, "QUANTIZE"), "LOGISTIC", (1 / 256, -128))
    less = another.binary(squashed, another.unary(scaled, "TANH", (1 / 128, 0)), "SUB")
    flat = another.dense(less, 7)
    return {
        "words": as_int16(net.build(words)),
        "dilated": as_int16(another.build(flat, less)),
    }


def test_every_operator_is_on_the_boards() -> None:
    graphs = [read_graph(content) for content in _networks().values()]
    kinds = {op.kind for graph in graphs for op in graph.ops if isinstance(op, Int16)}
    assert kinds == {cls.kind for cls in _classes()}


def _classes() -> list[type[Int16]]:
    return [cls for cls in OPERATORS if issubclass(cls, Int16)]


@pytest.mark.parametrize("ends", [(np.int8, np.int16), (np.int16, np.int8)])
def test_int8_and_int16_in_one_model_are_refused(ends: tuple[type, type]) -> None:
    builder = TfliteBuilder()
    one, two = (builder.value((1, 4), 0.01, dtype=dtype) for dtype in ends)
    content = builder.build(one, builder.op("QUANTIZE", [one], two, None))
    with pytest.raises(ModelError, match="activations of int8 and of int16 in one model"):
        read_graph(content)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_weights_of_int16_are_refused(dtype: type) -> None:
    builder = TfliteBuilder()
    one, two = (builder.value((1, size), 0.01, dtype=dtype) for size in (4, 3))
    weights = builder.constant(np.ones((3, 4), np.int16), [0.01])
    made = builder.op("FULLY_CONNECTED", [one, weights], two, "FullyConnectedOptions")
    with pytest.raises(ModelError, match="is not int8"):
        read_graph(builder.build(one, made))


@pytest.mark.usefixtures("known")
def test_what_is_read_in_int16_is_drawn() -> None:
    contents = [*_networks().values(), *(one.content for one in draw_graphs(60, 0))]
    kinds = set().union(*map(operator_kinds, contents))
    assert set(READ) - kinds <= {"EXPAND_DIMS", "SQUEEZE"}
