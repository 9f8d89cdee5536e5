"""What a program needs of the runtime, by names, against what linkers are told."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.plan import PlanRequest, make_plan
from edgesq.project import compile_firmware, lay_out
from edgesq.project.needed import SOURCES, Library
from edgesq.targets import Target, load_target
from support.cases import NETWORKS
from support.paths import ROOT

FIRMWARE = ROOT / "firmware"
RUNTIME = sorted(path for path in (FIRMWARE / "src").rglob("*") if path.suffix in SOURCES)
CORES = ["host", "microbit", "netduino2", "cortex-m", "mps3-an547"]
"""One of each kind of kernels."""


def symbols(target_name: str, objects: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield the symbols of all objects as nm gives them: source, kind, name."""
    target = load_target(target_name)
    if not shutil.which(target.compiler):
        pytest.skip(f"{target.compiler} is not installed")
    assert len({path.name for path in RUNTIME}) == len(RUNTIME)
    flags = [*target.compiler_flags, "-std=c11", f"-I{FIRMWARE / 'include'}"]
    command = [target.compiler, *flags, "-c", *map(str, RUNTIME)]
    subprocess.run(command, cwd=objects, check=True)
    nm = target.compiler.replace("gcc", "nm")
    for source in RUNTIME:
        asked = [nm, "-g", str((objects / source.name).with_suffix(".o"))]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        for line in told.splitlines():
            *_, kind, name = line.split()
            yield source, kind, name


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_no_symbol_is_missed(core: str, tmp_path: Path) -> None:
    found = list(symbols(core, tmp_path))
    places = {name: source for source, kind, name in found if kind != "U"}
    library = Library(FIRMWARE / "src", FIRMWARE / "include")
    for user in RUNTIME:
        used = {name for source, kind, name in found if (source, kind) == (user, "U")}
        needed = {places[name] for name in used & places.keys()}
        assert needed <= {*library.needed_by([user])}, user.name


def laid_out(folder: Path, target: Target) -> Path:
    """Return a folder with a project of a network for a target."""
    graph = read_graph(NETWORKS["fire"]())
    plan = make_plan(graph, PlanRequest(target.kernels))
    lay_out(folder, target, generate(graph, plan, target.kernels))
    return folder


def compiled(folder: Path) -> set[str]:
    """Return which sources of the runtime were compiled."""
    made = (folder / "build").rglob("edgesq.dir/src/**/*")
    return {path.stem for path in made if path.suffix in (".o", ".obj")}


@pytest.mark.slow
def test_the_program_is_the_same_with_what_it_needs(tmp_path: Path) -> None:
    target = load_target("cortex-m")
    folders = [laid_out(tmp_path / name, target) for name in ("needed", "all")]
    quick, checked = (
        compile_firmware(folder, target, warnings_are_errors=is_checked)
        for folder, is_checked in zip(folders, (False, True), strict=True)
    )
    assert quick == checked
    few, every = map(compiled, folders)
    assert every == {path.name for path in RUNTIME}
    assert few < every
    assert 3 * len(few) < len(every)


@pytest.mark.slow
def test_all_is_compiled_where_names_tell_too_little(tmp_path: Path) -> None:
    target = load_target("host")
    folder = laid_out(tmp_path, target)
    joined = "#define JOINED(a, b) a##b\nvoid JOINED(es, q_run_svdf)(void);\n"
    user = "__attribute__((constructor)) void hidden(void) { JOINED(es, q_run_svdf)(); }\n"
    (folder / "hidden_model.c").write_text(joined + "void hidden(void);\n" + user)
    compile_firmware(folder, target)
    assert compiled(folder) == {path.name for path in RUNTIME}
