"""The programs of the page on C projects: compiled as they stand, run, and held to the host.

What the page exports takes TensorFlow; here small networks have the names of its models.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.project import Layout
from edgesq.reference import run_observed
from support.cases import NETWORKS
from support.crun import SANITIZERS, run_command
from support.doc_blocks import Block, read_document
from support.libraries import Library, classes_of, library, pixels_of, quantized
from support.networks import FINER, Network
from support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "use-in-your-c-project.md"
WARNINGS = ("-Wall", "-Wextra", "-Werror")
COMPILERS = {"c": ("gcc", "-std=c11"), "cpp": ("g++", "-std=c++17")}

CAMERA = """#include <stdint.h>
#include <stdio.h>
void camera_read(uint8_t *pixels);
void camera_read_row(uint8_t *pixels);
void camera_read(uint8_t *pixels) {
    uint32_t size = 0;
    if (fread(&size, sizeof size, 1, stdin) != 1 || fread(pixels, 1, size, stdin) != size) {
        __builtin_trap();
    }
}
void camera_read_row(uint8_t *pixels) { camera_read(pixels); }
"""
"""A driver whose pictures, or rows, come from standard input, the size before each."""


def measures() -> bytes:
    net = Network((7, 4, 3), FINER, seed=5)
    net.dense(net.mean(net.conv(net.input, 6, (3, 3))), 3)
    return net.build(max(net.shapes))


@dataclass(frozen=True)
class Project:
    """A folder with both libraries where the page says, and objects of all their C."""

    folder: Path
    digit: Library
    angle: Library

    def run(self, block: Block, *pictures: NDArray[np.uint8]) -> list[str]:
        """Compile a program of the page, give it pictures, and return its lines."""
        source, program = self.folder / f"app.{block.language}", self.folder / "app"
        source.write_text(block.text)
        compiler, objects = COMPILERS[block.language], sorted(self.folder.glob("*.o"))
        options = (*WARNINGS, *SANITIZERS, *block.options.split())
        run_command(*compiler, *options, source, *objects, "-o", program, cwd=self.folder)
        said = b"".join(np.uint32(one.size).tobytes() + one.tobytes() for one in pictures)
        return run_command(program, stdin=said).decode().splitlines()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    networks = {"digit": NETWORKS["every_operator"], "angle": measures}
    digit, angle = (
        library(folder / "build" / name, Layout.C_LIBRARY, make(), name)
        for name, make in networks.items()
    )
    (folder / "camera.c").write_text(CAMERA)
    runtime = sorted((digit.folder / "edgesq" / "src").rglob("*.c"))
    data = [path for one in (digit, angle) for path in one.folder.glob("*_model/*.c")]
    assert len(data) == 4
    headers = [f"-I{one.folder / f'{one.name}_model'}" for one in (digit, angle)]
    flags = ("-O1", *SANITIZERS, f"-I{digit.folder / 'edgesq' / 'include'}", *headers)
    run_command("gcc", *flags, "-c", folder / "camera.c", *runtime, *data, cwd=folder)
    return Project(folder, digit, angle)


BLOCKS = [block for block in read_document(PAGE).blocks if block.language in COMPILERS]


def programs(*words: str) -> Block:
    """Return the only program of the page that has all these words."""
    (block,) = (block for block in BLOCKS if all(word in block.text for word in words))
    return block


def picture(made: Library) -> NDArray[np.uint8]:
    return pixels_of(made.graph, 1)


def reals(made: Library, pixels: NDArray[np.uint8]) -> list[np.float32]:
    tensor = made.graph.tensors[made.graph.output]
    values = run_observed(made.graph, quantized(made.graph, pixels))[0][0].astype(np.float32)
    return list((values - np.float32(tensor.zero_point)) * np.float32(tensor.scale))


def test_a_whole_image(project: Project) -> None:
    pixels = picture(project.digit)
    (number,) = classes_of(project.digit.graph, pixels)
    assert project.run(programs("digit_classify(pixels)"), pixels) == [f"class {number}"]


def test_the_application_is_ten_lines() -> None:
    lines = programs("digit_classify(pixels)").text.partition("int main")[2].splitlines()
    assert len(lines) <= 10


def test_rows_from_a_camera(project: Project) -> None:
    pixels = picture(project.digit)
    (number,) = classes_of(project.digit.graph, pixels)
    said = project.run(programs("digit_push_row"), *pixels[0])
    assert said == [f"class {number}"]


def test_a_model_that_measures(project: Project) -> None:
    pixels = picture(project.angle)
    said = project.run(programs("angle_run(pixels)"), pixels)
    assert [np.float32(line) for line in said] == reals(project.angle, pixels)


def test_two_models(project: Project) -> None:
    digit, scene = picture(project.digit), picture(project.angle)
    (number,) = classes_of(project.digit.graph, digit)
    (said,) = project.run(programs("std::array"), digit, scene)
    one, real = said.split(", ")
    assert (one, np.float32(real)) == (f"class {number}", reals(project.angle, scene)[0])


def test_memory_of_your_own(project: Project) -> None:
    digit, scene = picture(project.digit), picture(project.angle)
    (number,) = classes_of(project.digit.graph, digit)
    one, real = project.run(programs("esq_app_open"), digit, scene)
    assert (one, np.float32(real)) == (f"class {number}", reals(project.angle, scene)[0])


def test_memory_of_your_own_is_all_there_is(project: Project, tmp_path: Path) -> None:
    """The arenas of the NAME_app.c are not linked where nobody calls the functions over them."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    texts = {
        "own": programs("esq_app_open").text,
        "theirs": '#include "angle_model.h"\n#include "digit_model.h"\n'
        "int main(void) { return digit_classify(0) + (int)angle_run(0); }\n",
    }
    arenas = {name: _arenas(project, tmp_path / name, text) for name, text in texts.items()}
    assert arenas == {"own": 1, "theirs": 2}


def _arenas(project: Project, folder: Path, text: str) -> int:
    """Return how many variables named `arena` a program for a Cortex-M4 has."""
    folder.mkdir()
    source = folder / "app.c"
    source.write_text(text)
    libraries = (project.digit, project.angle)
    sources = [path for one in libraries for path in one.folder.glob("*_model/*.c")]
    sources += (project.digit.folder / "edgesq" / "src").rglob("*.c")
    headers = [f"-I{one.folder / f'{one.name}_model'}" for one in libraries]
    headers.append(f"-I{project.digit.folder / 'edgesq' / 'include'}")
    core = ("-mcpu=cortex-m4", "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections")
    linker = ("-Wl,--gc-sections", "--specs=nosys.specs")
    everything = (source, project.folder / "camera.c", *sources)
    program = folder / "app"
    run_command("arm-none-eabi-gcc", *core, *headers, *everything, *linker, "-o", program)
    names = run_command("arm-none-eabi-nm", program).decode().splitlines()
    return sum(line.endswith(" arena") for line in names)


def test_rgb565_is_unpacked_to_the_whole_range(tmp_path: Path) -> None:
    block = programs("rgb565")
    main = "int main(void) { const uint16_t from[4] = {0, 0xFFFF, 0xF800, 0x07E1}; uint8_t to[12];"
    main += ' unpack_rgb565(from, to, 4); for (int i = 0; i < 12; i++) printf("%d ", to[i]); }'
    (tmp_path / "app.c").write_text(f"#include <stdio.h>\n{block.text}\n{main}\n")
    run_command("gcc", *WARNINGS, *SANITIZERS, tmp_path / "app.c", "-o", tmp_path / "app")
    said = list(map(int, run_command(tmp_path / "app").split()))
    assert said == [0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 8]


def test_the_folder_is_a_cmake_project(project: Project, tmp_path: Path) -> None:
    """The page's CMakeLists.txt, with what the page names beside it."""
    (text,) = (block.text for block in read_document(PAGE).blocks if block.language == "cmake")
    place = tmp_path / "build" / "digit" / "c-library"
    shutil.copytree(project.digit.folder, place)
    (tmp_path / "CMakeLists.txt").write_text(text)
    app = programs("digit_classify(pixels)").text + CAMERA
    (tmp_path / "app.c").write_text(app)
    run_command("cmake", "-S", tmp_path, "-B", tmp_path / "out")
    run_command("cmake", "--build", tmp_path / "out")
    pixels = picture(project.digit)
    said = run_command(
        tmp_path / "out" / "app", stdin=np.uint32(pixels.size).tobytes() + pixels.tobytes()
    )
    assert said.decode() == f"class {classes_of(project.digit.graph, pixels)[0]}\n"
