"""Make an existing build ready for a board: compile what is not, or lay it out for another."""

import dataclasses
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgesq.codegen import DEFAULT_NAME, generate
from edgesq.errors import TargetError
from edgesq.export.folder import FIRMWARE, TFLITE, file_hashes, read_report, write_report
from edgesq.export.library import (
    folder_of,
    formats_of,
    reported_preprocessing,
    write_library,
)
from edgesq.export.operators import operator_facts
from edgesq.formats.tflite import read_graph
from edgesq.plan import Candidate, Goal
from edgesq.project import Format, Sizes, compile_firmware, firmware_path, lay_out, plan_for
from edgesq.targets import Target, load_target


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
    own = load_target(report["target"])
    chosen = target or own
    if chosen.is_library:
        raise needs_library(chosen)
    if chosen != own:
        changes = _retarget(build, chosen, report, on_stage)
    elif _is_compiled(folder, chosen):
        return chosen
    else:
        on_stage(f"compile for {chosen.name}")
        changes = dataclasses.asdict(compile_firmware(folder, chosen))
    write_report(build, {**report, **changes})
    return chosen


def needs_library(target: Target) -> TargetError:
    """Return the error that a target without a port has no firmware of its own."""
    hint = "export it as a library, --format c-library or another, for a project of your own"
    return TargetError("has no port, so no firmware of its own", where=target.name, hint=hint)


def compile_cleanly(folder: Path, target: Target) -> Sizes:
    """Compile; keep the program and the map, but not CMake's notes, which name this folder.

    Raises:
        ToolError: cmake or the compiler is missing, or it failed.
    """
    sizes = compile_firmware(folder, target)
    kept = {firmware_path(folder, target).name, "edgesq.map"}
    for path in (folder / "build").iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return sizes


def _retarget(
    build: Path, target: Target, report: dict[str, Any], on_stage: Callable[[str], None]
) -> dict[str, Any]:
    """Replace the firmware by one for `target`, whole or not at all; return the report's news."""
    graph = read_graph((build / TFLITE).read_bytes(), str(build / TFLITE))
    chosen = plan_for(
        graph, target, Goal(report.get("optimize", "balanced")), report.get("ram_limit")
    )
    with tempfile.TemporaryDirectory(prefix=f".{FIRMWARE}-", dir=build) as scratch:
        new = Path(scratch) / FIRMWARE
        name = report.get("name", DEFAULT_NAME)
        files = generate(graph, chosen.plan, target.kernels, name)
        lay_out(new, target, files)
        layouts = formats_of(Format(report.get("format", "cmake")), target)
        for layout in layouts:
            write_library(Path(scratch), layout, graph, files, reported_preprocessing(report), name)
        on_stage(f"compile for {target.name}")
        sizes = compile_cleanly(new, target)
        folders = [folder_of(layout) for layout in layouts]
        for folder in folders:
            if (build / folder).exists():  # not where the build was for a target without a port
                (build / folder).rename(Path(scratch) / f"old {folder}")
            (Path(scratch) / folder).rename(build / folder)
    own = tuple(f"{folder}/" for folder in folders)
    hashes = {file: value for file, value in report["files"].items() if not file.startswith(own)}
    hashes |= {file: value for file, value in file_hashes(build).items() if file.startswith(own)}
    news = {"target": target.name, "kernels": target.kernels, "files": hashes}
    news |= operator_facts(graph, chosen.plan, target.kernels)
    return {**news, **plan_facts(chosen), **dataclasses.asdict(sizes)}


def plan_facts(chosen: Candidate) -> dict[str, Any]:
    """Return what a report says of a plan."""
    bands = {str(height): rows for height, rows in chosen.bands.items()}
    return {
        "arena_bytes": chosen.plan.arena_bytes,
        "bands": bands,
        "weights_room_bytes": chosen.room_bytes,
    }


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
