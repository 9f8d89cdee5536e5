"""Zig's C compiler, which `pip install ziglang` brings: Clang and LLD, without a C library."""

import importlib.util
import platform
import shutil
from pathlib import Path

from edgesq.targets import Target

_BARE = "thumb-freestanding-eabi"
_CORES = {
    "cortex-m0": (_BARE, "cortex_m0"),
    "cortex-m0plus": (_BARE, "cortex_m0plus"),
    "cortex-m3": (_BARE, "cortex_m3"),
    "cortex-m4": (_BARE, "cortex_m4"),
    "cortex-m7": (_BARE, "cortex_m7"),
    "cortex-m33": (_BARE, "cortex_m33+dsp"),
    "cortex-m55": (f"{_BARE}hf", "cortex_m55+mve_fp+fp_armv8d16"),
    "rv32imc": ("riscv32-freestanding-none", "generic_rv32+m+c"),
}
"""Its names for the cores: what one has beyond its least is named, as DSP and Helium."""


def zig_flags(target: Target) -> tuple[str, ...] | None:
    """Return what makes Zig compile for a target's core; None where it cannot."""
    if not target.is_planned:  # TensorFlow Lite Micro needs a C++ library
        return None
    if target.is_host:
        return ("-target", f"{platform.machine().lower()}-linux-musl")
    names = _CORES.get(target.cpu)
    return None if names is None else ("-target", names[0], f"-mcpu={names[1]}")


def find_zig() -> str | None:
    """Return the program `zig`, of the package ziglang or on PATH; None where there is none."""
    package = importlib.util.find_spec("ziglang")
    for folder in (package.submodule_search_locations or ()) if package else ():
        found = shutil.which("zig", path=str(Path(folder)))
        if found:
            return found
    return shutil.which("zig")
