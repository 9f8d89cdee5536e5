"""Write the files of a firmware project: runtime, port, app, linker script and the model's data."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from edgesq.project.zig import zig_flags
from edgesq.resources import resource
from edgesq.targets import Target

RUNTIME = ("include", "src", "app")
"""Folders of a firmware around edgesq's runtime."""

KERNEL_NOTES = "README.md"
"""In these folders: how the kernels work. For readers of this repository, so no part of a build."""

TFLM_RUNTIME = ("include", "tflm", "app")
"""Folders of a firmware around TensorFlow Lite Micro."""

FREESTANDING = "freestanding"
"""Headers for a compiler that brings no C library."""

ZIG_FILE = "zig.cmake"
"""CMake's toolchain file for Zig, in a project that Zig can compile."""

_RAM_SECTION = {"ESQ_RAM_SECTION": r"\".esq_in_ram\""}
"""What link.ld.in puts into .data, as CMake takes it."""

_BARE = f"""include_directories(SYSTEM ${{CMAKE_CURRENT_LIST_DIR}}/{FREESTANDING})
add_link_options(-Wl,--entry=esq_reset) # Zig's driver does not heed the linker script's ENTRY
"""


def lay_out(
    folder: Path,
    target: Target,
    files: Mapping[str, str],
    runtime: Sequence[str] = RUNTIME,
) -> None:
    """Write a CMake project for `target` into `folder`, replacing what an earlier export wrote.

    Args:
        folder: made if missing; its `build` folder is kept so that compiling again is quick.
        target: the board it is for; nothing is written for one without a port.
        files: generated text, name to content, put at the project's top.
        runtime: folders of the runtime and what is around it.
    """
    if target.is_library:
        return
    source = resource("firmware")
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {*RUNTIME, *TFLM_RUNTIME, "ports", FREESTANDING}:
        shutil.rmtree(folder / stale, ignore_errors=True)
    models = {*folder.glob("*_model.[ch]"), *folder.glob("*_app.c")}
    for model in models - {folder / name for name in files}:
        model.unlink()
    bare = () if target.is_host or zig_flags(target) is None else (FREESTANDING,)
    for name in (*runtime, *(f"ports/{port}" for port in target.port_folders), *bare):
        without = shutil.ignore_patterns(KERNEL_NOTES)
        shutil.copytree(source / name, folder / name, ignore=without, copy_function=shutil.copyfile)
    for name, text in {**files, **_project_files(source / "template", target)}.items():
        _write_if_changed(folder / name, text)


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _project_files(templates: Path, target: Target) -> dict[str, str]:
    host = target.is_host
    script = "link.ld"
    flash, ram = target.region("flash"), target.region("ram")
    defines = target.defines | (_RAM_SECTION if flash and ram else {})
    cmake = Template((templates / "CMakeLists.txt.in").read_text()).substitute(
        board=target.description,
        system="Linux" if host else "Generic",
        compiler=target.compiler,
        defines=" ".join(f"{name}={value}" for name, value in sorted(defines.items())),
        compiler_flags=" ".join(target.compiler_flags),
        linker_flags="" if host else f"-T ${{CMAKE_SOURCE_DIR}}/{script}",
        port_folders=" ".join(f"ports/{name}" for name in target.port_folders),
        suffix="" if host else ".elf",
        link_depends="" if host else f"${{CMAKE_SOURCE_DIR}}/{script}",
    )
    files = {"CMakeLists.txt": cmake}
    core_flags = zig_flags(target)
    if core_flags is not None:
        files[ZIG_FILE] = Template((templates / "zig.cmake.in").read_text()).substitute(
            compiler=target.compiler,
            system="Linux" if host else "Generic",
            core_flags=" ".join(core_flags),
            bare="" if host else _BARE,
        )
    if flash and ram:
        files[script] = Template((templates / "link.ld.in").read_text()).substitute(
            flash_origin=f"0x{flash.origin:08x}",
            flash_bytes=flash.bytes,
            ram_origin=f"0x{ram.origin:08x}",
            ram_bytes=ram.bytes,
            stack_bytes=target.stack_bytes,
        )
    return files


def tflm_cmake(target: Target, tree: Path) -> str:
    """Return the file that tells a project where TensorFlow Lite Micro is."""
    template = resource("firmware") / "template" / "tflm.cmake.in"
    return Template(template.read_text()).substitute(dir=tree.resolve(), cpu=target.cpu)
