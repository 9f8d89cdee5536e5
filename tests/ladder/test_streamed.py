"""Weights decoded while the network runs: the same values on every kernel family, for any tile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import ensure_compiled, read_report
from edgesq.errors import DamagedError
from edgesq.flash import flash, host, process
from edgesq.formats.tflite import read_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite
from edgesq.graph import Graph
from edgesq.kernels import decoding
from edgesq.kernels.dsp.family import DSP
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D
from edgesq.plan import Bands, Plan, PlanRequest, make_plan, variants
from edgesq.project import compile_firmware
from edgesq.reference import run_observed
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, look_inside, verify
from support.builds import light_build, stop_and_check
from support.cases import NETWORKS
from support.crun import Runtime
from support.emulated_cases import Case, all_streamed, differing
from support.kernel_cases import all_cases, conv_graph, images
from support.networks import RECTIFIED, Network
from support.tflite_builder import RELU

BOARDS = ("mps2-an500", "mps3-an547", "netduino2")
ROOM_BYTES = 1 << 20


def sparse(graph: Graph) -> Graph:
    """Return a graph with three quarters of its weights 0."""
    rng = np.random.default_rng(5)
    tensors = list(graph.tensors)
    for op in graph.ops:
        if isinstance(op, Conv2D):
            weights = tensors[op.weights]
            assert weights.data is not None
            kept = rng.random(weights.shape) < 0.25
            thinned = np.where(kept, weights.data, 0).astype(np.int8)
            tensors[op.weights] = replace(weights, data=thinned)
    return replace(graph, tensors=tuple(tensors))


@pytest.fixture
def _masks_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give masks to few weights too, for which the masks' code is longer than what it saves."""
    monkeypatch.setattr(decoding, "has_masks", lambda weights: np.mean(weights == 0) > 0.5)


def masked(plan: Plan) -> int:
    """Return how many operators of a plan decode streams with masks."""
    return sum(item.kernel.coded is not None and item.kernel.coded.has_masks for item in plan.ops)


def streamed_plan(graph: Graph, bands: int, limit_bytes: int | None = None) -> Plan:
    outputs = all_streamed(graph, "portable")
    plan = make_plan(
        graph, PlanRequest("portable", limit_bytes=limit_bytes, coded=outputs), Bands(bands)
    )
    assert sum(item.kernel.coded is not None for item in plan.ops) == len(outputs)
    return plan


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


GRAPHS = {
    name: graph
    for name, build in NETWORKS.items()
    if all_streamed(graph := read_graph(build()), "portable")
}


@pytest.mark.usefixtures("_masks_for_few")
@pytest.mark.parametrize(
    ("index", "name"),
    [  # each is a compilation with sanitizers: `make quick` takes every fifth
        pytest.param(index, name, marks=(pytest.mark.slow,) if index % 5 else ())
        for index, name in enumerate(sorted(GRAPHS))
    ],
)
def test_portable_networks(index: int, name: str, runtime: Runtime) -> None:
    """Every other one with masks."""
    graph = sparse(GRAPHS[name]) if index % 2 else GRAPHS[name]
    shape = (2, *graph.tensors[graph.input].hwc)
    images = np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)
    plans = [
        streamed_plan(graph, 1),
        streamed_plan(graph, 2, ROOM_BYTES),
        streamed_plan(graph, 1000),
    ]
    assert masked(plans[0]) > 0 or not index % 2
    for values in runtime.run(graph, plans, images):
        for got, expected in zip(values, run_observed(graph, images, len(images)), strict=True):
            assert np.array_equal(got, expected.reshape(len(images), -1))


def streamed_cases(kernels: str) -> list[Case]:
    """Cases with a stream: a third with all weights decoded together, a half with masks."""
    streamed = [
        replace(
            case,
            graph=sparse(case.graph) if index % 2 else case.graph,
            streamed=True,
            limit_bytes=ROOM_BYTES if index % 3 == 0 else None,
        )
        for index, case in enumerate(all_cases())
    ]
    return [case for case in streamed if all_streamed(case.graph, kernels)] + coarse_cases()


def coarse_cases() -> list[Case]:
    """Biases that are multiples of what few bits per channel hold."""
    cases = []
    for seed, outputs in enumerate((4, 10, 64)):
        bias = np.random.default_rng(seed).integers(-80, 80, outputs).astype(np.int32) * 256
        graph = conv_graph(seed, outputs=outputs, real=0.0005, bias=bias, kernel=(1, 1 + seed))
        cases.append(Case(f"coarse {seed}", graph, images(seed, graph), 2, True, ROOM_BYTES))
    return cases


@pytest.mark.emulated
@pytest.mark.usefixtures("_masks_for_few")
@pytest.mark.parametrize("board", BOARDS)
def test_kernels_on_boards(board: str, tmp_path: Path) -> None:
    kernels = {"mps2-an500": "dsp", "mps3-an547": "mve", "netduino2": "scalar"}[board]
    cases = streamed_cases(kernels)
    assert sum(masked(case.plan(kernels)) > 0 for case in cases) > len(cases) // 3
    assert differing(tmp_path, board, cases) == []


def winograd_cases() -> list[Case]:
    """3x3 convolutions of all widths around a tile, in bands of one row, several, and all."""
    shapes = [
        (5, 5, 16, 8, 1),
        (6, 9, 32, 4, 2),
        (7, 14, 16, 12, 3),
        (9, 4, 48, 8, 99),
        (1, 1, 16, 4, 1),
    ]
    cases = []
    for seed, (height, width, channels, outputs, rows) in enumerate(2 * shapes):
        options = {"channels": channels, "outputs": outputs, "real": 0.0005}
        coarse = np.arange(-outputs, outputs, 2).astype(np.int32) * 512 if seed % 2 else None
        graph = conv_graph(seed, size=(height, width), bias=coarse, **options)  # type: ignore[arg-type]
        graph = sparse(graph) if seed >= len(shapes) else graph
        pixels = images(seed, graph)
        cases.append(Case(f"winograd {seed}", graph, pixels, rows, True, ROOM_BYTES))
    return cases


@pytest.mark.emulated
@pytest.mark.usefixtures("_masks_for_few")
def test_winograd_from_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(_: Graph, item: RowOp) -> float:
        return -item.kernel.pixels

    monkeypatch.setattr(variants, "FAMILIES", {"dsp": replace(DSP, instructions=cost)})
    cases = winograd_cases()
    for case in cases:
        assert [item.kernel.form for item in case.plan("dsp").ops] == [Form.WINOGRAD], case.name
    assert sum(masked(case.plan("dsp")) for case in cases) == len(cases) // 2
    assert differing(tmp_path, "mps2-an386", cases) == []


@dataclass(frozen=True)
class TabledCase(Case):
    """Only the last convolution is decoded; tables of those before it are made on the board."""

    def plan(self, kernels: str) -> Plan:
        *_, last = [op.output for op in self.graph.ops if isinstance(op, Conv2D)]
        request = PlanRequest(kernels, limit_bytes=self.limit_bytes, coded=frozenset({last}))
        return make_plan(self.graph, request, Bands(self.band_rows))


def tabled_cases() -> list[Case]:
    """Windows of every kind, all channels at a time or as few as can be."""
    cases: list[Case] = []
    for seed, limit in enumerate((None, ROOM_BYTES)):
        net = Network((9, 9, 3), RECTIFIED)
        step = net.conv(net.input, 20, (3, 3), (2, 2), activation=RELU, quant=RECTIFIED)
        step = net.conv(step, 32, activation=RELU, quant=RECTIFIED)
        step = net.conv(step, 20, (3, 3), activation=RELU, quant=RECTIFIED)
        step = net.conv(step, 36, (5, 1), activation=RELU, quant=RECTIFIED)
        graph = read_graph(net.build(net.conv(step, 16, activation=RELU, quant=RECTIFIED)))
        cases.append(
            TabledCase(f"tabled {seed}", graph, images(seed, graph), 1 + seed, True, limit)
        )
    return cases


@pytest.mark.emulated
@pytest.mark.parametrize("large", [False, True])
def test_tables_made_on_the_board(
    large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In tiles as small or as large as can be."""

    def cost(_: Graph, item: RowOp) -> float:
        tabled = item.kernel.tabled
        tile = tabled.tile if tabled else 1e3
        return -1e9 * tile if large and tabled else 1e6 * tile

    monkeypatch.setattr(variants, "FAMILIES", {"dsp": replace(DSP, instructions=cost)})
    cases = tabled_cases()
    made = [item.kernel.tabled for case in cases for item in case.plan("dsp").ops]
    tiles = [tabled.tile for tabled in made if tabled]
    assert set(tiles) == ({20, 32, 36} if large else {4})
    assert len(tiles) == 4 * len(cases)
    assert differing(tmp_path, "mps2-an386", cases) == []


def streamed_squeezenet() -> bytes:
    """A small network whose weights have few levels, so that it is streamed without being asked."""
    net = Network((12, 12, 3), RECTIFIED)
    step = net.conv(net.input, 16, (3, 3), activation=RELU, quant=RECTIFIED)
    for channels in (32, 64):
        step = net.conv(step, channels, (3, 3), activation=RELU, quant=RECTIFIED)
    content = net.build(net.softmax(net.mean(net.conv(step, 10, quant=RECTIFIED), RECTIFIED)))
    graph = read_graph(content)
    names = [graph.tensors[op.weights].name for op in graph.ops if isinstance(op, Conv2D)]
    by_name = {tensor.name: tensor for tensor in graph.tensors}
    few = {
        name: TensorChange(np.round(np.asarray(by_name[name].data) / 32).astype(np.int8))
        for name in names
    }
    return rewrite(content, few)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    """Yield where to make a build; stop its board at the end."""
    yield tmp_path / "build"
    stop_and_check(tmp_path / "build")


def flip_bit(source: Path, index: int) -> None:
    """Change one bit in the codes of operator `index`'s stream."""
    text = source.read_text()
    start = re.search(rf"content_{index}\[\d+\] = \{{\n\s*(?:0x\w\w,\s+){{40}}", text)
    assert start is not None
    place = start.end() + 2
    flipped = f"{int(text[place : place + 2], 16) ^ 0x10:02x}"
    source.write_text(text[:place] + flipped + text[place + 2 :])


@pytest.mark.slow
def test_the_layer_whose_weights_are_damaged_is_named(build: Path) -> None:
    """By flash, and by verify of a board that was flashed before."""
    content = streamed_squeezenet()
    images = np.zeros((1, *read_graph(content).tensors[0].hwc), np.int8)
    light_build(build, "host", content, images)
    name = read_report(build).firmware.operators[2].name
    flip_bit(build / "firmware" / "my_model.c", 2)
    said = rf"the weights of {re.escape(name)} \(operator 2\) in the board's flash are damaged"
    elf = ensure_compiled(build, load_target("host"), lambda _: None)
    with pytest.raises(DamagedError, match=said):
        flash(build, elf)
    pid, port = process.spawn(host.command(build, elf), build / "board.log")
    started = process.start_time(pid)
    assert started is not None
    try:
        with pytest.raises(DamagedError, match=said):
            verify(VerifyOptions(build, (port,)))
        with pytest.raises(DamagedError, match=said):
            look_inside(VerifyOptions(build, (port,)), with_layers=False)
        (build / "report.json").unlink()
        with pytest.raises(DamagedError, match="the weights of operator 2 in the board's flash"):
            flash(build, elf)
    finally:
        process.stop_process(pid, started)


@pytest.mark.slow
def test_a_model_with_few_levels_is_streamed_and_exact(build: Path) -> None:
    content = streamed_squeezenet()
    images = np.random.default_rng(3).integers(-128, 128, (3, 12, 12, 3)).astype(np.int8)
    light_build(build, "host", content, images)
    flash(build, ensure_compiled(build, load_target("host"), lambda _: None))
    report = verify(VerifyOptions(build, count=3, timeout=60))
    assert (report.result.exact_images, report.result.differing_values) == (3, 0)


@pytest.mark.emulated
def test_layers_of_a_streamed_model(build: Path) -> None:
    """Equal operator by operator; a wrong multiplier is found, and no bit of a stream is blamed."""
    content = streamed_squeezenet()
    images = np.random.default_rng(4).integers(-128, 128, (2, 12, 12, 3)).astype(np.int8)
    light_build(build, "mps2-an500", content, images)
    target = load_target("mps2-an500")
    flash(build, ensure_compiled(build, target, lambda _: None))
    layers = look_inside(VerifyOptions(build, count=2), with_layers=True).layers
    assert layers is not None
    assert (layers.equal, layers.difference) == (layers.operators, None)
    stop_and_check(build)
    source = build / "firmware" / "my_model.c"
    text = source.read_text()
    words = re.search(r"words_2\[\d+\] = \{[^}]*", text)
    assert words is not None
    other = re.sub(r"0x(\w)", lambda digit: f"0x{int(digit[1], 16) ^ 8:x}", words[0])
    source.write_text(text.replace(words[0], other))
    compile_firmware(build / "firmware", target)
    flash(build, target)
    layers = look_inside(VerifyOptions(build, count=2), with_layers=True).layers
    assert layers is not None
    difference = layers.difference
    assert difference is not None
    assert difference.operator == 2
    assert "flipped" not in difference.detail
