"""Plant faults in a board's firmware, and see what it says of its layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array
from edgesq.builds import read_operators, read_report
from edgesq.codegen import generate
from edgesq.flash import flash, stop
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.dsp import pack as pack_dsp
from edgesq.kernels.dsp.squares import in_squares
from edgesq.kernels.dsp.winograd import transform_weights
from edgesq.kernels.kernel import Form
from edgesq.kernels.mve import pack as pack_mve
from edgesq.link.client import Client
from edgesq.link.trace import Tracer
from edgesq.link.transport import open_port
from edgesq.operators import Conv2D
from edgesq.plan import Plan, plan_for
from edgesq.project import compile_firmware, firmware_path, lay_out
from edgesq.reference import run
from edgesq.targets import load_target
from edgesq.verify.layers import Layers, trace_images
from support.builds import light_build
from support.networks import RECTIFIED, Network
from support.tflite_builder import RELU

SHAPE = (14, 13, 4)
SQUEEZE, EXPAND_1, EXPAND_3, LAST = 2, 3, 4, 6
"""Operators of `fire_network` in the runtime's table."""


def fire_network(width: int = 1) -> bytes:
    """Return a Fire module with bypass between a first and a last convolution."""
    net = Network(SHAPE, (1 / 255, -128), 3)

    def conv(source: int, channels: int, size: int) -> int:
        kernel = (size, size)
        return net.conv(source, channels, kernel, activation=RELU, quant=RECTIFIED)

    pool = net.max_pool(conv(net.input, 16 * width, 3), (3, 3), (2, 2))
    squeezed = conv(pool, 8 * width, 1)
    fire = net.concat([conv(squeezed, 8 * width, 1), conv(squeezed, 8 * width, 3)])
    last = conv(net.add(pool, fire, RECTIFIED, RELU), 12, 1)
    return net.build(net.softmax(net.mean(last)))


def images(count: int = 4) -> NDArray[np.int8]:
    noise = np.random.default_rng(5).integers(-128, 128, (count, *SHAPE))
    return noise.astype(np.int8)


def make(
    folder: Path,
    board: str,
    content: bytes,
    *,
    plan: Callable[[Graph, Plan], Plan] = lambda _, plan: plan,
    sources: Callable[[Path], None] = lambda _: None,
) -> Path:
    """Compile a build whose plan or sources are changed first."""
    target = load_target(board)
    light_build(folder, board, content, images())
    graph = read_graph(content)
    changed = plan(graph, plan_for(graph, target).plan)
    lay_out(folder / "firmware", target, generate(graph, changed, target.kernels))
    sources(folder / "firmware")
    compile_firmware(folder / "firmware", target)
    return folder


def look(build: Path, count: int = 4) -> Layers:
    """Run the board and return what its layers are like."""
    report = read_report(build)
    graph = read_graph((build / "model_int8.tflite").read_bytes())
    board = flash(build, load_target(report.firmware.target))
    try:
        with open_port(board.port) as transport:
            tracer = Tracer(Client(transport))
            operators = read_operators(report, graph)
            return trace_images(tracer, graph, operators, list(images(count)))[0]
    finally:
        stop(build)


def conv_of(build: Path, index: int) -> Conv2D:
    """Return the convolution of an operator of the runtime's table."""
    graph = read_graph((build / "model_int8.tflite").read_bytes())
    op = read_operators(read_report(build), graph)[index].graph_ops(graph)[0]
    assert isinstance(op, Conv2D)
    return op


def packed_weights(build: Path, op: Conv2D) -> NDArray[np.uint8]:
    """Return the weights of a convolution as they lie in flash."""
    graph = read_graph((build / "model_int8.tflite").read_bytes())
    weights = graph.tensors[op.weights].data
    assert weights is not None
    packed: NDArray[np.generic]
    match load_target(read_report(build).firmware.target).kernels:
        case "dsp":
            packed = pack_dsp.pack_conv2d(graph, op).weights
            form = next(
                operator.form
                for operator in read_operators(read_report(build), graph)
                if graph.ops.index(op) in operator.ops
            )
            if form == Form.WINOGRAD:
                packed = transform_weights(weights.astype(np.int8))
            elif form == Form.SQUARES:
                packed = np.ascontiguousarray(in_squares(weights.astype(np.int8)))
        case "mve":
            packed = pack_mve.pack_conv2d(graph, op).weights
        case _:
            packed = weights
    return np.frombuffer(packed.tobytes(), np.uint8)


def unpacked(build: Path, op: Conv2D, packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the weights [O, H, W, C] that packed ones stand for; see `packed_weights`."""
    graph = read_graph((build / "model_int8.tflite").read_bytes())
    weights = graph.tensors[op.weights].data
    assert weights is not None
    shape = weights.shape
    count, depth = shape[0], weights[0].size
    match load_target(read_report(build).firmware.target).kernels:
        case "dsp":
            made = pack_dsp.pack_conv2d(graph, op)
            words = packed.view(np.uint32).reshape(made.weights.shape)
            rows = pack_dsp.unpack_weights(words, count, depth, made.pair_channels, made.slide)
            if made.slide == 1:
                return rows.reshape(shape)
            return rows.reshape(count, shape[1], shape[3], shape[2]).transpose(0, 1, 3, 2)
        case "mve":
            values = packed.view(np.int8).reshape(pack_mve.pack_conv2d(graph, op).weights.shape)
            order = pack_mve.order_of(graph, op)
            rows = pack_mve.unpack_weights(values, count, depth, order)
            return pack_mve.ohwi(rows, shape, order)
    return packed.view(np.int8).astype(np.int64).reshape(shape)


def differing(graph: Graph, op: Conv2D, weights: NDArray[np.int64], output: int) -> int:
    """Return how many values of a tensor differ over `images` where a convolution's weights do."""
    constants = replace(graph.tensors[op.weights], data=weights.astype(np.int8))
    tensors = list(graph.tensors)
    tensors[op.weights] = constants
    other = replace(graph, tensors=tuple(tensors))
    runs = [(run(graph, image), run(other, image)) for image in images()]
    return sum(int((one[output] != two[output]).sum()) for one, two in runs)


def _unrounded_dsp(right: Int64Array, zero_point: int) -> Int64Array:
    return zero_point << right


def _unrounded_mve(right: Int64Array, zero_point: int) -> tuple[Int64Array, Int64Array]:
    return zero_point << right, 24 - right


UNROUNDED = {"constants": _unrounded_dsp, "short_columns": _unrounded_mve}
"""The constants of short requantizations without the half that makes them round."""


def flip(build: Path, constants: bytes, byte: int, bit: int) -> None:
    """Flip a bit of constants in the compiled program."""
    path = firmware_path(build / "firmware", load_target(read_report(build).firmware.target))
    program = bytearray(path.read_bytes())
    assert program.count(constants) == 1
    program[program.find(constants) + byte] ^= 1 << bit
    path.write_bytes(program)


def over(moved: str, onto: str) -> Callable[[Graph, Plan], Plan]:
    """Return a change of a plan that puts one ring where another is."""

    def change(_: Graph, plan: Plan) -> Plan:
        names = {item.name: storage for storage, item in plan.rings.items()}
        rings = dict(plan.rings)
        place = rings[names[onto]].offset
        rings[names[moved]] = replace(rings[names[moved]], offset=place)
        return replace(plan, rings=rings)

    return change
