"""Make an existing build ready for a board: compile what is not, or lay it out for another."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from edgesq.builds.facts import ExportReport
from edgesq.builds.folder import (
    FIRMWARE,
    TFLITE,
    check_plain,
    file_hashes,
    read_model,
    scratch_beside,
)
from edgesq.builds.library import (
    folder_of,
    layouts_of,
    write_library,
)
from edgesq.builds.page_files import refreshed
from edgesq.builds.report import read_report, write_report
from edgesq.builds.runtime import FirmwareOptions, as_asked, make_firmware, target_of
from edgesq.errors import TargetError
from edgesq.formats.tflite import read_graph
from edgesq.project import MAP, Sizes, compile_firmware, firmware_path
from edgesq.targets import Target


def ensure_compiled(build: Path, target: Target | None, on_stage: Callable[[str], None]) -> Target:
    """Compile the firmware of a build if it is not, and return the target it is for.

    Args:
        build: a build folder.
        target: another target than the build's own; the firmware is then laid out anew.
        on_stage: is told what begins.

    Raises:
        EdgesqError: not a build folder, the model does not fit, or a tool failed.
    """
    report = read_report(build)
    folder = build / FIRMWARE
    own = target_of(report)
    chosen = own if target is None or target.name == own.name else as_asked(report, target)
    if chosen.is_library:
        raise needs_library(chosen)
    check_plain(build)
    if chosen != own:
        report = _retarget(build, chosen, report, on_stage)
    elif _is_compiled(folder, chosen):
        return chosen
    else:
        on_stage(f"compile for {chosen.name}")
        report = dataclasses.replace(report, sizes=compile_firmware(folder, chosen))
    write_report(build, refreshed(build, report))
    return chosen


def needs_library(target: Target) -> TargetError:
    """Return the error that a target without a port has no firmware of its own."""
    hint = "export it as a library, --format c-library or another, for a project of your own"
    return TargetError("has no port, so no firmware of its own", where=target.name, hint=hint)


def compile_cleanly(folder: Path, target: Target) -> Sizes:
    """Compile; keep the program and the map, but not CMake's notes, which name this folder.

    Raises:
        ToolError: cmake or the compiler is missing, or it failed.
        FitError: the image does not fit the target's memories.
    """
    sizes = compile_firmware(folder, target)
    kept = {firmware_path(folder, target).name, MAP}
    for path in (folder / "build").iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return sizes


def _retarget(
    build: Path, target: Target, report: ExportReport, on_stage: Callable[[str], None]
) -> ExportReport:
    """Replace the firmware by one for `target`, whole or not at all; return the new report."""
    content = read_model(build)
    graph = read_graph(content, str(build / TFLITE))
    name, asked = report.model.c_name, report.request
    tflm_dir = None if asked.tflm_dir is None else Path(asked.tflm_dir)
    options = FirmwareOptions(
        target,
        name,
        asked.optimize,
        asked.ram_limit,
        tflm_dir,
        report.classes.names,
        report.calibration.preprocessing,
    )
    firmware = make_firmware(graph, content, options)
    with scratch_beside(build / FIRMWARE) as scratch:
        new = scratch / FIRMWARE
        firmware.lay_out(new)
        layouts = layouts_of(asked.layout, target)
        for layout in layouts if firmware.has_rows else ():
            write_library(scratch, layout, firmware.files, name, target.kernels)
        on_stage(f"compile for {target.name}")
        sizes = compile_cleanly(new, target)
        folders = [folder_of(layout) for layout in layouts]
        for folder in folders:
            if (build / folder).exists():  # not where the build was for a target without a port
                (build / folder).rename(scratch / f"old {folder}")
            (scratch / folder).rename(build / folder)
    own = tuple(f"{folder}/" for folder in folders)
    hashes = {file: value for file, value in report.files.items() if not file.startswith(own)}
    hashes |= {file: value for file, value in file_hashes(build).items() if file.startswith(own)}
    return dataclasses.replace(report, firmware=firmware.facts, sizes=sizes, files=hashes)


def _is_compiled(folder: Path, target: Target) -> bool:
    """Say whether the program is newer than every file it is made of."""
    program = firmware_path(folder, target)
    if not program.is_file():
        return False
    sources = (path for path in folder.rglob("*") if path.is_file())
    return all(
        path.stat().st_mtime <= program.stat().st_mtime
        for path in sources
        if folder / "build" not in path.parents
    )
