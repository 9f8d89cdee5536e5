"""Which programs compile a project: those on PATH first, then those that came by pip."""

import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import MissingToolError
from edgesq.project.layout import ZIG_FILE
from edgesq.project.zig import find_zig, zig_flags
from edgesq.targets import Target

_CACHE = "CMakeCache.txt"
_GENERATORS = {"make": "Unix Makefiles", "ninja": "Ninja"}
"""CMake's names by program, the better one first: an older build folder is make's."""


@dataclass(frozen=True)
class Toolchain:
    """What a project is compiled with.

    Attributes:
        cmake: the program.
        generator: CMake's name for the tool that runs the compiler.
        runner: that tool.
        zig: the program; None where the target's own compiler is there.
    """

    cmake: str
    generator: str
    runner: str
    zig: str | None

    def options(self, project: Path) -> tuple[str, ...]:
        """Return CMake's arguments."""
        generator = ("-G", self.generator, f"-DCMAKE_MAKE_PROGRAM={self.runner}")
        if self.zig is None:
            return generator
        return (*generator, f"-DCMAKE_TOOLCHAIN_FILE={project / ZIG_FILE}", f"-DESQ_ZIG={self.zig}")

    def forget_another(self, build: Path) -> None:
        """Remove what CMake noted in a folder for other tools: it would refuse these."""
        cache = build / _CACHE
        if not cache.is_file():
            return
        noted = cache.read_text(encoding="utf-8", errors="replace").splitlines()
        is_zig = any(line.startswith("CMAKE_TOOLCHAIN_FILE:") for line in noted)
        is_same = f"CMAKE_GENERATOR:INTERNAL={self.generator}" in noted
        if not is_same or is_zig != (self.zig is not None):
            cache.unlink()
            shutil.rmtree(build / "CMakeFiles", ignore_errors=True)


def find_toolchain(target: Target) -> Toolchain:
    """Return what compiles for a target.

    Raises:
        MissingToolError: a program is missing, and no other can take its place.
    """
    cmake = find_program("cmake")
    if cmake is None:
        raise MissingToolError("cmake")
    found = ((name, find_program(name)) for name in _GENERATORS)
    runner, place = next(((name, place) for name, place in found if place), ("make", None))
    if place is None:
        raise MissingToolError(runner)
    zig = None
    if not shutil.which(target.compiler):
        zig = None if zig_flags(target) is None else find_zig()
        if zig is None:
            raise MissingToolError(target.compiler)
    return Toolchain(cmake, _GENERATORS[runner], place, zig)


def find_program(name: str) -> str | None:
    """Return where a program is, on PATH or beside this Python, whose environment may be asleep."""
    return shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))


def host_compiler() -> list[str]:
    """Return the command of a C compiler for this computer.

    Raises:
        MissingToolError: there is none.
    """
    if shutil.which("gcc"):
        return ["gcc"]
    zig = find_zig()
    if zig is None:
        raise MissingToolError("gcc")
    return [zig, "cc"]
