"""Which programs compile a project, and what is read of the program they make."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgesq.codegen import generate
from edgesq.errors import MissingToolError, ToolError
from edgesq.formats.tflite import read_graph
from edgesq.plan import make_plan, plan_for
from edgesq.project import compile_firmware, firmware_path, lay_out, run_batch
from edgesq.project.elf import read_sections
from edgesq.project.toolchain import find_toolchain
from edgesq.project.zig import find_zig, zig_flags
from edgesq.reference import run_observed
from edgesq.targets import list_targets, load_target
from support.cases import NETWORKS
from support.networks import images

needs_zig = pytest.mark.skipif(find_zig() is None, reason="ziglang is not installed")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as PATH: nothing but what came by pip."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def project(folder: Path, name: str) -> Path:
    target, graph = load_target(name), read_graph(NETWORKS["fire"]())
    plan = plan_for(graph, target).plan
    lay_out(folder, target, generate(graph, plan, target.kernels))
    return folder


def test_every_core_but_xtensa_is_known_to_zig() -> None:
    for target in list_targets():
        cores = ("cortex-m", "rv32")
        is_known = target.is_planned and (target.is_host or target.cpu.startswith(cores))
        assert (zig_flags(target) is not None) == is_known, target.name


def test_a_compiler_on_path_is_taken_before_zig(bare: Path) -> None:
    for name in ("cmake", "make", "arm-none-eabi-gcc"):
        (bare / name).touch(mode=0o755)
    found = find_toolchain(load_target("stm32f405"))
    assert (found.zig, found.runner) == (None, str(bare / "make"))


@needs_zig
@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["microbit", "netduino2", "mps3-an547", "pico2", "host"])
def test_zig_compiles_where_nothing_else_is(name: str, tmp_path: Path) -> None:
    target, folder = load_target(name), project(tmp_path / "firmware", name)
    sizes = compile_firmware(folder, target, warnings_are_errors=True)
    assert sizes.compiler.startswith("clang version")
    assert sizes.flash_bytes > 4_000
    if not target.is_host:
        sections = {one.name: one for one in read_sections(firmware_path(folder, target))}
        ram = sum(sections[part].size for part in (".data", ".bss", ".stack"))
        assert sizes.ram_bytes == ram
        assert sections[".stack"].size == target.stack_bytes
        flash = target.region("flash")
        assert flash is not None
        assert sections[".text"].address == flash.origin


@needs_zig
@pytest.mark.usefixtures("bare")
def test_the_c_runtime_runs_here_without_gcc() -> None:
    graph = read_graph(NETWORKS["fire"]())
    inputs = images(graph.tensors[graph.input].hwc)
    outputs = run_batch(graph, generate(graph, make_plan(graph), "portable"), inputs)
    for output, expected in zip(outputs, run_observed(graph, inputs), strict=True):
        assert (output == expected).all()


@needs_zig
def test_what_cmake_noted_for_another_compiler_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, folder = load_target("microbit"), project(tmp_path / "firmware", "microbit")
    if shutil.which(target.compiler) is None:
        pytest.skip(f"{target.compiler} is not installed")
    path = shutil.which
    assert compile_firmware(folder, target).compiler.startswith("GCC")
    monkeypatch.setattr(
        shutil,
        "which",
        lambda name, **more: None if name == target.compiler else path(name, **more),
    )
    assert compile_firmware(folder, target).compiler.startswith("clang version")
    monkeypatch.undo()
    assert compile_firmware(folder, target).compiler.startswith("GCC")


@pytest.mark.parametrize("target", ["esp32s3", "tflm-host"])
@pytest.mark.usefixtures("bare")
def test_what_zig_cannot_compile_names_the_compiler(target: str) -> None:
    with pytest.raises(MissingToolError, match=load_target(target).compiler):
        find_toolchain(load_target(target))


def test_sections_are_those_that_binutils_reads(tmp_path: Path) -> None:
    """Of a program of 64 bits; test_emulated.py holds the sizes of 32-bit ones to the map."""
    program = tmp_path / "program"
    source = tmp_path / "program.c"
    source.write_text("int zero[100]; int one = 1; int main(void) { return zero[0] + one; }")
    subprocess.run(["gcc", source, "-o", program], check=True)
    said = subprocess.run(["size", "-A", program], capture_output=True, text=True, check=True)
    rows = [line.split() for line in said.stdout.splitlines() if line.startswith(".")]
    wanted = {(name, int(size), int(address)) for name, size, address in rows}
    read = read_sections(program)
    assert {(one.name, one.size, one.address) for one in read if one.is_loaded} <= wanted
    assert {name for name, _, address in wanted if address} <= {one.name for one in read}


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x01\x01" + bytes(80), b"MZ" + bytes(80)])
def test_what_is_no_elf_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(content)
    with pytest.raises(ToolError, match="ELF file"):
        read_sections(tmp_path / "program")
