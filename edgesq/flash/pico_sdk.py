"""The Pico SDK: what its CMake built, onto a board by picotool or its drive, or into rp2040py.

Source: pico-sdk 2.2.0, src/cmake/on_device.cmake (pico_add_extra_outputs) and
src/rp2_common/pico_platform (PICO_PLATFORM).
"""

import re
from pathlib import Path

from edgesq.errors import EdgesqError, ToolError
from edgesq.flash import picotool, rp2040, uf2
from edgesq.flash.cmake_cache import read_cache
from edgesq.flash.foreign import Built, Emulating, Programming, System, Wish
from edgesq.flash.image import read_image
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Job
from edgesq.targets import load_target

NAME = "the Pico SDK"
_TARGETS = (("rp2040", "pico"), ("rp2350.*", "pico2"))
"""PICO_PLATFORM, and the target whose bootloader its boards have."""

_PROGRAMMERS: tuple[Programmer[Job], ...] = (picotool.RUNNER, uf2.RUNNER)
_RUNNERS = (*(runner.name for runner in _PROGRAMMERS), rp2040.RUNNER.name)


def is_build(folder: Path) -> bool:
    """Return whether the SDK's CMake was configured in a folder."""
    return {"PICO_SDK_PATH", "PICO_PLATFORM"} <= read_cache(folder).keys()


def read(folder: Path, wish: Wish) -> Built:
    """Return what is to be done with a build folder.

    Args:
        folder: CMake's.
        wish: its runner is picotool, uf2 or rp2040py, its probe the bootloader's serial number.

    Raises:
        EdgesqError: several programs were built, for no chip that is known, or not as wished.
        ToolError: no program is built.
    """
    wish.check(NAME, folder, _RUNNERS, options=False)
    cache = read_cache(folder)
    platform, board = cache["PICO_PLATFORM"], cache.get("PICO_BOARD", "a board")
    found = (name for pattern, name in _TARGETS if re.fullmatch(pattern, platform))
    name = next(found, None)
    if name is None:
        known = ", ".join(pattern for pattern, _ in _TARGETS)
        raise EdgesqError(f"PICO_PLATFORM is {platform}", where=str(folder), hint=f"known: {known}")
    elf = _program(folder)
    sources = (Path(cache.get("CMAKE_HOME_DIRECTORY", folder)),)
    if wish.runner == rp2040.RUNNER.name:
        if name != "pico":
            hint = "leave --runner out"
            raise EdgesqError("rp2040py has an RP2040 alone", where=str(folder), hint=hint)
        return Emulating(
            board=board, command=lambda port: rp2040.command(elf, name, port), sources=sources
        )
    target = load_target(name)
    wanted = [one for one in _PROGRAMMERS if wish.runner in (None, one.name)]
    chosen = next((one for one in wanted if one.is_installed(target)), wanted[0])
    job = Job(target, read_image(elf), elf, folder, wish.probe, uf2=_uf2(elf))
    return Programming(board=board, programmer=chosen, work=job, sources=sources)


def _program(folder: Path) -> Path:
    """Return the ELF file of the one program that was built; the SDK makes .hex of programs alone.

    Raises:
        EdgesqError: there are several.
        ToolError: there is none.
    """
    elves = sorted(folder.rglob("*.elf"))
    found = [path for path in elves if path.is_file() and path.with_suffix(".hex").is_file()]
    if len(found) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found)
        hint = "give each a build folder of its own"
        raise EdgesqError(f"several programs: {names}", where=str(folder), hint=hint)
    if not found:
        hint = f"cmake --build {folder}"
        raise ToolError("no program is built", where=str(folder), hint=hint)
    return found[0]


def _uf2(elf: Path) -> Path:
    path = elf.with_suffix(".uf2")
    if not path.is_file():
        hint = "build without PICO_NO_PICOTOOL: picotool makes it"
        raise ToolError("is not there", where=str(path), hint=hint)
    return path


SYSTEM = System(name=NAME, is_build=is_build, read=read, programmers=_PROGRAMMERS)
