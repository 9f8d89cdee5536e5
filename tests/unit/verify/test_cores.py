"""What `verify` says of a board's core: named where we know it, warned where it could do better."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from edgesq.flash import flash
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.info import BoardInfo, CoreKind, Optimisation
from edgesq.link.transport import open_port
from edgesq.project import compile_firmware
from edgesq.targets import load_target
from edgesq.verify.cores import (
    core_name,
    counts,
    cycles_per_tick,
    instructions_per_tick,
    missed_speed,
    us_per_tick,
)
from support.boards import compile_stub, running
from support.builds import done, light_build, stop_and_check
from support.networks import Network, images

M4, M7, M33, M35P = 0x410FC241, 0x411FC272, 0x410FD213, 0x411FD310
M0, M3, M55, M85 = 0x410CC200, 0x412FC231, 0x411FD221, 0x410FD230
BOARD = BoardInfo(
    protocol=frame.PROTOCOL_VERSION,
    layout=1,
    max_payload=496,
    rx_window=1024,
    model_sha256="00" * 32,
    input_shape=(1, 1, 1),
    tick_hz=1,
    clock_hz=1,
    cpuid=M7,
    op_count=1,
    optimisation=Optimisation.OPTIMISED_SPEED,
    observed_bytes=(1,),
    kernels="dsp",
    board="board",
    build="gcc 12.2.1 -O2",
)


@pytest.mark.parametrize(
    ("cpuid", "name"),
    [
        (M7, "Cortex-M7 r1p2"),
        (M4, "Cortex-M4 r0p1"),
        (M33, "Cortex-M33 r0p3"),
        (M55, "Cortex-M55 r1p1"),
        (0x520C_C601, "Cortex-M0+ in rp2040py (counts cycles, none for waits of the flash)"),
        (0x410FC999, "unknown core, CPUID 0x410fc999"),
        (0x720FD200, "unknown core, CPUID 0x720fd200"),  # another maker's D20 is no Cortex-M23
        (0, None),
    ],
)
def test_a_core_is_named_or_called_unknown(cpuid: int, name: str | None) -> None:
    assert core_name(replace(BOARD, cpuid=cpuid)) == name


@pytest.mark.parametrize(
    ("core", "misa", "name"),
    [
        (CoreKind.RISCV, 0x4000_1104, "RISC-V RV32IMC"),  # ESP32-C3, QEMU's with less
        (CoreKind.RISCV, 0x4014_112D, "RISC-V RV32IMAFDC"),  # S and U are no instructions
        (CoreKind.RISCV, 0x4000_0014, "RISC-V RV32EC"),  # CH32V003
        (CoreKind.RISCV, 0, None),  # a core may have no misa
        (2, 0x410FC241, None),  # one that a later firmware knows
    ],
)
def test_a_core_that_is_no_cortex_m(core: int, misa: int, name: str | None) -> None:
    info = replace(BOARD, core=core, cpuid=misa)
    assert core_name(info) == name
    assert missed_speed(info) == ()
    assert counts(replace(info, cpuid=0x5500_0000))  # Unicorn's mark is in CPUID alone


@pytest.mark.parametrize(
    ("cpuid", "kernels", "better"),
    [
        *((cpuid, "portable", "dsp") for cpuid in (M4, M7, M33, M35P)),
        *(
            (cpuid, kernels, "mve")
            for cpuid in (M55, M85)
            for kernels in ("portable", "scalar", "dsp")
        ),
        *((cpuid, "dsp", None) for cpuid in (M4, M7, M33, M35P)),
        *((cpuid, "portable", "scalar") for cpuid in (M0, M3)),
        *((cpuid, "scalar", None) for cpuid in (M0, M3)),
        *((cpuid, "portable", None) for cpuid in (0, 0x410FC999)),
        *((cpuid, "mve", None) for cpuid in (M55, M85)),
        (M55, "of my own", None),
    ],
)
def test_slower_kernels_than_the_core_runs(cpuid: int, kernels: str, better: str | None) -> None:
    found = missed_speed(replace(BOARD, cpuid=cpuid, kernels=kernels))
    assert len(found) == (better is not None)
    for warning in found:
        assert f"the kernels are {kernels}, a Cortex-M" in warning
        assert warning.endswith(f"kernels = {better}, without --kernels")
        assert ("where it has that extension" in warning) == (cpuid not in (M0, M3, M4, M7))


def test_a_firmware_compiled_without_optimisation(tmp_path: Path) -> None:
    """As its own compiler says, whatever the flags' text is."""
    text = '-DESQ_BUILD_FLAGS="-O2"'
    program = compile_stub("host", tmp_path / "board", "-O0", text)
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        info = Client(transport).hello()
    (warning,) = missed_speed(info)
    assert re.fullmatch(
        r"the firmware was compiled without optimisation \(gcc [\d.]+ -O2\): compile it with -O2",
        warning,
    )


@pytest.mark.slow
def test_verify_says_what_would_be_faster(tmp_path: Path) -> None:
    net = Network((4, 4, 3), (1 / 255, -128))
    content = net.build(net.softmax(net.mean(net.conv(net.input, 5, (1, 1)))))
    build = light_build(tmp_path / "build", "host", content, images((4, 4, 3)))
    project = build / "firmware"
    debug = ("-DCMAKE_BUILD_TYPE=Debug", "-G", "Unix Makefiles")
    command = ["cmake", "-S", str(project), "-B", str(project / "build"), *debug]
    subprocess.run(command, check=True, capture_output=True)
    compile_firmware(project, load_target("host"))
    try:
        flash(build, load_target("host"))
        said = done("verify", "--build", build, "--json", tmp_path / "out.json")
    finally:
        stop_and_check(build)
    (warning,) = json.loads((tmp_path / "out.json").read_text())["warnings"]
    assert re.search(r"compiled without optimisation \(gcc [\d.]+ -g\)", warning)
    assert f"It could be faster: {warning}.\n" in said
    assert re.search(r"compiled by +gcc [\d.]+ -g +\n", said)
    assert not re.search(r"^ *core ", said, re.MULTILINE), "what is unknown is left out"


@pytest.mark.parametrize(
    ("board", "tick_hz", "cpuid", "instructions", "cycles", "us"),
    [
        ("mps2-an386", 25_000_000, 0x410F_C240, 5.0, None, None),  # QEMU: no time is its own
        ("mps2-an386", 25_000_000, 0x55FF_C240, None, None, None),  # Unicorn: this computer's time
        ("pico", 125_000_000, 0x520C_C601, None, 1.0, None),  # rp2040py: no time of its own
        ("pico", 125_000_000, 0x410C_C601, None, 1.0, 1 / 125),  # silicon
        ("stm32f405", 168_000_000, 0x410F_C241, None, 1.0, 1 / 168),  # likewise
        ("host", 1_000_000, 0, None, None, 1.0),  # its clock is its counter's
        ("another", 1_000_000, 0x410F_C241, None, None, 1.0),  # a timer
        ("another", 0, 0x410F_C241, None, None, None),  # no counter
    ],
)
def test_what_a_tick_tells(
    board: str,
    tick_hz: int,
    cpuid: int,
    instructions: float | None,
    cycles: float | None,
    us: float | None,
) -> None:
    clock_hz = 1_000_000 if board == "host" else 168_000_000 if board != "pico" else 125_000_000
    said = replace(BOARD, board=board, tick_hz=tick_hz, cpuid=cpuid, clock_hz=clock_hz)
    assert instructions_per_tick(said) == instructions
    assert cycles_per_tick(said) == cycles
    assert us_per_tick(said) == pytest.approx(us)
