"""Layer by layer: nothing to find on good boards, and planted faults named rightly."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.builds import read_operators, read_report
from edgesq.builds.operators import check_operators
from edgesq.errors import EdgesqError
from edgesq.flash import flash
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.dsp import pack as pack_dsp
from edgesq.kernels.dsp import squares, winograd
from edgesq.kernels.mve import pack as pack_mve
from edgesq.kernels.scalar import pack as pack_scalar
from edgesq.operators import Convolution
from edgesq.plan import packing, variants
from edgesq.project import firmware_path
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, look_inside
from edgesq.verify.diagnose import Cause
from edgesq.verify.layers import LayerDifference
from support import faults
from support.builds import edgesq, light_build, stop_and_check
from support.faults import EXPAND_3, LAST, SQUEEZE, fire_network, flip, look, make, over
from support.ladder import LadderModels
from support.networks import RECTIFIED, Network
from support.tflite_builder import RELU, SAME

BOARDS = ("host", "mps2-an500", "mps3-an547")

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module", params=BOARDS)
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the Fire network without a fault, for each board."""
    return make(tmp_path_factory.mktemp("good"), request.param, fire_network())


@pytest.fixture
def program(good: Path) -> Iterator[Path]:
    """The program of that build, as it was again afterwards."""
    path = firmware_path(good / "firmware", load_target(read_report(good).firmware.target))
    content = path.read_bytes()
    yield path
    path.write_bytes(content)


def difference(build: Path, count: int = 4) -> LayerDifference:
    layers = look(build, count)
    assert layers.difference is not None
    assert layers.difference.operator == layers.equal
    return layers.difference


# --- boards without a fault ---


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ["demo", "squeezenet_v1.1_bypass_trained_10c_64"])
def test_every_operator_is_equal(
    name: str,
    board: str,
    tmp_path: Path,
    ladder_models: LadderModels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ladder_models[name]
    monkeypatch.setattr(faults, "images", lambda count=2: model.inputs[:count])
    layers = look(make(tmp_path, board, model.tflite), 2)
    assert layers.difference is None
    assert (layers.images, layers.equal) == (2, layers.operators)
    assert layers.operators >= 24


def odd_network() -> bytes:
    """Pools of all sorts, a copy into a concatenation, a reshape, sums over an input."""
    net = Network(faults.SHAPE, (1 / 255, -128), 5)
    wide = net.conv(net.input, 16, (3, 3))
    gaps = net.max_pool(net.conv(net.input, 16), (2, 2), (3, 3), SAME)
    deep = net.max_pool(wide, (5, 3), (2, 1), SAME)
    twice = net.max_pool(deep, (3, 3), (1, 1), SAME, RELU)
    again = net.concat([twice, net.concat([twice, deep])])
    height, width, _ = net.shapes[again]
    tall = net.reshape(net.conv(again, 16), (height * width, 1, 16))
    summed = net.add(net.conv(tall, 8), net.conv(tall, 8, (3, 1)))
    small = net.average_pool(net.conv(gaps, 8, (2, 2)), (2, 2), (1, 1))
    both = net.add(net.conv(net.mean(summed, keep=True), 8), net.mean(small, keep=True))
    return net.build(net.softmax(both))


@pytest.mark.parametrize("board", BOARDS)
def test_every_kind_of_operator_is_equal(board: str, tmp_path: Path) -> None:
    build = make(tmp_path, board, odd_network())
    graph = read_graph(odd_network())
    table = read_operators(read_report(build), graph)
    assert {operator.access for operator in table} >= {"WINDOW", "ROW", "MAXIMUM", "RESHAPE"}
    assert any(operator.kind == "COPY" for operator in table)
    layers = look(build)
    assert layers.difference is None
    assert (layers.images, layers.operators) == (4, len(table))


# --- a flipped bit in flash ---


def flips_that_show(
    good: Path, index: int, count: int, least: int = 8
) -> list[tuple[int, int, str, int]]:
    """Return flips in packed weights: byte, bit, the weight that changes, its bit.

    With that weight the reference gives at least `least` other values.
    """
    graph = read_graph((good / "model_int8.tflite").read_bytes())
    output = read_operators(read_report(good), graph)[index].output
    op = faults.conv_of(good, index)
    weights = graph.tensors[op.weights].data
    assert weights is not None
    packed = faults.packed_weights(good, op)
    found = []
    chance = np.random.default_rng(index)
    for place in chance.permutation(8 * len(packed)).tolist():
        byte, bit = divmod(place, 8)
        changed = packed.copy()
        changed[byte] ^= 1 << bit
        other = faults.unpacked(good, op, changed)
        places = np.argwhere(other != weights)
        if len(places) == 1 and faults.differing(graph, op, other, output) >= least:
            found.append((byte, bit, str(places[0].tolist()), bit))
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("index", [0, SQUEEZE, EXPAND_3])
def test_a_flipped_weight_bit_is_named(good: Path, program: Path, index: int) -> None:
    packed = faults.packed_weights(good, faults.conv_of(good, index)).tobytes()
    content = program.read_bytes()
    for byte, bit, weight, weight_bit in flips_that_show(good, index, 3, least=30):
        flip(good, packed, byte, bit)
        found = difference(good)
        program.write_bytes(content)
        assert (found.operator, found.cause) == (index, Cause.WEIGHTS), found
        assert found.detail == (
            f"one flipped bit explains every value: bit {weight_bit} of weight {weight}"
        ), found
        assert found.differing > 0


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_flipped_bit_of_other_layers(index: int, tmp_path: Path) -> None:
    """A depthwise convolution, then a fully connected layer, then a grouped convolution."""
    net = Network(faults.SHAPE, (1 / 255, -128), 3)
    step = net.dense(net.depthwise(net.input, stride=(2, 2), each=2), 8, keep=True)
    content = net.build(net.conv(step, 6, (3, 3), groups=2))
    build = make(tmp_path, "host", content)
    assert look(build).difference is None
    graph = read_graph(content)
    op = graph.ops[index]
    assert isinstance(op, Convolution)
    weights = graph.tensors[op.weights].data
    assert weights is not None
    place = ((0, 2, 1, 5), (3, 0, 0, 4), (4, 1, 2, 3))[index]
    flip(build, weights.tobytes(), int(np.ravel_multi_index(place, weights.shape)), 6)
    found = difference(build)
    assert (found.operator, found.cause) == (index, Cause.WEIGHTS), found
    assert found.detail == f"one flipped bit explains every value: bit 6 of weight {list(place)}"


def test_a_flipped_bit_before_a_mean(good: Path, program: Path) -> None:
    """One value per channel and image: several bits may explain all of them, the right one too."""
    packed = faults.packed_weights(good, faults.conv_of(good, LAST)).tobytes()
    (byte, bit, weight, weight_bit), *_ = flips_that_show(good, LAST, 1, least=3)
    flip(good, packed, byte, bit)
    found = difference(good)
    assert (found.operator, found.cause) == (LAST, Cause.WEIGHTS), found
    assert re.match(r"one (flipped bit|of \d bits flipped) explains every value", found.detail)
    assert f"bit {weight_bit} of weight {weight}" in found.detail
    assert program.is_file()


def test_a_flipped_bit_of_a_bias(good: Path, program: Path) -> None:
    board = load_target(read_report(good).firmware.target)
    graph, op = read_graph(fire_network()), faults.conv_of(good, SQUEEZE)
    bias = graph.tensors[op.bias].data
    assert bias is not None
    table = {
        "portable": bias,
        "scalar": pack_scalar.pack_conv2d(graph, op).bias.astype(np.int32),
        "dsp": pack_dsp.pack_conv2d(graph, op).table.astype(np.int32),
        "mve": pack_mve.pack_conv2d(graph, op).table.astype(np.int32),
    }[board.kernels]
    is_dsp = board.kernels == "dsp"  # whose first word is 256 A + B
    flip(good, table.tobytes(), 2 if is_dsp else 1, 4)
    found = difference(good)
    assert (found.operator, found.cause) == (SQUEEZE, Cause.WEIGHTS), found
    assert "bit 12 of the bias of channel 0" in found.detail
    assert program.is_file()


ROWS, SQUARES = (winograd, squares), (squares, winograd)
"""The kernel that a convolution takes, and the one that it does not."""


@pytest.mark.parametrize(
    ("kernels", "byte", "bit", "name"),
    [  # channel 4: block 1, of four channels, six columns, 24 steps; then row 1, column 2, input 11
        (ROWS, 4 * (4 * 6 * 24) + 1, 3, "11 of weight 0 of the six that stand for weights [4, 0,"),
        (SQUARES, ((4 * 4 + 2) * 9 + 5) * 4 + 3, 6, "6 of weight [4, 1, 2, 11]"),
    ],
)
def test_a_flipped_bit_of_winograd_weights(
    kernels: Any, byte: int, bit: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kernel, cost in zip(kernels, (0.0, 1e9), strict=True):
        monkeypatch.setattr(kernel, "instructions", lambda *_, cost=cost: cost)
    monkeypatch.setattr(faults, "SHAPE", (20, 18, 8))
    monkeypatch.setattr(packing, "ARENA_GROWTH", 0.01)
    monkeypatch.setattr(variants, "grown_outputs", lambda _, ops, *__: {ops[1].op.output})
    net = Network(faults.SHAPE, (1 / 255, -128), 3)
    value = net.input
    for channels, size in ((16, 1), (8, 3), (6, 1)):
        value = net.conv(value, channels, (size, size), activation=RELU, quant=RECTIFIED)
    build = make(tmp_path, "mps2-an500", net.build(net.mean(value)))
    flip(build, faults.packed_weights(build, faults.conv_of(build, 1)).tobytes(), byte, bit)
    found = difference(build)
    assert (found.operator, found.cause) == (1, Cause.WEIGHTS), found
    assert f"one flipped bit explains every value: bit {name}" in found.detail


# --- arithmetic ---


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def test_a_requantization_one_too_high(tmp_path: Path) -> None:
    def one_more(folder: Path) -> None:
        before = "esq_clamp(scaled + params->output_zp, params->clamp_min"
        change(folder / "src" / "ops" / "esq_conv2d.c", before, before.replace("zp", "zp + 1"))

    found = difference(make(tmp_path, "host", fire_network(), sources=one_more))
    assert (found.operator, found.cause, found.max_abs_lsb) == (0, Cause.ROUNDING, 1), found
    assert "a constant of the requantization is off by one" in found.detail
    assert found.expected is not None
    assert found.got == found.expected + 1


@pytest.mark.parametrize(
    ("board", "module", "name"),
    [
        ("mps2-an500", pack_dsp, "constants"),
        ("mps3-an547", pack_mve, "short_columns"),
    ],
)
def test_a_table_whose_constants_do_not_round(
    board: str, module: object, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, faults.UNROUNDED[name])
    found = difference(make(tmp_path, board, fire_network()))
    assert (found.operator, found.cause, found.max_abs_lsb) == (0, Cause.ROUNDING, 1), found
    assert "one step too low" in found.detail
    assert "of 16 channels" in found.detail


@pytest.mark.parametrize(
    ("limit", "says"),
    [("x", "wrap around instead of saturating"), ("x > 90 ? 90 : x", "end at 90")],
)
def test_saturation(tmp_path: Path, limit: str, says: str) -> None:
    def sources(folder: Path) -> None:
        change(folder / "src" / "esq_arithmetic.h", "x > high ? high : x", limit)

    found = difference(make(tmp_path, "host", fire_network(), sources=sources))
    assert (found.operator, found.cause) == (0, Cause.SATURATION), found
    assert says in found.detail


# --- the arena ---


@pytest.mark.parametrize("board", BOARDS)
def test_a_ring_over_another(board: str, tmp_path: Path) -> None:
    graph = read_graph(fire_network())
    pool, squeezed = graph.ops[1].name, graph.ops[2].name
    found = difference(make(tmp_path, board, fire_network(), plan=over(squeezed, pool)))
    assert found.cause == Cause.OVERLAP, found
    assert re.search(
        rf"rows of {pool} were right when they were written, but not when this operator read them: "
        rf"rows \d+.*, values of {squeezed}$",
        found.detail,
    ), found


def test_a_pool_whose_rows_are_written_over(tmp_path: Path) -> None:
    """The pool's row is written over between two of its steps: its inputs are right."""
    graph = read_graph(fire_network())
    first, pool = graph.ops[0].name, graph.ops[1].name
    found = difference(make(tmp_path, "host", fire_network(), plan=over(pool, first)))
    assert found.cause == Cause.OVERLAP, found


# --- what cannot be explained ---


def test_many_wrong_weights_are_not_one_bit(good: Path, program: Path) -> None:
    packed = faults.packed_weights(good, faults.conv_of(good, 0)).tobytes()
    content = bytearray(program.read_bytes())
    place = content.find(packed)
    content[place : place + len(packed)] = bytes(len(packed))
    program.write_bytes(content)
    found = difference(good)
    assert (found.operator, found.cause) == (0, Cause.UNKNOWN), found
    assert re.search(r"its inputs were right\. Values differ in \d+ of 16 channels", found.detail)


# --- the command ---


def test_the_command(good: Path, program: Path, tmp_path: Path) -> None:
    target = load_target(read_report(good).firmware.target)
    flash(good, target)
    try:
        same = edgesq("verify", "--build", good, "--layers", "--profile", "--json", tmp_path / "v")
        assert same.returncode == 0, same.stdout + same.stderr
        assert "8 operators, 4 images: every output has the CRC-32 of the host's" in same.stdout
        fields = json.loads((tmp_path / "v").read_text())
        assert fields["layers"] == {"images": 4, "operators": 8, "equal": 8, "difference": None}
        assert sum(row["share"] for row in fields["profile"]) == pytest.approx(1)
        assert {row["instructions"] is None for row in fields["profile"]} == {target.is_host}
    finally:
        stop_and_check(good)
    (byte, bit, weight, _), *_ = flips_that_show(good, 0, 1)
    flip(good, faults.packed_weights(good, faults.conv_of(good, 0)).tobytes(), byte, bit)
    flash(good, target)
    try:
        outputs = ("--json", tmp_path / "v", "--junit", tmp_path / "junit.xml")
        other = edgesq("verify", "--build", good, "--layers", *outputs)
    finally:
        stop_and_check(good)
    assert other.returncode == 1
    text = " ".join(other.stdout.split())
    assert "Likely cause: wrong weights: flash corrupted" in text
    assert f"of weight {weight}" in text
    assert "first at [y, x, channel] [" in text
    assert "likely cause: wrong weights: flash corrupted: one" in (
        (tmp_path / "junit.xml").read_text()
    )
    found = json.loads((tmp_path / "v").read_text())["layers"]["difference"]
    assert found["cause"] == "wrong weights: flash corrupted"
    assert program.is_file()


def test_profile_alone(tmp_path: Path) -> None:
    build = make(tmp_path, "host", fire_network())
    flash(build, load_target("host"))
    try:
        inside = look_inside(VerifyOptions(build, count=2), with_layers=False)
    finally:
        stop_and_check(build)
    assert inside.layers is None
    assert [operator.macs > 0 for operator in inside.operators] == [
        *(True, False, True, True, True, False, True, False)
    ]


# --- the table in a build's report ---


def test_reports_that_make_no_sense(tmp_path: Path) -> None:
    graph: Graph = read_graph(fire_network())
    light_build(tmp_path, "host", fire_network(), faults.images())
    table = read_operators(read_report(tmp_path), graph)
    assert len(table) == 8
    changes: tuple[dict[str, Any], ...] = (
        {"output": len(graph.tensors)},
        {"output": -1},
        {"inputs": ()},
        {"access": "ANY"},
        {"rows_per_step": 0},
        {"overwrites": 2},
    )
    for bad in ((), *((replace(table[0], **one),) for one in changes)):
        with pytest.raises(EdgesqError, match="does not say which operators"):
            check_operators(bad, graph)
