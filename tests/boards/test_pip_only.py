"""A board with what pip brings alone: compiled by Zig, run by Unicorn; nothing else on PATH."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesq.builds import ensure_compiled, read_report
from edgesq.errors import BoardError, TargetError
from edgesq.extras import is_installed
from edgesq.flash import flash, recorded, stop, unicorn
from edgesq.formats.tflite import read_graph
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.project.elf import read_sections
from edgesq.project.zig import find_zig
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, look_inside, verify
from support.builds import light_build, stop_and_check
from support.cases import NETWORKS
from support.emulated_cases import Case, differing
from support.networks import images

MISSING = [
    name
    for name, is_there in (("ziglang", find_zig()), ("unicorn", is_installed("unicorn")))
    if not is_there
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed"),
    pytest.mark.usefixtures("bare"),
]

BOARDS = ("microbit", "netduino2", "mps2-an386", "mps2-an505")
"""A Cortex-M0, M3, M4 and M33; an M7 has an M4's instructions."""
MOST_IMAGE_BYTES = 2_048


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "build"
    yield folder
    stop_and_check(folder)


def small_cases() -> list[Case]:
    graphs = {name: read_graph(content()) for name, content in NETWORKS.items()}
    shapes = {name: graph.tensors[graph.input].hwc for name, graph in graphs.items()}
    return [
        Case(name, graphs[name], images((height, width, channels))[:2])
        for name, (height, width, channels) in shapes.items()
        if height * width * channels <= MOST_IMAGE_BYTES
    ]


@pytest.mark.parametrize("board", BOARDS)
def test_zig_and_unicorn_compute_what_numpy_does(board: str, tmp_path: Path) -> None:
    cases = small_cases()[:: 3 if board == "microbit" else 1]  # what 256 KB of flash take
    assert len(cases) > 10
    assert differing(tmp_path, board, cases, unicorn.RUNNER.command) == []


def start(build: Path, board: str, *, is_tcp: bool, network: str = "every_operator") -> str:
    """Return the port of a board that is compiled and started."""
    content = NETWORKS[network]()
    shape = read_graph(content).tensors[read_graph(content).input].hwc
    light_build(build, board, content, images(shape))
    target = ensure_compiled(build, None, lambda _: None)
    return flash(build, target, is_tcp=is_tcp, timeout=60).port


@pytest.mark.parametrize(
    ("board", "is_tcp"),
    [("microbit", True), ("netduino2", False), ("mps2-an386", False), ("mps2-an500", True)],
)
def test_a_whole_firmware(board: str, is_tcp: bool, build: Path) -> None:
    port = start(build, board, is_tcp=is_tcp)
    assert port.startswith("socket://127.0.0.1:") == is_tcp
    for _ in range(2):  # the line takes one connection after the other
        report = verify(VerifyOptions(build, count=3, timeout=60))
        assert (report.device.board, report.result.exact_images) == (board, 3)
        assert report.result.differing_values == 0
        assert report.link.retries == 0  # nothing is lost on such a line
    assert report.device.build is not None
    assert report.device.build.startswith("clang")
    assert report.device.core is not None
    assert "Unicorn" in report.device.core
    assert (report.device.instructions, report.device.us) == (None, None)  # never a wrong number
    options = VerifyOptions(build, count=1, timeout=60)
    for operator in look_inside(options, with_layers=False).operators:
        assert (operator.instructions, operator.us) == (None, None)
        assert (operator.ticks, operator.share) == (None, None)
    assert report.device.stack_bytes is not None
    assert 0 < report.device.stack_bytes <= load_target(board).stack_bytes
    sizes = read_report(build).sizes
    assert sizes is not None
    assert sizes.compiler.startswith("clang version")


def test_an_m55_is_left_to_qemu(build: Path) -> None:
    with pytest.raises(TargetError, match=r"is not flashed by 'unicorn' \(known: gdb, qemu\)"):
        flash(build, load_target("mps3-an547"), runner="unicorn")


def test_a_fault_ends_the_board_and_says_where(build: Path) -> None:
    """Of an image whose reset vector leads nowhere."""
    start(build, "mps2-an386", is_tcp=False, network="fire")
    stop(build)
    program = build / "firmware" / "build" / "edgesq.elf"
    content = bytearray(program.read_bytes())
    text = next(one for one in read_sections(program) if one.name == ".text").content
    assert text is not None
    at = content.index(text)
    content[at + 4 : at + 8] = (0x7000_0001).to_bytes(4, "little")
    program.write_bytes(content)
    with pytest.raises(BoardError, match=r"start \(pc 0x70000000: the firmware faults"):
        flash(build, load_target("mps2-an386"))
    assert recorded(build) is None


def test_what_a_client_leaves_does_not_stop_the_board(build: Path) -> None:
    port = start(build, "microbit", is_tcp=True, network="fire")
    for _ in range(3):
        with open_port(port) as line:
            line.write(b"\0garbage")
    with open_port(port) as line:
        assert Client(line, timeout=10).hello().board == "microbit"
