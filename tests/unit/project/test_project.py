"""Firmware projects: laid out, and compiled without a warning on every board."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bench.code import LIBRARY, code_bytes
from edgesq.codegen import generate
from edgesq.errors import FitError, MissingToolError, ToolError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.plan import Plan, PlanRequest, make_plan, needs
from edgesq.plan.fit import FIRMWARE_FLASH_BYTES, FIRMWARE_RAM_BYTES
from edgesq.project import (
    Sizes,
    compile_firmware,
    firmware_path,
    lay_out,
    run_batch,
    toolchain,
)
from edgesq.project.build import _complaint, _size_told
from edgesq.reference import run_observed
from edgesq.targets import Target, list_targets, load_target
from support.cases import NETWORKS
from support.ladder import LadderModels
from support.linker_map import section_bytes
from support.networks import images
from support.paths import ROOT

TARGETS = [
    target.name
    for target in list_targets()
    if target.is_planned and (target.is_host or (target.is_emulated and target.port_family is None))
]
"""One of every core; tests/boards/test_boards.py compiles for all boards."""
_NO_CODE = (".debug", ".comment", ".ARM.attributes")


@dataclass(frozen=True)
class Built:
    """A project that was compiled, and what the compiler and linker said."""

    folder: Path
    target: Target
    graph: Graph
    plan: Plan
    sizes: Sizes
    said: str


def generated(graph: Graph, plan: Plan, kernels: str = "portable") -> Mapping[str, str]:
    return generate(graph, plan, kernels)


def build(folder: Path, target: Target, graph: Graph) -> Built:
    plan = make_plan(graph, PlanRequest(target.kernels))
    lay_out(folder, target, generated(graph, plan, target.kernels))
    place = folder / "build"
    said = ""
    for command in (
        ["cmake", "-S", folder, "-B", place, "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"],
        ["cmake", "--build", place],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        said += done.stdout + done.stderr
        assert done.returncode == 0, said[-3000:]
    sizes = compile_firmware(folder, target, warnings_are_errors=True)
    return Built(folder, target, graph, plan, sizes, said)


@pytest.fixture(scope="module", params=TARGETS)
def every_kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The network that needs all the code there is; the folder's name has what shells dislike."""
    folder = tmp_path_factory.mktemp("my build (1)") / "firm ware"
    graph = read_graph(NETWORKS["every_operator"]())
    return build(folder, load_target(request.param), graph)


@pytest.mark.slow
def test_compiles_without_a_warning(every_kernel: Built) -> None:
    assert "warning" not in every_kernel.said.lower(), every_kernel.said
    assert firmware_path(every_kernel.folder, every_kernel.target).is_file()
    assert (every_kernel.folder / "build" / "edgesq.map").is_file()


def check_bounds(built: Built) -> None:
    """What was promised before compiling holds, and is not far off."""
    promised, sizes = needs(built.graph, built.plan, built.target), built.sizes
    assert sizes.flash_bytes <= promised["flash"]
    assert sizes.ram_bytes <= promised["ram"]
    most_code = FIRMWARE_FLASH_BYTES + FAMILIES[built.target.kernels].code_bytes
    code = most_code - (promised["flash"] - sizes.flash_bytes)
    variables = FIRMWARE_RAM_BYTES - (promised["ram"] - sizes.ram_bytes)
    assert 2 * code >= most_code, f"the code takes {code} B"
    assert 2 * variables >= FIRMWARE_RAM_BYTES, f"variables take {variables} B"


@pytest.mark.slow
def test_promised_sizes_hold(every_kernel: Built) -> None:
    if every_kernel.target.is_host:
        assert every_kernel.sizes.flash_bytes > every_kernel.graph.weights_bytes
        return
    check_bounds(every_kernel)


@pytest.mark.parametrize("name", ["mps3-an547", "stm32f405"])
def test_promised_sizes_hold_for_squeezenet(
    name: str, tmp_path: Path, ladder_models: LadderModels
) -> None:
    graph = read_graph(ladder_models["v1.1_simple_bypass_relu"].tflite)
    built = build(tmp_path, load_target(name), graph)
    check_bounds(built)
    promised = needs(graph, built.plan, built.target)
    assert promised["flash"] < 1.01 * built.sizes.flash_bytes


@pytest.mark.slow
def test_sizes_are_the_linkers(every_kernel: Built) -> None:
    if every_kernel.target.is_host:
        return
    listing = subprocess.run(
        ["arm-none-eabi-size", "-A", firmware_path(every_kernel.folder, every_kernel.target)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    fields = [line.split() for line in listing.splitlines() if line.startswith(".")]
    sizes = {name: int(size) for name, size, _ in fields}
    starts = {name: int(address) for name, _, address in fields}

    def inside(memory: str) -> int:
        region = every_kernel.target.region(memory)
        assert region is not None
        span = range(region.origin, region.origin + region.bytes)
        # Debug sections say address 0, which some boards have.
        names = [name for name in sizes if starts[name] in span and not name.startswith(_NO_CODE)]
        return sum(sizes[name] for name in names)

    assert every_kernel.sizes.ram_bytes == inside("ram")
    assert every_kernel.sizes.flash_bytes == inside("flash") + sizes[".data"]
    assert sizes[".stack"] == every_kernel.target.stack_bytes


@pytest.mark.slow
def test_the_firmware_knows_its_flags(every_kernel: Built) -> None:
    flags = " ".join(("-O2", *every_kernel.target.compiler_flags))
    content = firmware_path(every_kernel.folder, every_kernel.target).read_bytes()
    assert re.search(rb"\0gcc \d+\.\d+\.\d+ " + re.escape(flags).encode() + rb"\0", content)


@pytest.mark.slow
def test_the_bench_counts_every_function(every_kernel: Built) -> None:
    if every_kernel.target.is_host:
        return
    place = every_kernel.folder / "build" / "edgesq.map"
    code, sizes = code_bytes(place), section_bytes(place.read_text())
    text = place.read_text()
    vectors = re.search(r"^ \.vectors\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", text, re.M)
    assert bool(vectors) == every_kernel.target.cpu.startswith("cortex-m")
    functions = int(vectors[1], 16) if vectors else 0
    functions += sum(sum(sizes.values()) for sizes in code.values())
    assert 0 <= sizes[".text"] - functions < 16  # alignment
    assert code["app/main.c"].keys() == {"main"}
    assert code["src/esq_engine.c"].keys() >= {"esq_init", "esq_step", "esq_observed"}
    assert all(source.startswith(("app/", "src/", "ports/", LIBRARY)) for source in code)


@pytest.mark.slow
def test_a_project_is_complete(every_kernel: Built) -> None:
    """It compiles without this checkout: nothing in it points out of its folder."""
    folder, target = every_kernel.folder, every_kernel.target
    names = {path.name for path in folder.iterdir()}
    assert {"CMakeLists.txt", "include", "src", "app", "ports", "my_model.c"} <= names
    assert ("link.ld" in names) != target.is_host
    assert {path.name for path in (folder / "ports").iterdir()} == set(target.port_folders)
    assert [*folder.rglob("*.md")] == []  # notes on kernels stay in this repository
    checkout = str(ROOT)
    for path in folder.rglob("*"):
        if path.is_file() and "build" not in path.relative_to(folder).parts:
            text = path.read_text()
            assert checkout not in text, path
            assert "${" not in text or path.name in ("CMakeLists.txt", "zig.cmake"), path


@pytest.mark.slow
def test_layout_again_replaces_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    graph = read_graph(NETWORKS["fire"]())
    files = generated(graph, make_plan(graph))
    lay_out(tmp_path, load_target("stm32f405"), files)
    (tmp_path / "src" / "stale.c").write_text("#error stale\n")
    lay_out(tmp_path, load_target("host"), files)
    assert [path.name for path in (tmp_path / "ports").iterdir()] == ["host"]
    assert not (tmp_path / "src" / "stale.c").exists()
    compile_firmware(tmp_path, load_target("host"), warnings_are_errors=True)


def test_layout_leaves_unchanged_files_alone(tmp_path: Path) -> None:
    graph = read_graph(NETWORKS["fire"]())
    files = generated(graph, make_plan(graph))
    lay_out(tmp_path, load_target("host"), files)
    before = (tmp_path / "my_model.c").stat().st_mtime_ns
    lay_out(tmp_path, load_target("host"), files)
    assert (tmp_path / "my_model.c").stat().st_mtime_ns == before


def test_a_warning_is_an_error_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = read_graph(NETWORKS["fire"]())
    files = dict(generated(graph, make_plan(graph)))
    files["my_model.c"] += "static int nobody_calls(void) { return 1; }\n"
    target = load_target("host")
    lay_out(tmp_path, target, files)
    with pytest.raises(ToolError) as caught:
        compile_firmware(tmp_path, target, warnings_are_errors=True)
    line = str(caught.value)
    assert "nobody_calls" in line
    assert "\n" not in line
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ToolError, match="only 10 B are left on this disk: make room"):
        compile_firmware(tmp_path, target, warnings_are_errors=True)


@pytest.mark.parametrize("present", [(), ("cmake", "make")])
def test_missing_tools(
    present: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = read_graph(NETWORKS["fire"]())
    target = load_target("stm32f405")
    plan = make_plan(graph, PlanRequest(target.kernels))
    lay_out(tmp_path / "firmware", target, generated(graph, plan, target.kernels))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in present:
        (tools / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tools))
    monkeypatch.setattr(toolchain, "find_zig", lambda: None)
    missing = "arm-none-eabi-gcc" if present else "cmake"
    with pytest.raises(MissingToolError, match=f"{missing} is not installed .*edgesq doctor"):
        compile_firmware(tmp_path / "firmware", target)
    assert not (tmp_path / "firmware" / "build").exists()
    with pytest.raises(MissingToolError, match="gcc is not installed"):
        run_batch(graph, generated(graph, plan), images((7, 5, 3)))


@pytest.mark.slow
def test_an_image_that_the_linker_refuses_is_told_in_bytes(tmp_path: Path) -> None:
    graph, target = read_graph(NETWORKS["fire"]()), load_target("microbit")
    plan = make_plan(graph, PlanRequest(target.kernels))
    flash, ram = target.memory
    small = replace(target, memory=(replace(flash, bytes=8_192), ram))
    lay_out(tmp_path, small, generated(graph, plan, target.kernels))
    with pytest.raises(FitError) as caught:
        compile_firmware(tmp_path, small)
    found = re.match(
        r"microbit: the model needs (\d+) B of flash \(as it was linked\), the board has 8192 B",
        str(caught.value),
    )
    assert found
    lay_out(tmp_path, target, generated(graph, plan, target.kernels))
    more = int(found[1]) - compile_firmware(tmp_path, target).flash_bytes
    assert 0 <= more < 8, "the linker counts up to where the next section could begin"


def test_of_what_llvms_linker_says_of_each_section_the_last_is_told() -> None:
    words = "ld.lld: error: section '{}' will not fit in region 'FLASH': overflowed by {} bytes\n"
    said = "".join(words.format(*one) for one in ((".text", 80), (".rodata", 88), (".data", 96)))
    with (
        pytest.raises(FitError, match=r"needs 1048672 B of flash .* has 1048576 B"),
        _size_told(load_target("stm32f405")),
    ):
        raise ToolError(_complaint(f"{said}make: Error 1".encode()))


def test_run_batch() -> None:
    graph = read_graph(NETWORKS["flatten_moves_rows"]())
    inputs = images((4, 3, 2))
    outputs = run_batch(graph, generated(graph, make_plan(graph)), inputs)
    for output, expected in zip(outputs, run_observed(graph, inputs), strict=True):
        np.testing.assert_array_equal(output, expected)
