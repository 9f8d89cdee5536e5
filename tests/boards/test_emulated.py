"""The same values on every board: the demo export, and the ladder over real frames.

Where EDGESQ_LADDER_JSON names a file, all models run on all boards, and it gets the table.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from edgesq.builds import ensure_compiled, read_report
from edgesq.errors import FitError
from edgesq.flash import flash
from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.records import plain
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, VerifyReport, verify
from support.boards import MOST_OF_THE_STACK
from support.builds import light_build, stop_and_check
from support.ladder import LADDER, LadderModel, LadderModels
from support.linker_map import arena_bytes, memory_bytes

pytest_plugins = ("support.build_fixtures",)
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")

REFERENCE_BOARD = "mps2-an500"
OTHER_BOARDS = ("host", "mps2-an386", "mps2-an505", "mps3-an547", "riscv32-virt", "stm32f405")
BOARDS = (REFERENCE_BOARD, *OTHER_BOARDS)
TICKS_OF_JITTER = 20
"""A step begins and ends between two ticks; where a tick is one instruction there is none."""

TABLE = os.environ.get("EDGESQ_LADDER_JSON")
SMALL = (
    "v1.0_simple_bypass",
    "squeezenet_v1.1_bypass_trained_10c_64",
    "squeezenet_v1.1_10c_96",
    "mobilenet_48",
)
CLASSES = (
    "resnet8",
    "mobilenet_v2_48",
    "mobilenet_v3",
    "squeezenet_normalized",
    "autoencoder",
)
"""Of models, tried on an M55 too."""
OTHER_KERNELS = ("mps3-an547", "riscv32-virt")
PAIRS = [
    *product(LADDER, (REFERENCE_BOARD,)),
    *product(SMALL, OTHER_KERNELS),
    *product(SMALL[:1], sorted({*OTHER_BOARDS} - {*OTHER_KERNELS})),
    *product(CLASSES, OTHER_KERNELS[:1]),
]
if TABLE:
    PAIRS = [*product(LADDER, BOARDS)]


def start(build: Path, board: str) -> None:
    """Compile for `board` and start it; skip the test where a tool is missing."""
    target = load_target(board)
    for tool in (target.compiler, "cmake", *(() if target.is_host else (target.emulator,))):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    flash(build, ensure_compiled(build, target, lambda _: None))


def run(build: Path, count: int) -> VerifyReport:
    return verify(VerifyOptions(build, count=count, timeout=60))


def assert_exact(report: VerifyReport, images: int) -> None:
    assert (report.run.images, report.result.exact_images) == (images, images)
    assert (
        report.result.differing_values,
        report.result.max_abs_lsb,
        report.result.top1_agreement,
    ) == (0, 0, 1.0)
    assert report.result.values > 0
    assert report.run.expected_by == "TFLite BUILTIN_REF"


@pytest.mark.parametrize("board", BOARDS)
def test_the_demo_export_on_every_board(demo: Path, board: str) -> None:
    start(demo, board)
    first, again = run(demo, 5), run(demo, 5)
    assert_exact(first, 5)
    assert (first.device.board, first.link.retries) == (board, 0)
    assert first.accuracy.top1 == 1.0
    if board == "host":
        assert first.device.instructions is None
    else:
        assert first.device.instructions is not None
        assert first.device.instructions > read_report(demo).model.macs // 10
        assert again.device.instructions is not None
        jitter = abs(first.device.instructions - again.device.instructions)
        per_tick = load_target(board).instructions_per_tick
        assert per_tick is not None
        assert jitter <= (0 if per_tick == 1 else TICKS_OF_JITTER * per_tick)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    """Yield where to make a build; stop its board and remove it at the end."""
    folder = tmp_path / "build"
    yield folder
    stop_and_check(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_cortex_m_goes_to_the_emulated_m7(build: Path, ladder_models: LadderModels) -> None:
    model = ladder_models["demo"]
    light_build(build, "cortex-m", model.tflite, model.inputs)
    start(build, "cortex-m")
    report = run(build, 1)
    assert_exact(report, 1)
    assert report.device.board == REFERENCE_BOARD


@pytest.mark.parametrize(("name", "board"), PAIRS)
def test_ladder(name: str, board: str, build: Path, ladder_models: LadderModels) -> None:
    model = ladder_models[name]
    try:
        light_build(build, board, model.tflite, model.inputs)
        start(build, board)
    except FitError as error:
        build.mkdir(exist_ok=True)
        add_to_table({"model": name, "target": board, "refused": error.message})
        pytest.skip(str(error))
    images = len(model.inputs) if board == REFERENCE_BOARD else 1
    report = run(build, images)
    assert_exact(report, images)
    linked = read_report(build).sizes
    assert linked is not None
    sizes = asdict(linked)
    if board != "host":
        assert_announced(build, board, model, sizes, report)
    add_to_table({"model": name, "target": board, **sizes, **plain(report)})


def assert_announced(
    build: Path, board: str, model: LadderModel, sizes: dict[str, Any], report: VerifyReport
) -> None:
    """Hold that the arena is the one planned, sizes are the map's, and the stack suffices."""
    target, place = load_target(board), build / "firmware" / "build" / "edgesq.map"
    plan = plan_for(read_graph(model.tflite), target).plan
    assert arena_bytes(place) == plan.arena_bytes
    assert memory_bytes(place).items() <= sizes.items()
    assert report.device.stack_bytes is not None
    assert 0 < report.device.stack_bytes <= target.stack_bytes * MOST_OF_THE_STACK
    # The plan is as full as it says: the last block ends within the alignment of the arena's size.
    used = max(item.offset + item.bytes for item in plan.items)
    assert report.device.arena_bytes is not None
    assert plan.arena_bytes - 16 < used <= plan.arena_bytes
    assert 0.9 * used <= report.device.arena_bytes <= used


def add_to_table(row: dict[str, object]) -> None:
    """Add a row to the file that EDGESQ_LADDER_JSON names, if it does."""
    if TABLE is None:
        return
    with Path(TABLE).open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = json.loads(file.read() or "[]")
        file.truncate(0)
        json.dump([*rows, row], file, indent=1)
