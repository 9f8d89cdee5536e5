"""The Arduino and PlatformIO libraries, compiled as those tools do, against stand-in headers.

The stand-in's Serial is standard input and output, so that the sketches run here; no board
and no tool of the two ecosystems is there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesq.project import Layout
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import (
    Library,
    check_verifies,
    classified,
    library,
    pattern_class,
    verify_build,
)
from support.paths import STANDINS

pytestmark = pytest.mark.slow

STANDIN = STANDINS / "arduino"
WARNINGS = ("-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror")
LANGUAGES = {
    ".c": ("gcc", "-std=gnu11"),
    ".S": ("gcc", "-x", "assembler-with-cpp"),
    ".cpp": ("g++", "-std=gnu++11"),
    ".ino": ("g++", "-std=gnu++11", "-x", "c++"),
}
"""By suffix: compiler and options, as Arduino's cores have them; other files are not compiled."""

M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", "-O2")
NETWORK = "every_operator"


@dataclass(frozen=True)
class Sketches:
    """Where an ecosystem's tool looks."""

    layout: Layout
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    sketches: str


LAYOUTS = {
    sketches.layout: sketches
    for sketches in (
        Sketches(
            Layout.ARDUINO,
            ("edgesq/src", "person_model/src"),
            ("edgesq/src", "person_model/src"),
            "person_model/examples",
        ),
        Sketches(
            Layout.PLATFORMIO,
            ("lib/edgesq/src", "lib/person_model/src"),
            ("lib/edgesq/include", "lib/edgesq/src", "lib/person_model/src"),
            "examples",
        ),
    )
}


def compile_sketch(
    out: Path,
    made: Library,
    sketches: Sketches,
    sketch: str,
    tools: str = "",
    flags: Sequence[str] = (),
) -> list[Path]:
    """Compile a sketch and both libraries, every file on its own; return the objects."""
    folders = [made.folder / name for name in sketches.sources]
    folders.append(made.folder / sketches.sketches / sketch)
    headers = [f"-I{made.folder / name}" for name in sketches.headers]
    out.mkdir()
    objects: list[Path] = []
    sources = [path for folder in folders for path in sorted(folder.rglob("*"))]
    for source in (path for path in sources if path.suffix in LANGUAGES):
        compiler, *options = LANGUAGES[source.suffix]
        objects.append(out / f"{len(objects)}_{source.stem}.o")
        command = (f"{tools}{compiler}", *options, *WARNINGS, *flags, *headers, f"-I{STANDIN}")
        run_command(*command, "-c", source, "-o", objects[-1])
    return objects


def program(out: Path, made: Library, sketches: Sketches, sketch: str) -> str:
    objects = compile_sketch(out, made, sketches, sketch, flags=("-O1",))
    core = run_command("g++", "-c", *WARNINGS, STANDIN / "core.cc", "-o", out / "core.o")
    assert core == b""
    run_command("g++", *objects, out / "core.o", "-o", out / "sketch")
    return str(out / "sketch")


@pytest.fixture(params=LAYOUTS)
def sketches(request: pytest.FixtureRequest) -> Sketches:
    return LAYOUTS[request.param]


def test_the_verifying_sketch(sketches: Sketches, tmp_path: Path) -> None:
    made = library(tmp_path, sketches.layout, NETWORKS[NETWORK](), "person")
    sketch = program(tmp_path / "out", made, sketches, "verify")
    build = verify_build(tmp_path / "edgesq", NETWORKS[NETWORK](), "host")
    device = check_verifies(build, [sketch], tmp_path / "log")
    assert device["board"] == "", "manifests of Arduino pass nothing on: it is left out"
    assert re.fullmatch(r"gcc [\d.]+", device["build"])


def test_the_classifying_sketch(sketches: Sketches, tmp_path: Path) -> None:
    made = library(tmp_path, sketches.layout, NETWORKS[NETWORK](), "person")
    sketch = program(tmp_path / "out", made, sketches, "classify")
    said = classified([sketch], tmp_path / "log")
    assert re.fullmatch(rb"class %d in us: \d+" % pattern_class(made), said)


@pytest.mark.parametrize("sketch", ["classify", "verify"])
def test_sketches_compile_for_a_cortex_m4(sketches: Sketches, sketch: str, tmp_path: Path) -> None:
    made = library(tmp_path, sketches.layout, NETWORKS[NETWORK](), "person", "dsp")
    objects = compile_sketch(tmp_path / "out", made, sketches, sketch, "arm-none-eabi-", M4)
    defined = run_command("arm-none-eabi-nm", "--defined-only", *objects).decode()
    assert re.search(r" T esq_run_conv2d_dsp\n", defined)
    assert not re.search(r" T \w+_mve\n", defined)
    names = re.findall(r" [TRDB] (\w+)\n", defined)
    assert {"setup", "loop"} <= {re.sub(r"^_Z\d+(\w+?)v$", r"\1", name) for name in names}
    assert len(names) == len(set(names)), "no symbol twice"
