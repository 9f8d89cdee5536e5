"""Compile a laid-out project and measure it; run the C runtime on this computer."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgesq.errors import ToolError
from edgesq.graph import Graph, Int8Array
from edgesq.markup import Table
from edgesq.plan.fit import too_large
from edgesq.project.elf import Section, read_sections
from edgesq.project.needed import SOURCES, Library
from edgesq.project.toolchain import Toolchain, find_toolchain, host_compiler
from edgesq.records import Count
from edgesq.resources import resource
from edgesq.targets import Target

STRICT_FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")
MAP = "edgesq.map"
"""What the linker says, beside the program."""

_UNNEEDED = "ESQ_UNNEEDED"
"""Environment variable that tells a project which sources not to compile; in its cache it would
bind those who build the project by themselves."""

_PLAIN = r"[\w./+@ -]+"
_OVERFLOW = re.compile(r"region [`'](\w+)':? overflowed by (\d+) bytes")
"""Of GNU's linker, and of LLVM's, which says it of each section: of the last one it is all."""
_TIMEOUT_S = 600
_LITTLE_ROOM_BYTES = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """What the linker put into each memory.

    Attributes:
        flash_bytes: code, constants and the initial values of variables.
        ram_bytes: variables, arena and stack.
        compiler: what made the image, as it notes there; "" where it notes nothing.
    """

    flash_bytes: Count
    ram_bytes: Count
    compiler: str = field(default="", compare=False)

    def _repr_html_(self) -> str:
        rows = (("flash", f"{self.flash_bytes:,}"), ("RAM", f"{self.ram_bytes:,}"))
        return Table("whole firmware", ("memory",), ("bytes",), rows)._repr_html_()


def firmware_path(folder: Path, target: Target) -> Path:
    """Return where `compile_firmware` puts the program of the project in `folder`."""
    return folder / "build" / ("edgesq" if target.is_host else "edgesq.elf")


def compile_firmware(folder: Path, target: Target, *, warnings_are_errors: bool = False) -> Sizes:
    """Compile the project in `folder` for `target` and return its sizes.

    Raises:
        ToolError: cmake or the compiler is missing, or it failed.
        FitError: the image does not fit the target's memories.
    """
    tools = find_toolchain(target)
    with _room_told(folder):
        with _plainly_named(folder, firmware_path(folder, target).name) as project:
            tools.forget_another(project / "build")
            with _size_told(target):
                _build(project, tools, warnings_are_errors=warnings_are_errors)
        return _measure(firmware_path(folder, target))


def _build(project: Path, tools: Toolchain, *, warnings_are_errors: bool) -> None:
    """Compile what the model needs; everything where that is to be checked, or was not enough.

    Raises:
        ToolError: a tool failed.
    """
    build = project / "build"
    strict = "ON" if warnings_are_errors else "OFF"
    commands = (
        [
            *(tools.cmake, "-S", str(project), "-B", str(build)),
            *tools.options(project.absolute()),
            f"-DCMAKE_COMPILE_WARNING_AS_ERROR={strict}",
        ],
        [tools.cmake, "--build", str(build), "--parallel", "2"],
    )
    try:
        unneeded = "" if warnings_are_errors else ";".join(_unneeded(project))
        for command in commands:
            _run(command, {_UNNEEDED: unneeded} if unneeded else None)
    except ToolError as error:
        if not unneeded or _OVERFLOW.search(error.message):
            raise
        for command in commands:
            _run(command)


def _unneeded(project: Path) -> list[str]:
    """Return the sources of the runtime that no program of a project needs, relative to it."""
    runtime, build = project / "src", project / "build"
    sources = [path for path in project.rglob("*") if path.suffix in SOURCES]
    own = [path for path in sources if not {runtime, build}.intersection(path.parents)]
    needed = {*own, *Library(runtime, project / "include").needed_by(own)}
    unneeded = (path for path in sources if path not in needed and build not in path.parents)
    return sorted(str(path.relative_to(project)) for path in unneeded)


def is_plain(path: Path) -> bool:
    """Say whether CMake, Make and the compiler take a path for nothing but a path."""
    return bool(re.fullmatch(_PLAIN, str(path.absolute())))


@contextlib.contextmanager
def _room_told(folder: Path) -> Iterator[None]:
    """Say so where a tool fails on a full disk: few tools do."""
    try:
        yield
    except ToolError as error:
        free = shutil.disk_usage(folder).free
        if free >= _LITTLE_ROOM_BYTES:
            raise
        hint = f"only {free:,} B are left on this disk: make room"
        raise ToolError(error.message, where=error.where, hint=hint) from error


@contextlib.contextmanager
def _size_told(target: Target) -> Iterator[None]:
    """Say how much a memory lacks where the linker says that an image does not fit it."""
    try:
        yield
    except ToolError as error:
        found = _OVERFLOW.search(error.message)
        region = target.region(found[1].lower()) if found else None
        if found is None or region is None:
            raise
        needed, what = region.bytes + int(found[2]), "as it was linked"
        raise too_large(region.name, needed, region.bytes, target, what) from error


@contextlib.contextmanager
def _plainly_named(folder: Path, program: str) -> Iterator[Path]:
    """Yield the project; where its path is as `a;b` or `$x`, a copy whose results come back."""
    if is_plain(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("build"))
        yield copy
        (folder / "build").mkdir(exist_ok=True)
        for name in (program, MAP):
            if (copy / "build" / name).exists():
                shutil.copy(copy / "build" / name, folder / "build" / name)


def _measure(program: Path) -> Sizes:
    sections = read_sections(program)
    loaded = [section for section in sections if section.is_loaded]
    constant = sum(section.size for section in loaded if not section.is_variable)
    variables = [section for section in loaded if section.is_variable]
    begun = sum(section.size for section in variables if section.content is not None)
    ram_bytes = sum(section.size for section in variables)
    return Sizes(constant + begun, ram_bytes, _compiler(sections))


def _compiler(sections: Sequence[Section]) -> str:
    """Return what the compiler notes in every object; linkers and C libraries note it behind."""
    notes = (section.content for section in sections if section.name == ".comment")
    words = (next(notes, None) or b"").split(b"\0")[0]
    return words.decode(errors="replace").strip()


def run_batch(
    graph: Graph,
    files: Mapping[str, str],
    inputs: Int8Array,
    *,
    flags: Sequence[str] = ("-O2",),
) -> tuple[Int8Array, ...]:
    """Compile the C runtime with a model's data for this computer and run it.

    Args:
        graph: the model the data was generated from.
        files: the generated data, name to text.
        inputs: int8 [n, H, W, C].
        flags: further compiler flags, for example sanitizers.

    Returns:
        [n, K] for each tensor of `Graph.observed`, int8 or int16.

    Raises:
        ToolError: gcc is missing or failed, or the program did.
    """
    compiler = host_compiler()
    firmware = resource("firmware")
    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        for name, text in files.items():
            (Path(scratch) / name).write_text(text)
        program = Path(scratch) / "batch"
        own = [Path(scratch) / name for name in files if name.endswith(".c")]
        own.append(firmware / "tools" / "batch.c")
        needed = Library(firmware / "src", firmware / "include").needed_by(own)
        sources = (path for path in (*needed, *own) if path.suffix == ".c")
        _run(
            [
                *(*compiler, *STRICT_FLAGS, *flags, f"-I{firmware / 'include'}", f"-I{scratch}"),
                *map(str, sources),
                *("-o", str(program)),
            ]
        )
        output = _run_bytes([str(program)], inputs.tobytes())
    rows = np.frombuffer(output, np.int8).reshape(len(inputs), -1)
    images = [graph.typed(np.split(row, graph.observed_ends)) for row in rows]
    return tuple(np.stack(column) for column in zip(*images, strict=True))


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    return _run_bytes(command, b"", environment).decode(errors="replace")


def _run_bytes(
    command: Sequence[str], stdin: bytes, environment: Mapping[str, str] | None = None
) -> bytes:
    env = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=_TIMEOUT_S, env=env
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"no end after {_TIMEOUT_S} s", where=Path(command[0]).name) from error
    if done.returncode != 0:
        raise ToolError(
            f"failed: {_complaint(done.stderr or done.stdout)}", where=Path(command[0]).name
        )
    return done.stdout


def _complaint(output: bytes) -> str:
    """Return what a failed program said, on one line: its first errors, else its last words."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|overflow", line, re.IGNORECASE)]
    lacking = [line for line in errors if _OVERFLOW.search(line)]
    return " | ".join(lacking[-1:] or errors[:3] or lines[-3:])[:600] or "it said nothing"
