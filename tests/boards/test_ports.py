"""Every emulated port: compiled without a warning, booted, timed by its counter."""

import random
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import OldToolError
from edgesq.flash import qemu
from edgesq.flash.gdb import PART_NUMBERS
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import FrameType
from edgesq.link.info import CoreKind
from edgesq.link.transport import DEFAULT_BAUD, open_port
from edgesq.project import firmware_path
from edgesq.targets import list_targets, load_target
from edgesq.verify.cores import core_name
from support.boards import STUB_BYTES, compile_stub, running, stub_values

EMULATED = [target.name for target in list_targets() if target.is_emulated and not target.board]
LINK_RAM_BYTES = 1696
SPIN = 100_000  # loops of 2 instructions in every step


def command(image: Path, target_name: str) -> list[str]:
    folder = image.parent.parent.parent
    assert firmware_path(folder / "firmware", load_target(target_name)) == image
    try:
        return qemu.command(folder, load_target(target_name))
    except OldToolError as error:
        pytest.skip(str(error))


def image_of(folder: Path) -> Path:
    return folder / "firmware" / "build" / "edgesq.elf"


def test_every_core_is_here() -> None:
    boards = ["b-l475e-iot01a", "microbit", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"]
    boards += ["netduino2", "nucleo-f446re", "riscv32-virt", "stm32f405", "stm32f407-discovery"]
    assert boards == EMULATED


@pytest.mark.parametrize("name", EMULATED)
def test_boots_and_answers(name: str, tmp_path: Path) -> None:
    image = compile_stub(name, image_of(tmp_path))
    with (
        running(command(image, name), tmp_path / "log") as (_, port),
        open_port(port) as transport,
    ):
        client = Client(transport)
        info = client.hello()
        assert (info.board, info.clock_hz) == (name, load_target(name).clock_hz)
        assert info.tick_hz == load_target(name).counter_hz
        if info.core == CoreKind.CORTEX_M:
            assert info.cpuid >> 4 & 0xFFF == PART_NUMBERS[load_target(name).cpu]
        else:
            assert core_name(info) == f"RISC-V {load_target(name).cpu.upper()}"
        chance = random.Random(1)
        for _ in range(3):
            pixels = chance.randbytes(STUB_BYTES)
            result = client.infer(pixels)
            assert all(map(np.array_equal, result.outputs, stub_values(pixels)))
            assert result.retries == 0


@pytest.mark.parametrize("name", EMULATED)
def test_every_byte_passes_both_ways(name: str, tmp_path: Path) -> None:
    """Also those that are keys of QEMU's multiplexer, Ctrl-A X first of all, which would end it."""
    keys = b"".join(b"\1" + bytes([key]) for key in b"xhsbtc?\1")
    echo = frame.pack_baud(DEFAULT_BAUD, bytes(range(256)) + keys)
    image = compile_stub(name, image_of(tmp_path))
    with (
        running(command(image, name), tmp_path / "log") as (_, port),
        open_port(port) as transport,
    ):
        session, _ = Client(transport).session()
        session.send(FrameType.BAUD, echo)
        answers = iter(lambda: session.receive(5.0), None)
        said = next(got for got in answers if got.type != FrameType.INFO)  # a slow start has two
    assert (said.type, said.payload) == (FrameType.BAUD_SET, echo)


@pytest.mark.parametrize("name", EMULATED)
def test_the_counter_counts_instructions(name: str, tmp_path: Path) -> None:
    per_tick = load_target(name).instructions_per_tick
    assert per_tick is not None
    image = compile_stub(name, image_of(tmp_path), f"-DESQ_STUB_SPIN={SPIN}")
    with (
        running(command(image, name), tmp_path / "log") as (_, port),
        open_port(port) as transport,
    ):
        counted = [Client(transport).infer(bytes(STUB_BYTES)).ticks * per_tick for _ in range(2)]
    # Every step of an operator spins once; those that only ask for the next row are not counted.
    n_spins = 20 * 3
    spent = n_spins * 2 * SPIN
    assert all(abs(value / spent - 1) < 0.005 for value in counted), (counted, spent)


@pytest.mark.parametrize("name", EMULATED)
def test_the_link_is_small(name: str, tmp_path: Path) -> None:
    image = compile_stub(name, image_of(tmp_path))
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "--print-size", image], capture_output=True, text=True, check=True
    ).stdout
    sizes = {
        symbol.split(".")[0]: int(size, 16)
        for size, symbol in re.findall(r"^\w+ (\w+) [bBdD] (\S+)$", symbols, re.M)
    }
    link = sum(sizes[symbol] for symbol in ("link", "ring", "head", "tail"))
    assert link <= LINK_RAM_BYTES
    sections = subprocess.run(
        ["arm-none-eabi-size", "-A", image], capture_output=True, text=True, check=True
    ).stdout
    stack = re.search(r"^\.stack\s+(\d+)", sections, re.M)
    assert stack
    assert int(stack[1]) == load_target(name).stack_bytes
