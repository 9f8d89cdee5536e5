"""The C library: installed, found by a user's project outside of it, run, and verified."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import ensure_compiled, read_report
from edgesq.flash import qemu
from edgesq.project import Layout, firmware_path
from edgesq.reference import run_observed
from edgesq.targets import load_target
from support.builds import done, snapshot
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import (
    STRICT,
    Library,
    check_verifies,
    classes_of,
    cmake,
    damage,
    library,
    pixels_of,
    port_of,
    quantized,
    toolchain,
    verify_build,
)
from support.networks import FINER, USUAL, Network
from support.paths import CKERNELS

NETWORK = "every_operator"


@dataclass(frozen=True)
class Installed:
    """Libraries installed together, and the folder that find_package looks into."""

    libraries: Sequence[Library]
    prefix: Path


def install(folder: Path, made: Library, prefix: Path, *options: str) -> None:
    options = (*options, f"-DCMAKE_PREFIX_PATH={prefix}")
    cmake(made.folder, folder / f"build {made.name}", *options)
    run_command("cmake", "--install", folder / f"build {made.name}", "--prefix", prefix)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Two models' exports, both with the runtime, in one prefix."""
    folder = tmp_path_factory.mktemp("c library")
    made = [
        library(folder / name, Layout.C_LIBRARY, NETWORKS[network](), name)
        for name, network in (("person", NETWORK), ("digit", "fire"))
    ]
    for one in made:
        install(folder, one, folder / "prefix", f"-DCMAKE_C_FLAGS={STRICT}")
    return Installed(made, folder / "prefix")


def user_project(folder: Path, made: Library, example: str) -> Path:
    """Copy an example out of the library, as a user begins a project of their own."""
    return Path(shutil.copytree(made.folder / "examples" / example, folder / example))


@pytest.mark.parametrize("index", [0, 1])
def test_rows_from_the_users_own_source(installed: Installed, index: int, tmp_path: Path) -> None:
    made = installed.libraries[index]
    source = user_project(tmp_path, made, "classify")
    options = (f"-DCMAKE_PREFIX_PATH={installed.prefix}", f"-DCMAKE_C_FLAGS={STRICT}")
    cmake(source, tmp_path / "build", *options)
    pixels = pixels_of(made.graph, 6)
    said = run_command(tmp_path / "build" / "classify", stdin=pixels.tobytes() + b"half a row")
    assert [int(line) for line in said.split()] == classes_of(made.graph, pixels)


def test_the_example_of_a_model_that_measures_and_of_a_damaged_one(tmp_path: Path) -> None:
    """Thousandths of the first output, since there are no classes; then an end, not a loop."""
    net = Network((6, 5, 3), FINER)
    output = net.dense(net.mean(net.conv(net.input, 7, (3, 3))), 1)
    made = library(tmp_path, Layout.C_LIBRARY, net.build(output), "angle", coded=True)
    source, build = user_project(tmp_path, made, "classify"), tmp_path / "build"
    options = (f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}", f"-DCMAKE_C_FLAGS={STRICT}")
    install(tmp_path, made, tmp_path / "prefix", f"-DCMAKE_C_FLAGS={STRICT}")
    cmake(source, build, *options)
    pixels = pixels_of(made.graph, 3)
    tensor = made.graph.tensors[made.graph.output]
    values = run_observed(made.graph, quantized(made.graph, pixels))[0][:, 0].astype(np.float32)
    reals = (values - np.float32(tensor.zero_point)) * np.float32(tensor.scale)
    said = run_command(build / "classify", stdin=pixels.tobytes())
    assert [int(line) for line in said.split()] == np.trunc(1000 * reals).astype(int).tolist()
    damage(made)
    shutil.rmtree(tmp_path / "prefix")
    install(tmp_path, made, tmp_path / "prefix", f"-DCMAKE_C_FLAGS={STRICT}")
    # CMake installs with times of whole seconds, which make cannot tell from those before.
    run_command("cmake", "--build", build, "--clean-first")
    done = subprocess.run(
        [build / "classify"], input=pixels.tobytes(), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, b"")


def test_the_example_gives_zeros_beside_the_image(tmp_path: Path) -> None:
    net = Network((6, 5, 3))
    mean, vector = net.mean(net.conv(net.input, 7, (3, 3)), USUAL), net.beside((9,))
    outputs = [net.dense(net.concat([mean, net.dense(vector, 7)]), count) for count in (1, 2)]
    made = library(tmp_path, Layout.C_LIBRARY, net.build(*outputs), "both")
    options = (f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}", f"-DCMAKE_C_FLAGS={STRICT}")
    install(tmp_path, made, tmp_path / "prefix", f"-DCMAKE_C_FLAGS={STRICT}")
    cmake(user_project(tmp_path, made, "classify"), tmp_path / "build", *options)
    graph, pixels = made.graph, pixels_of(made.graph, 3)
    zeros = np.zeros((1, 1, 9), np.int8)
    given = [
        graph.join({graph.input: image, graph.inputs[1]: zeros})
        for image in quantized(graph, pixels)
    ]
    tensor = graph.tensors[graph.output]
    values = run_observed(graph, np.stack(given))[0][:, 0].astype(np.float32)
    reals = (values - np.float32(tensor.zero_point)) * np.float32(tensor.scale)
    said = run_command(tmp_path / "build" / "classify", stdin=pixels.tobytes())
    assert [int(line) for line in said.split()] == np.trunc(1000 * reals).astype(int).tolist()


def test_two_libraries_in_one_program(installed: Installed, tmp_path: Path) -> None:
    """One runtime, however many models: the prefix holds it once."""
    assert len(list(installed.prefix.rglob("libedgesq.a"))) == 1
    lines = [
        "cmake_minimum_required(VERSION 3.16)",
        "project(two C)",
        "find_package(person_model REQUIRED)",
        "find_package(digit_model REQUIRED)",
        "add_executable(two two.c)",
        "target_link_libraries(two edgesq::person_model edgesq::digit_model)",
    ]
    (tmp_path / "CMakeLists.txt").write_text("\n".join(lines))
    source = (CKERNELS / "two_models.c").read_text()
    for old, new in (("first", "person"), ("second", "digit")):
        source = source.replace(f"{old}_model", f"{new}_model")
        source = source.replace(f"{old.upper()}_MODEL", f"{new.upper()}_MODEL")
    (tmp_path / "two.c").write_text(source)
    cmake(tmp_path, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed.prefix}")
    graphs = [made.graph for made in installed.libraries]
    shapes = [graph.tensors[graph.input].hwc for graph in graphs]
    sizes = [int(np.prod(shape)) for shape in shapes]
    pixels = np.random.default_rng(7).integers(-128, 128, max(sizes), np.int8)
    expected = b"".join(
        values.tobytes()
        for graph, shape, size in zip(graphs, shapes, sizes, strict=True)
        for values in run_observed(graph, pixels[:size].reshape(1, *shape))
    )
    assert run_command(tmp_path / "build" / "two", stdin=pixels.tobytes()) == expected


def test_verify_over_a_users_main(installed: Installed, tmp_path: Path) -> None:
    made = installed.libraries[0]
    source = user_project(tmp_path, made, "verify")
    options = (f"-DCMAKE_PREFIX_PATH={installed.prefix}", f"-DCMAKE_C_FLAGS={STRICT}")
    cmake(source, tmp_path / "build", *options)
    build = verify_build(tmp_path / "edgesq", NETWORKS[NETWORK](), "host")
    check_verifies(build, [str(tmp_path / "build" / "verify")], tmp_path / "log")


def test_a_core_that_has_no_file_takes_one_command(tmp_path: Path) -> None:
    """The target `generic`, its scalar kernels, by any C11 compiler: here this computer's."""
    kernels = load_target("generic").kernels
    made = library(tmp_path, Layout.C_LIBRARY, NETWORKS[NETWORK](), "person", kernels)
    runtime, model = made.folder / "edgesq", made.folder / "person_model"
    example = made.folder / "examples" / "classify"
    sources = [*runtime.glob("src/**/*.c"), *model.glob("*.c"), example / "main.c"]
    folders = (f"-I{runtime / 'include'}", f"-I{model}", f"-I{example}")
    flags = ("-std=c11", "-O2", *STRICT.split())
    run_command("cc", *flags, *folders, *sources, "-o", tmp_path / "classify")
    pixels = pixels_of(made.graph, 6)
    said = run_command(tmp_path / "classify", stdin=pixels.tobytes())
    assert [int(line) for line in said.split()] == classes_of(made.graph, pixels)


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547", "riscv32-virt"])
def test_on_boards(board: str, tmp_path: Path) -> None:
    """Cross-compiled, installed, found by a project with a port of its own, and verified."""
    target = load_target(board)
    made = library(tmp_path, Layout.C_LIBRARY, NETWORKS[NETWORK](), "person", target.kernels)
    tools = f"-DCMAKE_TOOLCHAIN_FILE={toolchain(tmp_path, target)}"
    install(tmp_path, made, tmp_path / "prefix", tools)
    build = verify_build(tmp_path / "edgesq", NETWORKS[NETWORK](), board)
    defines = ";".join(f"{name}={value}" for name, value in target.defines.items())
    cmake(
        user_project(tmp_path, made, "verify"),
        tmp_path / "build",
        *(tools, f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}"),
        *(f"-DPORT={port_of(tmp_path, target)}", f"-DPORT_DEFINES={defines}"),
        f"-DCMAKE_EXE_LINKER_FLAGS=-T {build / 'firmware' / 'link.ld'} -Wl,--gc-sections",
    )
    image = firmware_path(build / "firmware", target)
    image.parent.mkdir()
    shutil.copyfile(tmp_path / "build" / "verify", image)
    check_verifies(build, qemu.command(build, target), tmp_path / "log")


def test_data_for_a_core_that_is_not_there(tmp_path: Path) -> None:
    made = library(tmp_path, Layout.C_LIBRARY, NETWORKS["fire"](), "person", "dsp")
    with pytest.raises(AssertionError, match=r"this core lacks the .* export for a target"):
        cmake(made.folder, tmp_path / "build")


def test_the_command_lays_it_out(tmp_path: Path) -> None:
    (tmp_path / "fire.tflite").write_bytes(NETWORKS["fire"]())
    arguments = ("--target", "host", "--format", "c-library", "--name", "person")
    said = done("export", "fire.tflite", *arguments, "--out", "out", cwd=tmp_path)
    assert "The library person_model is in out/c-library" in said
    report = read_report(tmp_path / "out")
    assert (report.request.layout, report.model.c_name) == (Layout.C_LIBRARY, "person")
    files = snapshot(tmp_path / "out" / "c-library")
    listed = {f"c-library/{path}": value for path, value in files.items() if value != "folder"}
    assert listed.items() <= report.files.items()
    notes = {path for path in files if path.endswith(".md")}
    assert notes == {"README.md", "edgesq/README.md", "person_model/README.md"}
    for path in (tmp_path / "out" / "c-library").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"sample_|SAMPLE_|\b0\.0\.0\b", text), path
            assert str(tmp_path) not in text

    ensure_compiled(tmp_path / "out", load_target("mps2-an500"), lambda _: None)
    changed = read_report(tmp_path / "out").files
    data = "c-library/person_model/person_model.c"
    assert changed[data] != report.files[data]
    assert changed[data] == snapshot(tmp_path / "out")[data]
    assert changed.keys() >= listed.keys()
