"""Every name of the C runtime that others can meet carries our prefix.

A build system defines macros for all that it compiles (Zephyr: KERNEL), and the linker has one
space of names.
"""

import re
import shutil
from pathlib import Path

import pytest

from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support.crun import run_command

FIRMWARE = resource("firmware")
PREFIXES = ("esq_", "ESQ_", "EDGESQ_")
OF_ZEPHYR = ("-DKERNEL", "-D__ZEPHYR__=1")
CORES = {
    "portable": ("-mcpu=cortex-m3",),
    "scalar": ("-mcpu=cortex-m0",),
    "dsp": ("-mcpu=cortex-m7",),
    "mve": ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
}

DEFINED = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)
ASSEMBLED = re.compile(r"^\s*\.(?:macro|equ|equiv|set|global|globl)\s+(\w+)", re.M)
TAG = re.compile(r"^(?:struct|enum|union) (\w+) \{", re.M)
INLINE = re.compile(r"^static (?:inline )?[\w ]+?[ *](\w+)\(", re.M)
LABEL = re.compile(r"^([A-Za-z_]\w*):", re.M)


def strangers(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith(PREFIXES)]


def runtime(*suffixes: str, folders: tuple[str, ...] = ("include", "src")) -> list[Path]:
    paths = (path for folder in folders for path in (FIRMWARE / folder).rglob("*"))
    found = sorted(path for path in paths if path.suffix in suffixes)
    assert found
    return found


COMPILED = runtime(
    ".c", ".h", folders=("include", "src", "app", "examples", "camera", "tools", "tflm")
)


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_macros(path: Path) -> None:
    assert strangers(DEFINED.findall(path.read_text())) == []


@pytest.mark.parametrize("path", sorted(FIRMWARE.rglob("*.S")), ids=lambda path: path.name)
def test_names_of_the_assembler(path: Path) -> None:
    text = path.read_text()
    assert strangers([*DEFINED.findall(text), *ASSEMBLED.findall(text), *LABEL.findall(text)]) == []


@pytest.mark.parametrize("path", runtime(".h"), ids=lambda path: path.name)
def test_types_and_functions_of_headers(path: Path) -> None:
    assert strangers(TAG.findall(path.read_text()) + INLINE.findall(path.read_text())) == []


def global_symbols(*command: str | Path) -> list[str]:
    lines = run_command(*command).decode().splitlines()
    return [words[2] for words in map(str.split, lines) if len(words) == 3]


def test_global_symbols(tmp_path: Path) -> None:
    folders = (f"-I{FIRMWARE / 'include'}", f"-I{FIRMWARE / 'src'}")
    run_command("gcc", *STRICT_FLAGS, *folders, "-c", *runtime(".c"), cwd=tmp_path)
    names = global_symbols("nm", "--defined-only", "--extern-only", *tmp_path.glob("*.o"))
    assert names
    assert strangers(names) == []


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES.values(), ids=list(CORES))
def test_on_a_core_with_the_macros_of_zephyr(core: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    compiler = ("arm-none-eabi-gcc", "-mthumb", *core, *OF_ZEPHYR)
    folders = (f"-I{FIRMWARE / 'include'}", f"-I{FIRMWARE / 'src'}")
    run_command(*compiler, "-O2", *STRICT_FLAGS, *folders, "-c", *runtime(".c"), cwd=tmp_path)
    run_command(*compiler, "-D_ASMLANGUAGE", "-c", *runtime(".S"), cwd=tmp_path)
    nm = ("arm-none-eabi-nm", "--defined-only", "--extern-only")
    assert strangers(global_symbols(*nm, *tmp_path.glob("*.o"))) == []
