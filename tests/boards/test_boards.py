"""Every board's firmware: compiled without a warning, in its true memories, startable."""

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.plan import PlanRequest, make_plan, needs, plan_for
from edgesq.plan.reading import SLOW_CLOCKS, in_ram_bytes
from edgesq.project import compile_firmware, firmware_path, lay_out
from edgesq.targets import Target, list_targets, load_target
from support.cases import NETWORKS

BOARDS = [
    target.name
    for target in list_targets()
    if not (target.board or target.is_host or target.is_library or target.port == "mps2")
]
CORTEX_M = [name for name in BOARDS if load_target(name).port_core == "cortex_m"]
SLOW = [
    name
    for name in BOARDS
    if (flash := load_target(name).region("flash")) and flash.read_clocks_per_word >= SLOW_CLOCKS
]
BOOT2_BYTES = 256
VECTORS = {"pico": 512}
"""Where a board's vector table lies in its flash, if not first."""


def build(folder: Path, target: Target) -> Path:
    """Compile the network that needs all the code there is; hold what was promised of its size."""
    graph = read_graph(NETWORKS["every_operator"]())
    plan = make_plan(graph, PlanRequest(target.kernels))
    lay_out(folder, target, generate(graph, plan, target.kernels))
    sizes = compile_firmware(folder, target, warnings_are_errors=True)
    promised = needs(graph, plan, target)
    assert sizes.flash_bytes <= promised["flash"]
    assert sizes.ram_bytes <= promised["ram"]
    return firmware_path(folder, target)


def sections(image: Path) -> dict[str, tuple[int, int]]:
    """Return start and size of what is loaded or reserved."""
    listing = subprocess.run(
        ["arm-none-eabi-readelf", "-SW", image], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"\] (\.\S+) +\w+ +(\w+) \w+ (\w+) \w+ +W?A", listing)
    return {name: (int(at, 16), int(size, 16)) for name, at, size in found}


def content(image: Path) -> bytes:
    """Return the bytes of the flash."""
    flat = image.with_suffix(".bin")
    command = ["arm-none-eabi-objcopy", "-O", "binary", str(image), str(flat)]
    subprocess.run(command, check=True)
    return flat.read_bytes()


@pytest.mark.parametrize("name", SLOW)
def test_weights_that_are_copied_to_ram_are_counted(name: str, tmp_path: Path) -> None:
    graph, target = read_graph(NETWORKS["every_operator"]()), load_target(name)
    every = plan_for(graph, target).plan
    sizes, starts = [], []
    for plan in (replace(every, in_ram=frozenset()), every):
        lay_out(tmp_path, target, generate(graph, plan, target.kernels))
        sizes.append(compile_firmware(tmp_path, target, warnings_are_errors=True))
        promised = needs(graph, plan, target)
        assert sizes[-1].flash_bytes <= promised["flash"]
        assert sizes[-1].ram_bytes <= promised["ram"]
        starts.append(sections(firmware_path(tmp_path, target))[".data"])
    copied = in_ram_bytes(graph, every, target.kernels)
    assert graph.weights_bytes < sizes[1].ram_bytes - sizes[0].ram_bytes <= copied
    assert starts[1][1] - starts[0][1] > graph.weights_bytes
    assert sizes[1].flash_bytes - sizes[0].flash_bytes < 64


@pytest.fixture(scope="module")
def image_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile a board's firmware, once."""
    return cache(lambda name: build(tmp_path_factory.mktemp(name), load_target(name)))


@pytest.fixture(params=BOARDS)
def built(request: pytest.FixtureRequest, image_of: Callable[[str], Path]) -> tuple[Target, Path]:
    return load_target(request.param), image_of(request.param)


def test_everything_is_in_the_boards_memories(built: tuple[Target, Path]) -> None:
    target, image = built
    spans = [range(region.origin, region.origin + region.bytes) for region in target.memory]
    placed = sections(image)
    assert {".text", ".bss", ".stack"} <= placed.keys()
    for name, (start, size) in placed.items():
        if size:
            assert any(start in span and start + size - 1 in span for span in spans), name
    assert placed[".stack"][1] == target.stack_bytes


@pytest.mark.parametrize("name", CORTEX_M)
def test_the_core_finds_stack_and_entry(name: str, image_of: Callable[[str], Path]) -> None:
    target, image = load_target(name), image_of(name)
    ram, flash = target.region("ram"), target.region("flash")
    assert ram
    assert flash
    at = VECTORS.get(target.name, 0)
    stack, entry = struct.unpack_from("<II", content(image), at)
    assert stack == sum(sections(image)[".stack"])
    assert ram.origin < stack <= ram.origin + ram.bytes
    assert entry % 2 == 1, "Thumb"
    assert flash.origin <= entry < flash.origin + flash.bytes


def test_the_rom_of_an_rp2040_finds_second_stage_and_program(
    image_of: Callable[[str], Path],
) -> None:
    """test_boot2.py runs the second stage; it jumps to what the second of the vectors holds."""
    boot2 = content(image_of("pico"))[:BOOT2_BYTES]
    assert struct.pack("<I", 0x10000000 + VECTORS["pico"] + 4) in boot2
    assert boot2[-4:] != bytes(4), "its CRC"


def test_the_rom_of_an_rp2350_finds_the_image(image_of: Callable[[str], Path]) -> None:
    """RP2350 datasheet, minimum viable image metadata: in the first 4 KB, a loop of one block."""
    image = content(image_of("pico2"))
    block = struct.pack("<5I", 0xFFFFDED3, 0x10210142, 0x000001FF, 0, 0xAB123579)
    at = image.index(block)
    assert at % 4 == 0
    assert at + len(block) <= 4096
    assert image.count(block[:4]) == 1
